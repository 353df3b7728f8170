"""What a host (WMS) and the building say to each other over topics, as types. See docs/host-topics.md.

Rows that a host sends are read one by one (`orchestrator.host`), so that a bad one is named and the
others are used; their types here say what may stand in them.
"""

from __future__ import annotations

import msgspec

from orchestrator.api.published import root


class In(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the host says; `request` names the message: one that comes twice is done once."""

    request: str


class ItemRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An item; what is left out or empty is not known."""

    sku: str
    name: str = ""
    weight_g: int = 0
    length_mm: int = 0
    width_mm: int = 0
    height_mm: int = 0
    barcode: str = ""
    min_units: int = 0


class Items(In, frozen=True):
    """host/in/items: new items, or what is known now of old ones."""

    items: tuple[ItemRow, ...]


class GoodsLine(msgspec.Struct, frozen=True):
    """So many units of an item."""

    sku: str
    quantity: int


class NoticeRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A load that is to come, each line a tote. `in_s`: expected in so many seconds; `load`: its name
    (left out: the notice's); `dock`: a station (left out: any)."""

    notice_id: str
    lines: tuple[GoodsLine, ...]
    in_s: float = 0
    dock: str = ""
    load: str = ""


class Notices(In, frozen=True):
    """host/in/notices. `kind`: a type of orders that bring something (left out: inbound)."""

    notices: tuple[NoticeRow, ...]
    kind: str = "inbound"


class ToteRow(msgspec.Struct, frozen=True):
    """What the host believes of a tote; `slot`: where it belongs."""

    tote: str
    sku: str
    quantity: int
    slot: str


class StockList(In, frozen=True):
    """host/in/stock. Not `complete`: a part of the list; totes that it does not name are not told."""

    totes: tuple[ToteRow, ...]
    complete: bool = True


class Acknowledgement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """host/in/acks: the host has every message of this run up to `number`."""

    run: str
    number: int


class HostReply(msgspec.Struct, frozen=True):
    """host/out/replies. Not accepted: nothing was taken. `rows`: each one that was left out, and the
    mend."""

    request: str
    accepted: bool
    reason: str = ""
    rows: tuple[str, ...] = ()


class StockHeld(msgspec.Struct, frozen=True):
    """A tote's content, and where it belongs."""

    sku: str
    quantity: int
    place: str


class StockDifference(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """missing | surplus | wrong_sku | wrong_count | wrong_slot. `changes`: by how many units of which
    SKU the host's stock is to change."""

    kind: str
    tote: str
    host: StockHeld | None = None
    building: StockHeld | None = None
    changes: tuple[tuple[str, int], ...] = ()


class Reconciliation(msgspec.Struct, frozen=True):
    """host/out/reconciliations: the answer to a stock list. `after`: the number of the last message
    that is contained in it; later ones come on top."""

    request: str
    after: int
    host: int  # totes
    building: int
    differences: tuple[StockDifference, ...]
    page: int = 1
    pages: int = 1


class OutboxState(msgspec.Struct, frozen=True):
    """host/out/state, retained: messages made and acknowledged so far."""

    run: str
    made: int
    acknowledged: int


# --- numbered messages, each until it is acknowledged --------------------------------------------


class Out(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
):
    """`number` counts from 1 without a gap; `key` and `number` are the same whenever it is sent.
    `seq`: the event of the journal that it follows from; `time_s`: since the run began. `too_large`:
    the message's bytes where it could not be sent as it is: what it is about is left out."""

    key: str
    run: str
    number: int
    seq: int
    kind: str
    time_s: float
    too_large: int = 0


class PickedTote(msgspec.Struct, frozen=True):
    """Units that came from a tote."""

    tote: str
    quantity: int


class DeliveredLine(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A SKU of an order, or of one that was refused (`quantity`)."""

    sku: str
    ordered: int = 0
    picked: int = 0
    short: int = 0
    totes: tuple[PickedTote, ...] = ()
    quantity: int = 0


class Confirmation(Out, frozen=True):
    """host/out/confirmations: order-accepted | order-refused | order-done | order-quarantined |
    order-cancelled. `label`: what the parcel is called; `truck`: that it left with."""

    order_id: str
    type: str
    status: str = ""
    reason: str = ""
    due_s: float = 0
    route: str = ""
    carrier: str = ""
    load: str = ""
    label: str = ""
    truck: str = ""
    door: str = ""
    stops: tuple[str | int, ...] = ()
    lines: tuple[DeliveredLine, ...] = ()


class Departure(Out, frozen=True):
    """host/out/departures: a truck that left, and the orders on it."""

    truck: str
    route: str
    door: str
    orders: tuple[str, ...]


class ReceivedLine(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """`received`: what the stock of record grows by; `counted`: null where nobody counted."""

    sku: str
    tote: str
    announced: int
    counted: int | None
    received: int
    discrepancy: int
    rejected: str = ""


class Receipt(Out, frozen=True):
    """host/out/receipts: inbound-receipt: a load that came in."""

    order_id: str
    type: str
    status: str
    reason: str = ""
    load: str = ""
    due_s: float = 0
    route: str = ""
    carrier: str = ""
    lines: tuple[ReceivedLine, ...] = ()


class StockChange(msgspec.Struct, frozen=True):
    """So many units more (or less) of a SKU."""

    sku: str
    change: int


class Adjustment(Out, frozen=True):
    """host/out/stock: stock-adjustment: evidence changed the books. `quantity`: in the tote now."""

    tote: str
    cause: str
    changes: tuple[StockChange, ...]
    order_id: str = ""
    quantity: int | None = None
    place: str = ""


class SnapshotTote(msgspec.Struct, frozen=True, omit_defaults=True):
    """A tote with its units and place."""

    tote: str
    sku: str
    quantity: int
    place: str
    reserved: int = 0


class Snapshot(Out, frozen=True):
    """host/out/snapshots: stock-snapshot: all totes, in pages; what is in orders' boxes is on the
    first."""

    totes: tuple[SnapshotTote, ...]
    boxes: dict[str, dict[str, int]] = {}
    page: int = 1
    pages: int = 1


OUT: dict[str, type[Out]] = {
    "confirmations": Confirmation,
    "departures": Departure,
    "receipts": Receipt,
    "stock": Adjustment,
    "snapshots": Snapshot,
}
"""Topic below host/out -> type of its messages."""

IN: dict[str, type[msgspec.Struct]] = {
    "items": Items,
    "notices": Notices,
    "stock": StockList,
    "acks": Acknowledgement,
}
"""Topic below host/in -> type."""

_TOPICS = {
    "departure": "departures",
    "inbound-receipt": "receipts",
    "stock-adjustment": "stock",
    "stock-snapshot": "snapshots",
}


def topic_of(site: str, kind: str) -> str:
    """Where messages of a kind go."""
    return f"{root(site)}/host/out/{_TOPICS.get(kind, 'confirmations')}"
