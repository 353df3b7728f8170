"""What a host says over topics: its items, loads that are to come, and what it has heard."""

from __future__ import annotations

import msgspec

from orchestrator.core.message import Line, Message
from orchestrator.core.request_messages import Request


class Item(msgspec.Struct, frozen=True, array_like=True):
    """One stock keeping unit; 0 or "" is not known."""

    sku: str
    name: str = ""
    weight_g: int = 0
    length_mm: int = 0
    width_mm: int = 0
    height_mm: int = 0
    barcode: str = ""
    min_units: int = 0  # fewer in the zone that is picked from: replenish; 0: the rule's own number


class Notice(msgspec.Struct, frozen=True, array_like=True):
    """A load that is to come, each line a tote of it. `station`: the dock (-1: any)."""

    notice_id: str
    lines: tuple[Line, ...]
    load: str
    station: int = -1
    expected_ns: int = 0


class ItemsReceived(Request, frozen=True):
    """The host's item master, or a part of it. `left_out`: rows that could not be read, and why."""

    items: tuple[Item, ...]
    left_out: tuple[str, ...] = ()


class NoticesReceived(Request, frozen=True):
    """The host announces loads that will be orders of type `kind` when they stand at a dock."""

    kind: str
    notices: tuple[Notice, ...]
    left_out: tuple[str, ...] = ()


class HostAcknowledged(Message, frozen=True):
    """The host has everything that it was told, up to message `number`."""

    number: int


class ExpectLoad(Message, frozen=True):
    """A load is to come. When it stands at a dock equipment says so by an `OrderReceived` of the same
    order_id (its lines may be left out: they are as announced here)."""

    order_id: str
    kind: str
    lines: tuple[Line, ...]
    load: str
    station: int = -1
    expected_ns: int = 0
