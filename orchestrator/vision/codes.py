"""What is printed on a label: an id with two check digits (ISO 7064, MOD 97-10), and back.

`tote-0041` is printed as `tote-0041-NN`. Digits count as they are, A to Z as 10 to 35 in either
case (as in ISO 17442), separators not at all, and any other character by its code point. So what a
text reader does to case, spaces and dashes changes nothing, and what it does to one character, or
to two that it swaps, shows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import lru_cache

MARK = "-"
DIGITS = 2
LENGTH_MAX = 64

# A tote's label, in sides of its AprilTag (family 36h11) from the tag's upper left corner: the code
# is a square of CODE_SIDE at CODE_AT, the id in letters lies below both.
TAGS = 587  # in the family: totes are many more, so a tag tells where a label lies, not whose it is
CODE_AT = (1.25, 0.0)
CODE_SIDE = 1.0

_ALIKE = str.maketrans({"O": "0", "I": "1", "Q": "0", "L": "1"})  # in a worn print


def check(text: str) -> str:
    """The two digits that make `text` followed by them 1 modulo 97."""
    return f"{98 - int((_digits(text) or '0') + '00') % 97:02d}"


def printed(identity: str) -> str:
    """What a code on the label of `identity` holds."""
    return f"{identity}{MARK}{check(identity)}"


def human(identity: str) -> str:
    """The line of text below the code."""
    return printed(identity).upper()


def identity_of(text: str) -> str:
    """The id that a code holds; "" where it is none or its check digits don't fit."""
    identity, mark, digits = text.strip().rpartition(MARK)
    if not mark or len(text) > LENGTH_MAX + DIGITS + 1 or not _digits(identity):
        return ""
    return identity if digits == check(identity) else ""


def tag_of(identity: str) -> int:
    """The tag on the label of this id."""
    return int.from_bytes(hashlib.sha256(identity.encode()).digest()[:4], "big") % TAGS


def plain(text: str) -> str:
    """As a text reader may see it: letters and digits alone, in capitals."""
    return "".join(character for character in text.upper() if character.isalnum())


class Lookup:
    """Finds the one known id that a line of text means, never one that is merely near."""

    def __init__(self, known: Iterable[str]) -> None:
        self._exact: dict[str, set[str]] = {}
        self._alike: dict[str, set[str]] = {}
        for identity in known:
            whole = _whole(identity)
            self._exact.setdefault(whole, set()).add(identity)
            self._alike.setdefault(whole.translate(_ALIKE), set()).add(identity)

    def find(self, text: str) -> str:
        """The id whose print, check digits included, is this text; where there is none, the one
        whose print differs from it in O for 0, I or L for 1 alone. "" unless it is just one."""
        whole = plain(text)
        if len(whole) <= DIGITS:
            return ""
        found = self._exact.get(whole) or self._alike.get(whole.translate(_ALIKE), set())
        return next(iter(found)) if len(found) == 1 else ""


@lru_cache(maxsize=100_000)
def _whole(identity: str) -> str:
    """What a text reader sees of an id: known ids change one by one, and all are looked up together."""
    return plain(printed(identity))


def _digits(text: str) -> str:
    return "".join(_value(character) for character in text.upper() if character.isalnum())


def _value(character: str) -> str:
    if not character.isascii():
        return str(ord(character))
    return character if character.isdigit() else str(ord(character) - ord("A") + 10)
