"""What somebody watches must stay readable, whatever one vehicle says."""

from __future__ import annotations

from collections.abc import Callable

SECOND_NS = 1_000_000_000
AT_ONCE = 30.0  # of one subject
EACH_S = 10.0  # then one in so many seconds


class Alarms:
    """Passes alarms on, of each subject so many; what is left out is said with the next one."""

    def __init__(self, alarm: Callable[[str, str], None], now_ns: Callable[[], int]) -> None:
        self._alarm, self._now_ns = alarm, now_ns
        self._room: dict[str, tuple[float, int]] = {}  # of a subject, and when that was so
        self._left_out: dict[str, int] = {}

    def __call__(self, subject: str, text: str) -> None:
        """One more."""
        now_ns = self._now_ns()
        room, since_ns = self._room.get(subject, (AT_ONCE, now_ns))
        room = min(AT_ONCE, room + max(0, now_ns - since_ns) / SECOND_NS / EACH_S)
        if room < 1:
            self._room[subject] = room, now_ns
            self._left_out[subject] = self._left_out.get(subject, 0) + 1
            return
        self._room[subject] = room - 1, now_ns
        count = self._left_out.pop(subject, 0)
        self._alarm(
            subject, f"{text} (and {count} alarms before that were left out)" if count else text
        )
