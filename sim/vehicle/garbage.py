"""States that no vehicle should send, made from one that it did."""

from __future__ import annotations

import json
import random
from typing import Any

DEEP = 50_000
HUGE = (10**400, -1, 2**70, 1e308, -1e308)
WRONG: tuple[Any, ...] = (None, "seven", [], {}, True, -7, 3.5)


def not_utf8(state: bytes, chance: random.Random) -> bytes:
    """Bytes in a text that are none; in one that everybody must read."""
    begin = b'"lastNodeId":"'
    return state.replace(begin, begin + b"\xff\xfe\xc3\x28")


def nested(state: bytes, chance: random.Random) -> bytes:
    """A member as deep as no reader likes it."""
    return state[:-1] + b',"information":' + b"[" * DEEP + b"]" * DEEP + b"}"


def wrong_types(state: bytes, chance: random.Random) -> bytes:
    """Some members are something else."""
    raw = json.loads(state)
    for key in chance.sample(sorted(raw), 3):
        raw[key] = chance.choice([each for each in WRONG if type(each) is not type(raw[key])])
    return json.dumps(raw).encode()


def huge_numbers(state: bytes, chance: random.Random) -> bytes:
    """Numbers that can't be true."""
    raw = json.loads(state)
    for key in ("headerId", "orderUpdateId", "lastNodeSequenceId", "distanceSinceLastNode"):
        raw[key] = chance.choice(HUGE)
    return json.dumps(raw).encode()
