"""Where a viewer is in a run: a clock that plays, pauses, jumps, or follows what is being written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

SPEED_MIN, SPEED_MAX = 0.1, 60.0
FOLLOW_MAX = 240.0  # a writer may be faster than anybody would watch by choice
CATCH_UP_S = 8.0
LOST_STRIDES = 6
BEHIND_STRIDES = 1.4


class Timeline(Protocol):
    """What a playhead needs to know of its run."""

    @property
    def edge_ns(self) -> int:
        """Newest time that can be shown."""

    @property
    def live(self) -> bool:
        """Is somebody writing?"""

    @property
    def pace(self) -> float:
        """Simulated seconds written per second."""

    @property
    def stride_ns(self) -> int:
        """Longest recent jump of the edge."""


@dataclass(slots=True)
class Playhead:
    """Time of the viewer; `advance` is told the real time and never asks a clock."""

    t_ns: int = 0
    speed: float = 1.0
    playing: bool = True
    following: bool = False
    jumped: bool = True  # the viewer has to get everything anew
    _last_s: float | None = None
    _follow_speed: float = 1.0

    @property
    def rate(self) -> float:
        """Simulated seconds per second at which time passes now."""
        if not self.playing:
            return 0.0
        return self._follow_speed if self.following else self.speed

    def seek(self, t_s: float, run: Timeline) -> None:
        """Jump; following ends."""
        self.t_ns = max(0, min(round(t_s * 1e9), run.edge_ns))
        self.following, self.jumped = False, True

    def follow(self, run: Timeline) -> None:
        """Go to what is being written, and stay with it."""
        self.following = self.playing = self.jumped = True
        self._follow_speed = max(1.0, min(run.pace, FOLLOW_MAX))
        self.t_ns = max(0, run.edge_ns - round(BEHIND_STRIDES * run.stride_ns))

    def set_speed(self, speed: float) -> None:
        """Another speed; following ends, for who follows has the writer's speed."""
        self.speed = min(SPEED_MAX, max(SPEED_MIN, speed))
        self.following = False

    def advance(self, now_s: float, run: Timeline) -> None:
        """Real time passed."""
        elapsed = 0.0 if self._last_s is None else max(0.0, now_s - self._last_s)
        self._last_s = now_s
        if self.following:
            self._steer(run)
        self.t_ns += round(elapsed * self.rate * 1e9)
        if self.t_ns >= run.edge_ns:
            self.t_ns = run.edge_ns
            if not run.live:  # the end
                self.playing, self.following = False, False

    def _steer(self, run: Timeline) -> None:
        """Keep some strides behind the edge, so that a writer in bursts looks steady."""
        behind_ns = run.edge_ns - round(BEHIND_STRIDES * run.stride_ns) - self.t_ns
        room = max(run.stride_ns, 10 * 10**9)
        if behind_ns > LOST_STRIDES * room:
            self.follow(run)
            return
        wanted = run.pace + behind_ns / 1e9 / CATCH_UP_S
        self._follow_speed = min(FOLLOW_MAX, max(0.0, wanted))
        if not run.live:
            self._follow_speed = max(1.0, self._follow_speed)
