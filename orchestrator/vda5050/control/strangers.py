"""Who is never commanded, but may stand in the way."""

from __future__ import annotations

from orchestrator.vda5050.codec import codec_of
from orchestrator.vda5050.errors import RemoteError
from orchestrator.vda5050.model import Connection, Position, State
from orchestrator.vda5050.quirks import quirks_of

BY_MAJOR = {"2": codec_of("2.1", quirks_of("lenient")), "3": codec_of("3.0", quirks_of("lenient"))}


def word_of(major: str, name: str, payload: bytes) -> State | Connection | None:
    """What it says of itself, as far as it can be read."""
    codec = BY_MAJOR.get(major)
    if codec is None or name not in ("state", "connection"):
        return None
    try:
        message = codec.decode(name, payload)
    except RemoteError:
        return None
    return message if isinstance(message, State | Connection) else None


def place_in(state: State, map_id: str) -> Position | None:
    """Where it stands on this map; nothing: it does not know, or is elsewhere."""
    place = state.position
    return place if place is not None and place.localized and place.map_id == map_id else None
