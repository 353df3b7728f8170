"""Orders' statuses, retained at least once: open ones, and closed ones for an hour.

After `KEPT_S` of the run, or when more than `KEPT_MAX` are closed, the oldest retained message is
cleared (an empty one takes its place).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import msgspec

from orchestrator.api.published import LineStatus, OrderStatus, level
from orchestrator.core.messages import CloseOrder
from orchestrator.core.orders import Order
from orchestrator.core.world import World

KEPT_S = 3600
KEPT_MAX = 10_000
AGAIN_PER_S = 500
encode = msgspec.json.Encoder().encode


class OrderStatuses:
    """`publish` (topic, payload, QoS, retained) says whether there was room for it."""

    def __init__(
        self,
        root: str,
        publish: Callable[[str, bytes, int, bool], Any],
        utc: Callable[[int], str],
    ) -> None:
        """`utc`: a time of the run as UTC."""
        self.prefix = f"{root}/orders/"
        self._publish, self._utc = publish, utc
        self._closed: dict[str, tuple[int, bytes]] = {}  # when, what
        self._again: dict[str, None] = {}
        self._budget = 0.0

    def topic(self, order_id: str) -> str:
        """Where an order's status is."""
        return f"{self.prefix}{level(order_id)}/status"

    def opened(self, world: World, order_id: str, time_ns: int) -> None:
        """It is open, or otherwise than before; or it was asked for again, and ended long ago."""
        order, filed = world.orders.get(order_id), world.filed.get(order_id)
        if order is not None and order.state == "open" and not order.internal:
            self._send(order_id, encode(self._open(order, time_ns)))
            return
        known = order or filed
        if known is None or known.internal or order_id in self._closed or known.state == "refused":
            return
        state: Any = known.state
        at = self._utc(time_ns)
        self._keep(
            OrderStatus(
                order_id=order_id, status=state, kind=known.kind, reason=known.reason, at=at
            ),
            time_ns,
        )

    def closed(self, world: World, command: CloseOrder, time_ns: int) -> None:
        """How it ended."""
        order = world.orders.get(command.order_id)
        lines = [
            LineStatus(
                sku=row.sku,
                quantity=row.quantity,
                done=row.done,
                tote=row.tote,
                rejected=row.rejected,
            )
            for row in command.lines
        ]
        status = OrderStatus(
            order_id=command.order_id,
            status=command.status,  # type: ignore[arg-type]
            kind=order.kind if order is not None else "",
            reason=command.reason,
            priority=order.priority if order is not None else 0,
            due_at=self._utc(order.due_ns) if order is not None and order.due_ns else "",
            lines=lines,
            at=self._utc(time_ns),
        )
        self._keep(status, time_ns)

    def _keep(self, status: OrderStatus, time_ns: int) -> None:
        self._closed.pop(status.order_id, None)
        payload = encode(status)
        self._closed[status.order_id] = time_ns, payload
        self._send(status.order_id, payload)

    def _open(self, order: Order, time_ns: int) -> OrderStatus:
        lines = [
            LineStatus(sku=line.sku, quantity=line.quantity, done=line.quantity - line.open)
            for line in order.lines
        ]
        return OrderStatus(
            order_id=order.id,
            status="open",
            kind=order.kind,
            priority=order.priority,
            due_at=self._utc(order.due_ns) if order.due_ns else "",
            lines=lines,
            at=self._utc(time_ns),
        )

    def _send(self, order_id: str, payload: bytes) -> None:
        self._again.pop(order_id, None)
        if not self._publish(self.topic(order_id), payload, 1, True):
            self._again[order_id] = None

    def known(self, world: World, topic: str) -> bool:
        """A retained status of this topic belongs to the run."""
        name = unquote(topic.removeprefix(self.prefix).removesuffix("/status"))
        order = world.orders.get(name)
        known = name in self._closed or (order is not None and order.state == "open")
        return known and self.topic(name) == topic

    def again(self, world: World) -> None:
        """Whatever was told is to be told again, little by little."""
        self._again.update(dict.fromkeys(self._closed))
        orders = world.orders.values()
        self._again.update({o.id: None for o in orders if o.state == "open" and not o.internal})

    def tell(self, world: World, time_ns: int, passed_s: float) -> None:
        """A few times a second."""
        self._budget = min(AGAIN_PER_S, self._budget + AGAIN_PER_S * passed_s)
        while self._again and self._budget >= 1:
            self._budget -= 1
            order_id = next(iter(self._again))
            del self._again[order_id]
            if order_id in self._closed:
                self._send(order_id, self._closed[order_id][1])
            else:
                self.opened(world, order_id, time_ns)
            if order_id in self._again:  # no room
                return
        self._clear(time_ns)

    def _clear(self, time_ns: int) -> None:
        while self._closed and self._budget >= 1:
            order_id, (closed_ns, _) = next(iter(self._closed.items()))
            if len(self._closed) <= KEPT_MAX and time_ns - closed_ns < KEPT_S * 1_000_000_000:
                return
            if not self._publish(self.topic(order_id), b"", 1, True):
                return
            self._budget -= 1
            del self._closed[order_id]
            self._again.pop(order_id, None)
