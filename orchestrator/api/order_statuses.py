"""Orders' statuses, retained at least once: open ones, and closed ones for an hour.

After `KEPT_S` of the run, or when more than `KEPT_MAX` are closed, the oldest retained message is
cleared (an empty one takes its place).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple
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


class Closed(NamedTuple):
    """How an order ended. Its times are of the run: what they are in UTC, is known when it is told."""

    time_ns: int
    due_ns: int
    status: OrderStatus


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
        self.silent = False  # a journal is being folded
        self._publish, self._utc = publish, utc
        self._closed: dict[str, Closed] = {}
        self._again: dict[str, None] = {}
        self._budget = 0.0

    def topic(self, order_id: str) -> str:
        """Where an order's status is."""
        return f"{self.prefix}{level(order_id)}/status"

    def opened(self, world: World, order_id: str, time_ns: int) -> None:
        """It is open, or otherwise than before; or it was asked for again, and ended long ago."""
        order, filed = world.orders.get(order_id), world.filed.get(order_id)
        if order is not None and order.state == "open" and not order.internal:
            self._send(order_id, Closed(time_ns, order.due_ns, _open(order)))
            return
        known = order or filed
        if known is None or known.internal or order_id in self._closed or known.state == "refused":
            return
        state: Any = known.state
        status = OrderStatus(order_id=order_id, status=state, kind=known.kind, reason=known.reason)
        self._keep(Closed(time_ns, order.due_ns if order is not None else 0, status))

    def closed(self, world: World, command: CloseOrder, time_ns: int) -> None:
        """How it ended."""
        order = world.orders.get(command.order_id)
        state: Any = command.status
        status = OrderStatus(
            order_id=command.order_id,
            status=state,
            kind=order.kind if order is not None else "",
            reason=command.reason,
            priority=order.priority if order is not None else 0,
            lines=[
                LineStatus(
                    sku=row.sku, quantity=row.quantity, done=row.done, tote=row.tote,
                    rejected=row.rejected,
                )
                for row in command.lines
            ],
        )  # fmt: skip
        self._keep(Closed(time_ns, order.due_ns if order is not None else 0, status))

    def _keep(self, closed: Closed) -> None:
        order_id = closed.status.order_id
        self._closed.pop(order_id, None)
        self._closed[order_id] = closed
        self._send(order_id, closed)

    def _send(self, order_id: str, told: Closed) -> None:
        self._again.pop(order_id, None)
        if self.silent:
            return
        due_at = self._utc(told.due_ns) if told.due_ns else ""
        at = self._utc(told.time_ns)
        payload = encode(msgspec.structs.replace(told.status, due_at=due_at, at=at))
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
                self._send(order_id, self._closed[order_id])
            else:
                self.opened(world, order_id, time_ns)
            if order_id in self._again:  # no room
                return
        self._clear(time_ns)

    def _clear(self, time_ns: int) -> None:
        while self._closed and self._budget >= 1:
            order_id, closed = next(iter(self._closed.items()))
            fresh = time_ns - closed.time_ns < KEPT_S * 1_000_000_000
            if len(self._closed) <= KEPT_MAX and fresh:
                return
            if not self._publish(self.topic(order_id), b"", 1, True):
                return
            self._budget -= 1
            del self._closed[order_id]
            self._again.pop(order_id, None)


def _open(order: Order) -> OrderStatus:
    return OrderStatus(
        order_id=order.id,
        status="open",
        kind=order.kind,
        priority=order.priority,
        lines=[LineStatus(sku=line.sku, quantity=line.quantity) for line in order.lines],
    )
