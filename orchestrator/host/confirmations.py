"""What the host must hear: a fold over events, the commands they caused, and the world behind them.

The same journal gives the same messages, so that whoever makes them again makes no others.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec

from orchestrator.core.books import place
from orchestrator.core.host_messages import LineResult
from orchestrator.core.messages import (
    AdjustStock,
    CloseOrder,
    Command,
    Event,
    NoteTaken,
    OrderReceived,
    RobotJoined,
    RunStarted,
    StartWork,
    ToteStored,
    TruckDocked,
    TruckLeft,
    WorkEnded,
)
from orchestrator.core.world import Truck, World
from orchestrator.host.outbox import Outgoing
from orchestrator.host.stock_list import Difference

MINUTE_NS = 60_000_000_000
WORKS_MAX = 4096  # asked and unanswered: those that the core has given up are dropped at this bound


@dataclass(slots=True)
class _Known:
    """An order that is open, as the host knows it."""

    event: OrderReceived
    brings: bool
    totes: dict[str, dict[str, int]] = field(default_factory=dict)  # SKU -> tote -> units picked


class Follower:
    """Tell it every event, from the journal's first on: first its commands, then the event itself with
    the world behind it. `take` gives what is to leave."""

    def __init__(
        self,
        snapshot_minutes: float = 0.0,
        differences: tuple[Difference, ...] = (),
        trust: str = "",
    ) -> None:
        """`trust`: whose stock counts where they differ; "": the host has sent no list."""
        self._every_ns = round(snapshot_minutes * MINUTE_NS)
        self._snapshot_ns = self._every_ns
        self._differences, self._trust = differences, trust
        self._opening: list[ToteStored] | None = []
        self._commands: list[Command] = []
        self._leaving: tuple[Truck, ...] = ()  # in this event
        self._open: dict[str, _Known] = {}
        self._works: dict[int, StartWork] = {}
        self._trucks: dict[str, Truck] = {}
        self._inbound: dict[str, str] = {}  # totes on their way in -> order: in no adjustment
        self._rejected: dict[str, None] = {}  # totes that are to leave again: in no adjustment
        self._out: list[Outgoing] = []
        self.seq = -1  # the last event that was told
        self._time_ns = 0

    def command(self, command: Command) -> None:
        """A command of the event that is told next."""
        if isinstance(command, CloseOrder | AdjustStock):
            self._commands.append(command)
        elif isinstance(command, StartWork):
            self._works[command.work] = command

    def event(self, seq: int, time_ns: int, event: Event, world: World) -> None:
        """An event, when the core is done with it."""
        self.seq, self._time_ns = seq, time_ns
        if self._opening is not None:
            if isinstance(event, ToteStored):
                self._opening.append(event)
            elif not isinstance(event, RunStarted | RobotJoined | NoteTaken):
                self._opened(world)
        if isinstance(event, OrderReceived):
            self._received(event, world)
        elif isinstance(event, WorkEnded):
            self._worked(event)
        if self._commands:
            left = self._trucks.get(event.truck) if isinstance(event, TruckLeft) else None
            self._leaving = () if left is None else (left,)
            self._told(event, world)
        if isinstance(event, WorkEnded):
            self._forget(event.work, world)
        elif isinstance(event, TruckDocked) and event.station in world.trucks:
            truck = world.trucks[event.station]
            self._trucks[truck.id] = truck
        elif isinstance(event, TruckLeft):
            self._left(event, world)
        if self._every_ns and time_ns >= self._snapshot_ns:
            minute = self._snapshot_ns // MINUTE_NS
            while self._snapshot_ns <= time_ns:
                self._snapshot_ns += self._every_ns
            self._say("stock-snapshot", f"minute{minute:06}", snapshot(world))

    def end(self, seq: int, world: World) -> None:
        """The run is over; `seq`: one behind its last event."""
        self.seq, self._time_ns = seq, world.time_ns
        if self._opening is not None:
            self._opened(world)
        self._say("stock-snapshot", "end", snapshot(world))

    def take(self) -> list[Outgoing]:
        """What is to leave since it was last asked."""
        out, self._out = self._out, []
        return out

    def _say(self, kind: str, subject: str, content: dict[str, Any]) -> None:
        self._out.append(Outgoing(self.seq, kind, subject, self._time_ns, content))

    # --- the beginning ---------------------------------------------------------------------------

    def _opened(self, world: World) -> None:
        """What the run begins with, and what the host should know better."""
        bays, opening = world.site.roadmap.bays, self._opening or []
        self._opening = None
        rows = [
            {
                "tote": t.tote,
                "sku": t.sku,
                "quantity": t.quantity,
                "place": f"slot:{bays[t.bay].id}",
            }
            for t in opening
        ]
        self._say("stock-snapshot", "opening", {"totes": rows, "boxes": {}})
        if not self._trust:
            return
        listed = [_difference(each) for each in self._differences]
        self._say("reconciliation", "opening", {"trust": self._trust, "differences": listed})
        for each in self._differences if self._trust == "building" else ():
            changes = [{"sku": sku, "change": change} for sku, change in each.changes if change]
            self._say(
                "stock-adjustment",
                f"{each.tote}.{each.kind}",
                {"tote": each.tote, "cause": each.kind, "changes": changes}
                | ({"place": each.building.place} if each.building else {}),
            )

    # --- orders ----------------------------------------------------------------------------------

    def _received(self, event: OrderReceived, world: World) -> None:
        """Accepted, refused, or the same order once more."""
        if event.order_id in self._open:
            return
        closings = [c for c in self._commands if isinstance(c, CloseOrder)]
        mine = next((c for c in closings if c.order_id == event.order_id), None)
        kind = world.site.order_types.get(event.kind)
        known = _Known(event, brings=kind is not None and kind.brings)
        if mine is not None and mine.status == "refused":
            self._open[event.order_id] = known  # until its closing is told, in a moment
            return
        order = world.orders.get(event.order_id)
        if (
            known.brings and order is not None
        ):  # who saw it come may not have said what it is called
            known.event = event = msgspec.structs.replace(event, load=order.load)
        if mine is None and (order is None or order.state != "open"):
            return
        self._open[event.order_id] = known
        for line in order.lines if order is not None and known.brings else ():
            self._inbound[line.tote] = event.order_id
        self._say("order-accepted", event.order_id, _head(event, world))

    def _closed(self, command: CloseOrder, world: World) -> None:
        known = self._open.pop(command.order_id, None)
        if known is None:
            return
        content = _head(known.event, world) | {"status": command.status, "reason": command.reason}
        if command.status == "refused":
            asked = [{"sku": line.sku, "quantity": line.quantity} for line in known.event.lines]
            self._say("order-refused", command.order_id, content | {"lines": asked})
        elif known.brings:
            content["lines"] = [self._taken_in(line) for line in command.lines]
            self._say("inbound-receipt", command.order_id, content)
        else:
            content |= self._parcel(command.order_id, world)
            content["lines"] = _delivered(command.lines, known.totes)
            self._say(f"order-{command.status}", command.order_id, content)

    def _parcel(self, order_id: str, world: World) -> dict[str, Any]:
        """What its parcel is called, and the truck that has it."""
        order = world.orders.get(order_id)
        content = {"label": order.load} if order is not None and order.load else {}
        for truck in self._leaving:
            if order_id in truck.loaded:
                content |= {"truck": truck.id, "door": world.site.stations[truck.station].id}
        return content

    def _taken_in(self, line: LineResult) -> dict[str, Any]:
        """A line of a receipt: `received` is what the stock of record grows by."""
        self._inbound.pop(line.tote, None)
        counted = line.done if line.done >= 0 else None
        received = 0 if line.rejected else line.quantity if counted is None else counted
        row = {
            "sku": line.sku, "tote": line.tote, "announced": line.quantity, "counted": counted,
            "received": received, "discrepancy": (counted or 0) - line.quantity
            if counted is not None else 0,
        }  # fmt: skip
        if line.rejected:
            self._rejected[line.tote] = None
            row["rejected"] = line.rejected
        return row

    # --- stock -----------------------------------------------------------------------------------

    def _worked(self, event: WorkEnded) -> None:
        """Which tote a line was picked from, only who picked can say."""
        work = self._works.get(event.work)
        if work is None or work.capability != "pick" or event.quantity <= 0:
            return
        known = self._open.get(work.order_id)
        if known is not None:
            totes = known.totes.setdefault(work.sku, {})
            totes[work.load] = totes.get(work.load, 0) + min(event.quantity, work.quantity)

    def _forget(self, number: int, world: World) -> None:
        work = self._works.pop(number, None)
        if work is not None and work.capability == "discard" and work.order_id in self._open:
            self._open[work.order_id].totes.pop(work.sku, None)
        if len(self._works) > WORKS_MAX:
            self._works = {n: w for n, w in self._works.items() if n in world.works}

    def _told(self, event: Event, world: World) -> None:
        commands, self._commands = self._commands, []
        adjusted: dict[tuple[str, str], int] = {}
        for command in commands:
            if isinstance(command, AdjustStock) and self._counts(command):
                key = (command.tote, command.sku)
                adjusted[key] = adjusted.get(key, 0) + command.change
        for (tote, sku), change in adjusted.items():
            if change:
                self._adjust(tote, sku, change, event, world)
        for command in commands:
            if isinstance(command, CloseOrder):
                self._closed(command, world)

    def _counts(self, command: AdjustStock) -> bool:
        """What is on its way in is in the books by its receipt; what was rejected never was."""
        if command.tote in self._rejected:
            if command.gone:
                del self._rejected[command.tote]
            return False
        return command.tote not in self._inbound

    def _adjust(self, tote: str, sku: str, change: int, event: Event, world: World) -> None:
        work = self._works.get(event.work) if isinstance(event, WorkEnded) else None
        cause = work.capability if work is not None else type(event).__name__
        content: dict[str, Any] = {
            "tote": tote,
            "cause": cause,
            "changes": [{"sku": sku, "change": change}],
        }
        if work is not None:
            content["order_id"] = work.order_id
        known = world.stock.totes.get(tote)
        if known is not None:
            content["quantity"] = known.quantity
        self._say("stock-adjustment", f"{tote or 'box'}.{sku}", content)

    def _left(self, event: TruckLeft, world: World) -> None:
        truck = self._trucks.pop(event.truck, None)
        if truck is not None:
            content = {
                "truck": truck.id, "route": truck.route,
                "door": world.site.stations[truck.station].id, "orders": list(truck.loaded),
            }  # fmt: skip
            self._say("departure", truck.id, content)


def _head(event: OrderReceived, world: World) -> dict[str, Any]:
    """What an order is known by."""
    content: dict[str, Any] = {"order_id": event.order_id, "type": event.kind}
    if event.due_ns:
        content["due_s"] = round(event.due_ns / 1e9, 3)
    for key in ("route", "carrier", "load"):
        if getattr(event, key):
            content[key] = getattr(event, key)
    if event.stops:
        names = world.site.roadmap.node_ids
        content["stops"] = [names[node] if 0 <= node < len(names) else node for node in event.stops]
    return content


def _delivered(
    lines: tuple[LineResult, ...], totes: dict[str, dict[str, int]]
) -> list[dict[str, Any]]:
    """One row per SKU, however many totes it came from."""
    rows: dict[str, dict[str, Any]] = {}
    for line in lines:
        row = rows.setdefault(line.sku, {"sku": line.sku, "ordered": 0, "picked": 0, "totes": []})
        row["ordered"] += line.quantity
        row["picked"] += line.done
    for sku, row in rows.items():
        row["short"] = row["ordered"] - row["picked"]
        row["totes"] = [{"tote": t, "quantity": q} for t, q in totes.get(sku, {}).items()]
    return list(rows.values())


def _difference(each: Difference) -> dict[str, Any]:
    row: dict[str, Any] = {"kind": each.kind, "tote": each.tote}
    for key, held in (("host", each.host), ("building", each.building)):
        if held is not None:
            row[key] = {"sku": held.sku, "quantity": held.quantity, "place": held.place}
    return row


def snapshot(world: World) -> dict[str, Any]:
    """Every tote, and what is in orders' boxes."""
    return {
        "totes": [
            {
                "tote": tote.id, "sku": tote.sku, "quantity": tote.quantity,
                "reserved": tote.reserved, "place": place(world, tote.place),
            }
            for tote in world.stock.totes.values()
        ],
        "boxes": {order: dict(units) for order, units in world.stock.boxes.items()},
    }  # fmt: skip
