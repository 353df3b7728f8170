"""A story with machines that can be told to break, to keep silent, and to see bad things."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from scenes import FLOW
from test_flow import Story

from orchestrator.core.messages import (
    ImageRead,
    Line,
    NoteException,
    RecoverStation,
    RequestInference,
    StartWork,
    StationFaulted,
    StationRecovered,
    StationRepairFailed,
    WorkEnded,
)

KINDS = (
    "slot", "park", "pick", "slot", "park", "dock", "slot", "pick", "chute", "slot", "park", "charge",
)  # fmt: skip
BACK = {"tries": 3, "otherwise": "quarantine"}


def flow(**outbound: Any) -> dict[str, Any]:
    """The ring's flow with a discard step; `outbound` replaces keys of its steps."""
    kinds = deepcopy(FLOW)
    steps = kinds["outbound"]
    steps["verify"]["outcomes"] |= {
        "mismatch": {"then": "discard", **BACK}, "damaged": {"then": "discard", **BACK},
    }  # fmt: skip
    steps["discard"] = {
        "do": "work", "needs": "discard", "per_line": True,
        "outcomes": {"ok": {"then": "pick", **BACK}},
    }  # fmt: skip
    for name, values in outbound.items():
        steps[name] |= values
    return kinds


class Workshop(Story):
    """Three pick stations. Machines do what they are asked, unless something else is in `script`."""

    def __init__(self, totes: int = 2, quantity: int = 10, robots: int = 3, **site: Any) -> None:
        self.script: dict[str, list[Any]] = {}  # capability -> next answers; None: keeps silent
        self.slow: set[str] = set()  # capabilities that don't answer by themselves
        self.waiting: list[StartWork] = []
        stations = [
            {"match": "dock-*", "kind": "dock", "capabilities": ["receive"], "positions": 3},
            {"match": "pick-*", "kind": "pick", "out_bay": "out-*", "positions": 3,
             "capabilities": ["pick", "verify", "discard", "pack"], "out_capacity": 2},
            {"match": "chute-*", "kind": "chute", "capabilities": ["handout"], "positions": 3},
        ]  # fmt: skip
        bays = [
            {"match": "slot-*", "kind": "slot"}, {"match": "park-*", "kind": "parking"},
            {"match": "charge-*", "kind": "charger"}, {"match": "*", "kind": "station"},
        ]  # fmt: skip
        defaults = {"kinds": KINDS, "flow": flow(), "stations": stations, "bays": bays}
        super().__init__(totes, quantity, robots, **(defaults | site))

    def answer(self, command: object) -> list[object]:
        if isinstance(command, StartWork | RequestInference):
            rows = self.script.get(command.capability, [])
            if command.capability in self.slow and isinstance(command, StartWork):
                self.waiting.append(command)
                return []
            if rows:
                return self.scripted(command, rows.pop(0))
        return super().answer(command)

    def scripted(self, command: StartWork | RequestInference, row: Any) -> list[object]:
        if row is None:
            return []
        if isinstance(command, RequestInference):
            value = command.expected if row == "ok" else ""
            return [ImageRead(request=command.request, outcome=row, value=value)]
        values = {"outcome": row} if isinstance(row, str) else row
        return [WorkEnded(work=command.work, **values)]

    def picks_at(self) -> list[int]:
        return [i for i, s in enumerate(self.loaded.site.stations) if s.kind == "pick"]

    def pick_station(self, number: int = 0) -> int:
        return self.picks_at()[number]

    def breaks(self, station: int, capability: str, aborted: int = 0) -> None:
        self.waiting = [work for work in self.waiting if work.work != aborted]
        self.say(
            StationFaulted(station=station, capability=capability, reason="test", aborted=aborted)
        )

    def repaired(self, station: int, capability: str) -> None:
        self.say(StationRecovered(station=station, capability=capability))

    def repair_fails(self) -> None:
        ask = self.repairs()[-1]
        self.say(
            StationRepairFailed(station=ask.station, capability=ask.capability, attempt=ask.attempt)
        )

    def repairs(self) -> list[RecoverStation]:
        return [c for c in self.seen if isinstance(c, RecoverStation)]

    def asked(self, capability: str) -> list[StartWork]:
        rows = [c for c in self.seen if isinstance(c, StartWork)]
        return [c for c in rows if c.capability == capability]

    def funnel(self) -> dict[str, str]:
        """Every exception that ended: kind -> how (the last one of a kind)."""
        notes = [c for c in self.seen if isinstance(c, NoteException)]
        return {c.kind: c.how for c in notes if c.phase == "ended"}

    def order(self, name: str = "o1", *lines: Line) -> None:
        super().order(name, *(lines or (Line("SKU-01", 2),)))

    def until_asked(self, capability: str) -> StartWork:
        for _ in range(300):
            rows = [work for work in self.waiting if work.capability == capability]
            if rows:
                return rows[0]
            self.ticks(1)
        raise AssertionError(f"nobody was asked to {capability}")
