"""Who is never commanded, but may stand in the way; and how much anybody may say."""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.vda5050.codec import codec_of
from orchestrator.vda5050.control import recovering
from orchestrator.vda5050.control.sending import SECOND_NS, Desk
from orchestrator.vda5050.control.vehicle import Vehicle
from orchestrator.vda5050.errors import RemoteError
from orchestrator.vda5050.model import Connection, Position, State
from orchestrator.vda5050.quirks import quirks_of

STRANGERS_MAX = 1000
EACH_NS = SECOND_NS // 2  # more of a stranger's words are not looked at
BY_MAJOR = {"2": codec_of("2.1", quirks_of("lenient")), "3": codec_of("3.0", quirks_of("lenient"))}
Elsewhere = Callable[[str, int, Position | None, bool], None]


class Strangers:
    """`why`: manufacturer/serial -> why they are ignored."""

    def __init__(self, desk: Desk, elsewhere: Elsewhere) -> None:
        self._desk, self._elsewhere = desk, elsewhere
        self.why: dict[str, str] = {}
        self._next_ns: dict[tuple[str, str], int] = {}

    def met(self, name: str, reason: str) -> None:
        """Told once."""
        if name not in self.why and len(self.why) < STRANGERS_MAX:
            self.why[name] = reason
            self._desk.alarm(name, f"ignored: {reason}")

    def heard(self, name: str, major: str, topic: str, payload: bytes) -> None:
        """Where it says that it is, on this map."""
        now_ns = self._desk.now_ns
        if name not in self.why or now_ns < self._next_ns.get((name, topic), 0):
            return
        self._next_ns[name, topic] = now_ns + EACH_NS
        word = _word_of(major, topic, payload)
        if isinstance(word, State):
            self._elsewhere(name, -1, _place_in(word, self._desk.floor.map_id), True)
        elif word is not None and word.connection == "OFFLINE":
            self._elsewhere(name, -1, None, False)


def floods(desk: Desk, v: Vehicle) -> bool:
    """It says more than anybody has to say: what is too much is not even read."""
    limits = desk.limits
    gained = max(0, desk.now_ns - v.room_ns) / SECOND_NS * limits.messages_per_s
    v.room, v.room_ns = min(limits.messages_at_once, v.room + gained), desk.now_ns
    if v.room < 1:
        v.counts.flooded += 1
        recovering.odd(desk, v, f"is one of more than {limits.messages_per_s:g} in a second")
        return True
    v.room -= 1
    return False


def _word_of(major: str, topic: str, payload: bytes) -> State | Connection | None:
    codec = BY_MAJOR.get(major)
    if codec is None or topic not in ("state", "connection"):
        return None
    try:
        message = codec.decode(topic, payload)
    except RemoteError:
        return None
    return message if isinstance(message, State | Connection) else None


def _place_in(state: State, map_id: str) -> Position | None:
    """Nothing: it does not know, or is elsewhere."""
    place = state.position
    return place if place is not None and place.localized and place.map_id == map_id else None
