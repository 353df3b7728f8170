"""Figures of a run, counted as it goes: what an event or a command says, and nothing twice."""

from __future__ import annotations

from collections import Counter, deque
from typing import NamedTuple

from orchestrator.api.published import Kpi
from orchestrator.api.robot_states import activity_of
from orchestrator.core.messages import (
    ClearLane,
    CloseOrder,
    Command,
    RecoverRobot,
    RecoverStation,
)
from orchestrator.core.world import World

MINUTE_NS = 60_000_000_000
WINDOW = 15  # minutes


class Traffic(NamedTuple):
    """What went through the connection so far, and what vehicles did."""

    received: int = 0
    sent: int = 0
    dropped: int = 0
    resent: int = 0  # VDA 5050 orders
    nodes: int = 0  # that vehicles passed
    stops: int = 0  # at so many of them they stood, because nobody had released more


class Kpis:
    """Of the orders that somebody outside waits for: not what is brought, nor what the core opened."""

    def __init__(self) -> None:
        self.alarms = 0
        self._counts: Counter[str] = Counter()
        self._late = 0
        self._untouched = 0  # done without a person
        self._touched: dict[str, None] = {}  # open orders for which a person entered
        self._minutes: deque[tuple[int, int]] = deque(maxlen=WINDOW + 1)  # minute, done in it
        self._before: tuple[int, Traffic] | None = None

    def command(self, world: World, command: Command, time_ns: int) -> None:
        """The core has given it."""
        match command:
            case CloseOrder():
                self._closed(world, command, time_ns)
            case RecoverRobot(maintenance=True):
                task = world.underway.get(world.robots[command.robot].task)
                own = () if task is None else (task.token[0],)
                self._touched.update(dict.fromkeys((*command.orders, *own)))
            case ClearLane(maintenance=True):
                self._touched.update(dict.fromkeys(command.orders))
            case RecoverStation(maintenance=True):
                state = world.stations[command.station]
                waiting = [token[0] for token in state.queues.get(command.capability, ())]
                work = world.works.get(state.running.get(command.capability, -1))
                running = () if work is None else (work[0],)
                self._touched.update(dict.fromkeys((*waiting, *running)))

    def _closed(self, world: World, command: CloseOrder, time_ns: int) -> None:
        touched = command.order_id in self._touched
        self._touched.pop(command.order_id, None)
        order = world.orders.get(command.order_id)
        kind = world.site.order_types.get(order.kind) if order is not None else None
        if kind is not None and kind.brings:
            return
        self._counts[command.status] += 1
        if command.status != "done":
            return
        self._untouched += not touched
        if order is not None and order.due_ns and time_ns > order.due_ns:
            self._late += 1
        minute = time_ns // MINUTE_NS
        if self._minutes and self._minutes[-1][0] == minute:
            self._minutes[-1] = minute, self._minutes[-1][1] + 1
        else:
            self._minutes.append((minute, 1))

    def figures(self, world: World, now: tuple[int, str], traffic: Traffic, real_ns: int) -> Kpi:
        """`now`: the run's time, and UTC. Looks at every robot and every open order."""
        time_ns, at = now
        kinds = world.site.order_types
        open_orders = [
            order
            for order in world.orders.values()
            if order.state == "open" and not order.internal and not kinds[order.kind].brings
        ]
        overdue = sum(0 < order.due_ns < time_ns for order in open_orders)
        counts = self._counts
        closed = counts["done"] + counts["quarantined"] + counts["refused"]
        in_per_s, out_per_s = self._rates(traffic, real_ns)
        return Kpi(
            at=at,
            t_s=round(time_ns / 1e9, 3),
            orders_open=len(open_orders),
            orders_done=counts["done"],
            orders_late=self._late + overdue,
            orders_quarantined=counts["quarantined"],
            orders_cancelled=counts["cancelled"],
            orders_refused=counts["refused"],
            orders_per_hour=self._per_hour(time_ns),
            lights_out_share=_share(self._untouched, closed),
            robots=dict(Counter(activity_of(world, robot) for robot in world.robots)),
            problems_open=len(world.problems),
            alarms=self.alarms,
            messages_in_per_s=in_per_s,
            messages_out_per_s=out_per_s,
            messages_dropped=traffic.dropped,
            orders_resent=traffic.resent,
            stop_and_go_share=_share(traffic.stops, traffic.nodes),
        )

    def _per_hour(self, time_ns: int) -> float | None:
        if time_ns < MINUTE_NS:
            return None
        minute = time_ns // MINUTE_NS
        done = sum(count for when, count in self._minutes if when > minute - WINDOW)
        return round(
            done / min(time_ns - (minute - WINDOW + 1) * MINUTE_NS, time_ns) * 60 * MINUTE_NS, 1
        )

    def _rates(self, traffic: Traffic, real_ns: int) -> tuple[float, float]:
        before_ns, before = self._before or (real_ns, traffic)
        self._before = real_ns, traffic
        seconds = max((real_ns - before_ns) / 1e9, 1e-3)
        received, sent = traffic.received - before.received, traffic.sent - before.sent
        return round(received / seconds, 1), round(sent / seconds, 1)


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
