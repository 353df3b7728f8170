"""Who is no robot of the building and stands on its floor: a vehicle that can't join, a stranger,
one that says it is off the way that it holds.

For the check of poses it is an obstacle at once. If it stays, the lanes that would touch it are closed,
so that others are planned round it, and opened again when it has gone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from orchestrator.core.messages import Event, LaneClosed, LaneOpened
from orchestrator.gate.poses import Poses

STAYS_NS = 10_000_000_000
AGAIN_NS = 70_000_000_000  # after a restart everybody has been heard by then
SAME_M = 0.2
LANES_MAX = 300  # closed for all of them together


@dataclass(slots=True)
class Place:
    """Where somebody stands."""

    x: float
    y: float
    since_ns: int
    stays: bool
    lanes: list[int] | None = None  # closed for it; nothing: not yet


@dataclass(slots=True)
class Standing:
    """`shut` tells whether the core has the lane closed already."""

    poses: Poses
    shut: Callable[[int], bool]
    post: Callable[[Event], None]
    alarm: Callable[[str, str], None]
    _places: dict[str, Place] = field(default_factory=dict)
    _ours: dict[int, int] = field(default_factory=dict)  # lane -> for so many it is closed
    _before: dict[int, None] = field(default_factory=dict)  # closed before a restart
    _begun_ns: int = -1

    def seen(
        self, name: str, fleet: int, pose: tuple[float, float, float], now_ns: int, *, stays: bool
    ) -> None:
        """It is here. `stays`: nothing that is under way will change that."""
        x, y, theta = pose
        self.poses.other(name, fleet, x, y, theta)
        place = self._places.get(name)
        if place is None or math.hypot(place.x - x, place.y - y) > SAME_M:
            if place is not None:
                self._open(place)
            self._places[name] = Place(x, y, now_ns, stays)
        else:
            place.stays |= stays

    def gone(self, name: str) -> None:
        """It is a robot of the building now, is on its way again, or has signed off."""
        place = self._places.pop(name, None)
        if place is not None:
            self.poses.gone(name)
            self._open(place)

    def tick(self, now_ns: int) -> None:
        """Close lanes for those that stay."""
        if self._begun_ns < 0:
            self._begun_ns = now_ns
        for name, place in self._places.items():
            if place.stays and place.lanes is None and now_ns - place.since_ns >= STAYS_NS:
                self._close(name, place)
        if self._before and now_ns - self._begun_ns >= AGAIN_NS:
            for lane in self._before:
                self.post(LaneOpened(edge=lane))
            self._before.clear()

    def heard(self, event: Event) -> None:
        """What an operator closes or opens is no longer ours."""
        if isinstance(event, LaneClosed | LaneOpened) and event.request:
            self._ours.pop(event.edge, None)
            self._before.pop(event.edge, None)

    def restore(self, events: Iterable[Event]) -> None:
        """A journal is gone on with: these lanes were closed for somebody."""
        for event in events:
            match event:
                case LaneClosed(request=""):
                    self._before[event.edge] = None
                case LaneClosed() | LaneOpened():
                    self._before.pop(event.edge, None)

    def _close(self, name: str, place: Place) -> None:
        place.lanes = []
        for lane in self.poses.touched(name):
            ours = lane in self._ours or lane in self._before
            if len(self._ours) >= LANES_MAX or (self.shut(lane) and not ours):
                continue
            self._before.pop(lane, None)
            if not self.shut(lane):
                self.post(LaneClosed(edge=lane))
            self._ours[lane] = self._ours.get(lane, 0) + 1
            place.lanes.append(lane)
        if place.lanes:
            text = f"stands at {place.x:.2f}, {place.y:.2f}: {len(place.lanes)} lanes are closed"
            self.alarm(name, text)

    def _open(self, place: Place) -> None:
        for lane in place.lanes or ():
            left = self._ours.get(lane, 0) - 1
            if left > 0:
                self._ours[lane] = left
            elif self._ours.pop(lane, None) is not None:
                self.post(LaneOpened(edge=lane))
