"""What the host is told of: commands that end an order, or change what is in stock."""

from __future__ import annotations

import msgspec

from orchestrator.core.message import Message


class LineResult(msgspec.Struct, frozen=True, array_like=True):
    """What became of a line. `done`: units picked; of what came in: units counted (-1: nobody did).
    `rejected`: why this line alone did not succeed."""

    sku: str
    quantity: int
    done: int
    tote: str = ""
    rejected: str = ""


class CloseOrder(Message, frozen=True):
    """The order ended as done | quarantined | cancelled | refused."""

    order_id: str
    status: str
    reason: str = ""
    lines: tuple[LineResult, ...] = ()


class AdjustStock(Message, frozen=True):
    """Evidence changed the books by `change` units of `sku` in `tote` ("": in the box of an order).
    `gone`: the tote left the building with them."""

    tote: str
    sku: str
    change: int
    gone: bool = False
