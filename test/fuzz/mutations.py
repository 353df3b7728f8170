"""Messages that are nearly right: JSON that stays JSON, and in which something is not as it should be.

Bytes changed at random mostly end at the first bracket; what lies behind the JSON reader is only found
by messages that get through it.
"""

from __future__ import annotations

import json
from copy import deepcopy
from random import Random
from typing import Any

ODD: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2, 7, 64, 1e300, -1e300, 0.5, 2**31, 2**53, 2**63, 2**64, -(2**63),
    10**40, "", "a", "0", "-1", "1e5", "nan", "inf", "null", "x" * 1025, "\u0000", "\ud83d\ude00", "é",
    [], {}, [[]], [{}], [None], {"": None}, [1, 2], "ONLINE", "OFFLINE", "HIBERNATING", "RUNNING",
    "FINISHED", "FAILED", "RETRIABLE", "MANUAL", "AUTOMATIC", "FATAL", "CRITICAL", "amr-1", "n",
    "r-a1", "r-0-1", "r-0-2", "orderError", "2026-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z",
    "0001-01-01T00:00:00+23:59",
)  # fmt: skip
Place = tuple[Any, Any]  # of a container: itself, and a key or an index


def mutated(data: bytes, chance: Random, parts: bytes = b"") -> bytes:
    """Another message like `data`. What stands before its JSON stays; `parts`: what divides several."""
    if parts and parts in data[1:]:
        rows = data[1:].split(parts)
        at = chance.randrange(len(rows))
        if chance.random() < 0.2:
            rows.insert(at, rows[chance.randrange(len(rows))])
        rows[at] = mutated(rows[at], chance)
        return data[:1] + parts.join(rows)
    begin = min((at for at in (data.find(b"{"), data.find(b"[")) if at >= 0), default=-1)
    if begin < 0:
        return data
    try:
        whole = json.loads(data[begin:])
    except (ValueError, RecursionError):
        return data
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        _change(whole, chance)
    return data[:begin] + json.dumps(whole).encode("utf-8", "surrogatepass")


def _places(value: Any, found: list[Place]) -> list[Place]:
    rows = value.items() if isinstance(value, dict) else enumerate(value)
    for key, each in rows if isinstance(value, dict | list) else ():
        found.append((value, key))
        if isinstance(each, dict | list):
            _places(each, found)
    return found


def _change(whole: Any, chance: Random) -> None:
    places = _places(whole, [])
    if not places:
        return
    inside, key = chance.choice(places)
    match chance.randrange(8):
        case 0:
            del inside[key]
        case 1:
            other, from_key = chance.choice(places)
            inside[key] = deepcopy(other[from_key])
        case 2 if isinstance(inside, dict):
            inside[str(chance.choice(places)[1])] = deepcopy(chance.choice(ODD))
        case 3 if isinstance(inside[key], list):
            inside[key] = [deepcopy(each) for each in inside[key] * chance.choice((2, 3, 50))]
        case 4:
            inside[key] = deepcopy(chance.choice(ODD))
        case _:  # another of its kind: it gets through, and is odd behind it
            kind = type(inside[key])
            same = [each for each in ODD if type(each) is kind] or ODD
            inside[key] = deepcopy(chance.choice(same))
