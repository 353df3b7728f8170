"""The base of every event and command."""

from __future__ import annotations

import msgspec


class Message(msgspec.Struct, frozen=True, kw_only=True, tag=True, omit_defaults=True):
    """Base of every event and command; the tag makes each record self-describing."""


class Line(msgspec.Struct, frozen=True, array_like=True):
    """One line of an order: so many units of one stock keeping unit."""

    sku: str
    quantity: int
