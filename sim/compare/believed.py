"""A run without ground truth: what a live run's journal lets one believe happened.

Nobody records the truth of a real building. The journal is folded through the core once more; what the
core was told and what it commanded become the facts that a simulation would have recorded. Robots
drive a lane so that they arrive when they said so, and stand before that if there was time to; an order
is right when it was closed as done. Good for figures side by side; nothing is verified by it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from orchestrator.core import messages as m
from orchestrator.core.loop import Core
from orchestrator.journal.format import MOTION
from orchestrator.layout import LoadedSite, load_files
from sim.report.problems import BY_PERSON
from sim.scenario import robot_fact
from sim.verification import UnusableRun
from sim.verification.outcomes import Ledger
from sim.verification.tracks import Run

SPEED_SHARE = 0.9  # of its fleet's speed that a robot drives when nothing hinders it
FAULTS = {
    "robot_dead": "robot_dies",
    "robot_slipped": "robot_slips",
}  # as the simulation calls them
Fact = tuple[int, str, dict[str, Any]]


def of(run: Run) -> Run:
    """The run itself, or, where it holds no ground truth, what it lets one believe."""
    return run if next(iter(run.truth("robot")), None) is not None else BelievedRun(run)


class BelievedRun:
    """`sim.verification.tracks.Run` over a journal alone."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self.meta = run.meta

    def entries(self) -> Iterator[Any]:
        """Every event of the journal."""
        return self._run.entries()

    @cached_property
    def _folded(self) -> _Folding:
        recipe = self.meta.get("recipe") or {}
        if not recipe.get("files"):
            raise UnusableRun("the run holds no site files -> record it anew")
        folding = _Folding(load_files(recipe["files"], recipe.get("name", "site")))
        for entry in self._run.entries():
            folding.take(entry.time_ns, entry.event)
        if self.meta.get("status") == "closed":
            folding.tell("end", {})
        return folding

    def motion(self, from_ns: int = 0, to_ns: int = 2**62) -> NDArray[Any]:
        """Lanes driven, that touch the time span."""
        rows = np.array(self._folded.pieces, MOTION)
        touching = (rows["t0_ns"] + rows["dt_ns"] >= from_ns) & (rows["t0_ns"] <= to_ns)
        found: NDArray[Any] = rows[touching]
        return found

    def truth(self, kind: str | None = None) -> Iterator[Any]:
        """(seq, time_ns, kind, payload), as far as it can be known."""
        for seq, (time_ns, name, fact) in enumerate(self._folded.facts):
            if kind in (None, name):
                yield seq, time_ns, name, fact


def settle(ledger: Ledger) -> None:
    """Closed as done is right; what was set aside for lack of stock could not be filled; what ended
    with a person was touched."""
    for order in ledger.orders.values():
        order.wrong = False
        order.right_ns = order.closed_ns if order.closed_as == "done" else -1
        order.fillable = order.right_ns >= 0 or "no unit left" not in order.reason
    for _, fact in ledger.touches:
        for name in fact.get("orders", ()):
            if name in ledger.orders:
                ledger.orders[name].touched = True


class _Folding:
    """The core once more; facts and pieces of motion collect here."""

    def __init__(self, loaded: LoadedSite) -> None:
        self.facts: list[Fact] = []
        self.pieces: list[tuple[Any, ...]] = []
        self._loaded, self._site = loaded, loaded.site
        self._core = Core(loaded.site, self, record=lambda *_: None)
        self._now = 0
        self._names: dict[int, str] = {}
        self._fleets: dict[int, int] = {}
        self._stood: dict[int, tuple[int, float]] = {}  # robot -> since when, its heading
        self._down: dict[int, str] = {}  # robot -> kind of its fault
        self._places: dict[str, str] = {}  # load -> where
        self._actions: dict[tuple[int, int], m.StartAction] = {}
        self._works: dict[tuple[str, int], tuple[int, m.StartWork | m.RequestInference]] = {}

    def tell(self, kind: str, fact: dict[str, Any]) -> None:
        self.facts.append((self._now, kind, fact))

    def take(self, time_ns: int, event: m.Event) -> None:
        """An event of the journal."""
        self._now = time_ns
        self._event(event)
        self._core.handle(time_ns, event)

    def send(self, command: m.Command) -> None:
        """core.loop.Port"""
        match command:
            case m.StartAction(robot=robot, action=action):
                self._actions[robot, action] = command
            case m.StartWork(work=number):
                self._works.setdefault(("work", number), (self._now, command))
            case m.RequestInference(request=number) if command.station >= 0:
                self._works.setdefault(("look", number), (self._now, command))
            case m.CloseOrder(order_id=name, status=status, reason=reason):
                self.tell("order_closed", {"order_id": name, "status": status, "reason": reason})
            case m.NoteException():
                self.tell("exception", asdict_of(command))
                if command.phase == "ended" and command.how in BY_PERSON:
                    orders = [command.order_id] if command.order_id else []
                    self.tell("human_touched", {"robot": command.subject, "orders": orders})

    def _event(self, event: m.Event) -> None:
        match event:
            case m.RobotJoined():
                self._joined(event)
            case m.OrderReceived():
                self._received(event)
            case m.ToteStored(tote=tote, bay=bay):
                self._places[tote] = f"slot:{self._site.roadmap.bays[bay].id}"
            case m.NodeReached(robot=robot, edge=edge):
                self._drove(robot, edge)
            case m.ActionEnded(robot=robot, action=action, outcome=outcome):
                self._acted(robot, self._actions.pop((robot, action), None), outcome)
            case m.WorkEnded(work=number, outcome=outcome):
                self._worked(("work", number), outcome)
            case m.ImageRead(request=number, outcome=outcome):
                self._worked(("look", number), outcome)
            case m.TruckDocked(truck=truck, route=route, departs_ns=departs_ns, station=station):
                self.tell("truck_docked", {
                    "truck": truck, "station": self._site.stations[station].id, "route": route,
                    "departs_ns": departs_ns, "scheduled_ns": departs_ns,
                })  # fmt: skip
            case m.TruckLeft(truck=truck):
                self.tell("truck_departed", {"truck": truck, "loads": []})
            case m.RobotFaulted(robot=robot, kind=kind, reason=reason):
                self._down[robot] = word = FAULTS.get(kind, kind)
                self.tell("fault", {"kind": word, "robot": self._names[robot], "reason": reason})
            case m.RobotRecovered(robot=robot):
                word = self._down.pop(robot, "robot_dies")
                self.tell("fault_ended", {"kind": word, "robot": self._names[robot]})
            case m.StationFaulted(station=station, reason=reason):
                name = self._site.stations[station].id
                self.tell("fault", {"kind": "machine_down", "station": name, "reason": reason})
            case m.StationRecovered(station=station):
                name = self._site.stations[station].id
                self.tell("fault_ended", {"kind": "machine_down", "station": name})

    def _joined(self, event: m.RobotJoined) -> None:
        self._names[event.robot], self._fleets[event.robot] = event.name, event.fleet
        self._stood[event.robot] = (self._now, math.radians(event.heading_deg))
        self.tell("robot", robot_fact(self._loaded, event))

    def _received(self, event: m.OrderReceived) -> None:
        kind = self._site.order_types.get(event.kind)  # one that the site doesn't have is refused
        self.tell("order", {
            "order_id": event.order_id, "kind": event.kind, "due_ns": event.due_ns,
            "lines": [[line.sku, line.quantity] for line in event.lines], "route": event.route,
            "inbound": kind is not None and kind.brings,
        })  # fmt: skip

    def _drove(self, robot: int, edge: int) -> None:
        """It arrived now, having turned and driven, and stood before that. Driving takes as long as
        nine tenths of its speed, a start and a stop allow. Late reports that come together leave it no
        time: then it was just as fast as they say."""
        roadmap, fleet = self._site.roadmap, self._site.fleets[self._fleets[robot]]
        tail, head = roadmap.edge_tail[edge], roadmap.edge_head[edge]
        since, heading = self._stood[robot]
        body = math.radians(roadmap.edge_heading_deg[edge])
        limit = roadmap.edge_speed_mmps[edge] or fleet.speed_mmps
        length_m = roadmap.edge_length_mm[edge] / 1000
        most_ns = max(1, self._now - since)
        speed_mps = min(limit, fleet.speed_mmps) / 1000
        own_s = speed_mps / self._loaded.spec.fleets[fleet.id].acceleration_mps2
        drive_ns = min(most_ns, round((length_m / speed_mps / SPEED_SHARE + own_s) * 1e9))
        x, y = roadmap.node_x_mm[tail] / 1000, roadmap.node_y_mm[tail] / 1000
        dx, dy = roadmap.node_x_mm[head] / 1000 - x, roadmap.node_y_mm[head] / 1000 - y
        begin = self._now - drive_ns
        turn = math.remainder(body - heading, 2 * math.pi)
        turn_ns = min(most_ns - drive_ns, round(abs(math.degrees(turn)) * 1e9 / fleet.turn_degps))
        if turn_ns > 0 and abs(turn) > 1e-6:
            self.pieces.append(
                (
                    robot,
                    begin - turn_ns,
                    turn_ns,
                    x,
                    y,
                    heading,
                    0.0,
                    0.0,
                    0.0,
                    turn * 1e9 / turn_ns,
                )
            )
        self.pieces.append(
            (robot, begin, drive_ns, x, y, body, math.atan2(dy, dx),
             math.hypot(dx, dy) * 1e9 / drive_ns, 0.0, 0.0)
        )  # fmt: skip
        self._stood[robot] = (self._now, body)

    def _acted(self, robot: int, action: m.StartAction | None, outcome: str) -> None:
        if action is None or outcome != "ok" or action.kind not in ("pick", "drop"):
            return
        holder, bay = f"robot:{self._names[robot]}", action.bay
        place = ""
        if bay >= 0:
            row = self._site.roadmap.bays[bay]
            station = next((s.id for s in self._site.stations if bay in (s.bay, s.out_bay)), "")
            place = f"station:{station}" if station else f"{row.kind}:{row.id}"
        to = holder if action.kind == "pick" else place
        start = self._places.get(action.load, place) if action.kind == "pick" else holder
        self._places[action.load] = to
        self.tell("load_moved", {"load": action.load, "from": start, "to": to})

    def _worked(self, key: tuple[str, int], outcome: str) -> None:
        begun = self._works.pop(key, None)
        if begun is None:
            return
        since, command = begun
        self.tell("worked", {
            "station": self._site.stations[command.station].id, "capability": command.capability,
            "seconds": (self._now - since) / 1e9, "outcome": outcome,
        })  # fmt: skip


def asdict_of(command: m.NoteException) -> dict[str, Any]:
    """A message as a fact."""
    return {name: getattr(command, name) for name in command.__struct_fields__}
