"""What the journal adds to the ground truth: charge, and the newest path plan of a robot."""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass, field

from orchestrator.core.messages import BatteryCrossed, Entry, PathsPlanned, RobotJoined
from orchestrator.web.tail import Batches

_PAIR = struct.Struct("<ii")
PLAN_AGE_NS = 20 * 10**9  # an older plan says nothing about now


@dataclass(slots=True)
class ReportIndex:
    """The journal, read batch by batch; only what the page shows is kept."""

    batches: Batches[list[Entry]]
    _times_ns: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    _permille: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))

    def add(self, number: int, from_ns: int, to_ns: int, entries: list[Entry]) -> None:
        """Take the next batch in."""
        for entry in entries:
            if isinstance(entry.event, BatteryCrossed | RobotJoined):
                self._times_ns[entry.event.robot].append(entry.time_ns)
                self._permille[entry.event.robot].append(entry.event.battery_permille)
        self.batches.add(number, from_ns, to_ns, entries)

    def battery_percent(self, robot: int, t_ns: int) -> float | None:
        """The last charge that the robot reported by then."""
        at = bisect_right(self._times_ns.get(robot, []), t_ns) - 1
        return self._permille[robot][at] / 10 if at >= 0 else None

    def route(self, robot: int, t_ns: int) -> list[int]:
        """Edges of the newest plan for this robot, in driving sequence."""
        for position in range(len(self.batches) - 1, -1, -1):
            if self.batches.from_ns[position] > t_ns:
                continue
            if self.batches.to_ns[position] < t_ns - PLAN_AGE_NS:
                break
            for entry in reversed(self.batches.read(position)):
                if entry.time_ns <= t_ns and isinstance(entry.event, PathsPlanned):
                    moves = entry.event.moves
                    whole = len(moves) - len(moves) % _PAIR.size
                    return [edge for who, edge in _PAIR.iter_unpack(moves[:whole]) if who == robot]
        return []
