"""From what a model wrote to the value of a reading: ids and SKUs, never one that is merely near."""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache

from orchestrator.vision.codes import Lookup, identity_of
from orchestrator.vision.model import Question


def identity(text: str, question: Question) -> str:
    """The id whose print, check digits included, is this text; "" where there is none."""
    found = identity_of(text)
    if found and (found == question.expected or found in question.known):
        return found
    return _lookup(frozenset(question.known) | {question.expected}).find(text) or found


def article(text: str, question: Question) -> str:
    """The SKU that this text names; case and spaces around it don't matter."""
    wanted = question.expected
    if question.task == "verify_pick":
        wanted = wanted.rpartition(":")[0]
    candidates = frozenset(question.known) | {wanted}
    text = text.strip()
    if text in candidates:
        return text
    alike = [sku for sku in candidates if sku.casefold() == text.casefold()]
    return alike[0] if len(alike) == 1 else ""


@lru_cache(maxsize=4)
def _lookup(known: Collection[str]) -> Lookup:
    return Lookup(known)
