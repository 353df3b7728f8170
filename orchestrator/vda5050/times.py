"""Timestamps: ISO 8601 in UTC, with milliseconds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from orchestrator.vda5050.errors import RemoteError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def text(time_ns: int) -> str:
    """As YYYY-MM-DDTHH:mm:ss.fffZ."""
    seconds, rest = divmod(time_ns, 1_000_000_000)
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{rest // 1_000_000:03d}Z"


def parse(value: str) -> int:
    """Nanoseconds since 1970. Offsets, fewer or more digits and a missing Z (then UTC) are accepted."""
    if len(value) > 40:
        raise RemoteError("timestamp", "is no timestamp: too long")
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise RemoteError("timestamp", f"{value!r} is none -> YYYY-MM-DDTHH:mm:ss.fffZ") from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    time_ns = (moment - EPOCH) // MICROSECOND * 1000
    if not -(2**63) < time_ns < 2**63:
        raise RemoteError("timestamp", f"{value!r} can't be true")
    return time_ns
