"""What a host says over topics, read and answered: items, notices, stock lists, acknowledgements.

`lightsout/v1/<site>/host/in/{items,notices,stock,acks}`; the answer comes on `host/out/replies`. Items
and notices become facts in the journal under the message's id, so one that comes twice is done once and
answered alike. A stock list is a question: the answer changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from orchestrator.api.equipment import QOS
from orchestrator.api.host_outbox import HostOutbox
from orchestrator.api.host_types import (
    Acknowledgement,
    HostReply,
    Reconciliation,
    StockDifference,
    StockHeld,
)
from orchestrator.api.naming import Unnamed
from orchestrator.api.published import root
from orchestrator.api.requests import id_of, object_of
from orchestrator.core.announcements import NAMED_MAX
from orchestrator.core.messages import (
    AnswerRequest,
    Command,
    ItemsReceived,
    NoticesReceived,
)
from orchestrator.core.world import World
from orchestrator.host import stock_list
from orchestrator.host.items import items_of
from orchestrator.host.notices import Reading, notices_of
from orchestrator.host.records import (
    BadRow,
    HostFileError,
    Table,
    Wrong,
    number_of,
    table_of,
)
from orchestrator.host.stock_list import Difference

MINE = "host:"  # before its ids in the journal: other people's requests may have the same
ROWS_MAX = 20_000  # of one message
IN_S_MAX = 1e6
DIFFERENCES = 1000  # in one message


class HostDesk:
    """The building's side."""

    def __init__(
        self,
        site_id: str,
        world: World,
        outbox: HostOutbox,
        alarm: Callable[[str, str], None],
        now_ns: Callable[[], int],
    ) -> None:
        """`now_ns`: the run's time. What goes out goes the outbox's way."""
        self._world, self._outbox = world, outbox
        self._publish, self._post = outbox.publish, outbox.post
        self._alarm, self._now_ns = alarm, now_ns
        self._out = f"{root(site_id)}/host/out"
        reading = f"{root(site_id)}/host/in"
        self._readers: dict[str, Callable[[str, dict[str, Any]], None]] = {
            f"{reading}/items": self._items,
            f"{reading}/notices": self._notices,
            f"{reading}/stock": self._stock,
        }
        self._acks_topic = f"{reading}/acks"

    def topics(self) -> list[str]:
        """What to subscribe to."""
        return [*self._readers, self._acks_topic]

    def command(self, command: Command) -> bool:
        """Tell an answer; False: it is none of the host's."""
        if not isinstance(command, AnswerRequest) or not command.request.startswith(MINE):
            return False
        rows = command.reason.split("\n") if command.reason else []
        self._reply(command.request.removeprefix(MINE), command.accepted, rows)
        return True

    def message(self, topic: str, payload: bytes, *, retained: bool = False) -> bool:
        """Something came in; False: it is not from the host. What can't be read is told; what the
        broker kept was said some other time, but items may well stay there."""
        read = self._readers.get(topic)
        if read is None and topic != self._acks_topic:
            return False
        if retained and read != self._items:
            if payload:
                self._alarm("host", f"{topic}: a retained message is ignored -> clear it")
            return True
        if read is None:
            self._acknowledged(payload)
            return True
        name = ""
        try:
            raw = object_of(payload)
            name = id_of(raw, required=True)
            read(name, raw)
        except (Unnamed, HostFileError) as error:
            if name:
                self._reply(name, False, [], str(error))
            else:
                self._alarm("host", f"{topic}: a message can't be read: {error}")
        return True

    def _reply(self, name: str, accepted: bool, rows: Sequence[str], reason: str = "") -> None:
        if rows and not reason:
            reason = "some rows are left out" if accepted else "no row can be used"
        self._say("replies", HostReply(name, accepted, reason, tuple(rows)))

    def _say(self, topic: str, message: msgspec.Struct) -> None:
        self._publish(f"{self._out}/{topic}", msgspec.json.encode(message), QOS, False)

    # --- items, notices --------------------------------------------------------------------------

    def _items(self, name: str, raw: dict[str, Any]) -> None:
        master, bad = items_of(_table(raw, "items"), "items")
        found = tuple(master.items.values())
        if found or not bad:
            self._post(ItemsReceived(request=MINE + name, items=found, left_out=_named(bad)))
        else:
            self._reply(name, False, _named(bad))

    def _notices(self, name: str, raw: dict[str, Any]) -> None:
        kind = raw.get("kind", "inbound")
        if not isinstance(kind, str):
            raise Unnamed("kind: is no text -> write a type of inbound orders, or leave it out")
        records, wrong = _table(raw, "notices")
        now_s = self._now_ns() / 1e9
        for record in list(records):
            try:
                record.values["time_s"] = now_s + _in_s(record.values)
            except Wrong as error:
                records.remove(record)
                wrong.append(BadRow("notices", record.line, error.text, error.mend))
        reading = Reading(self._world.site, kind, None)  # SKUs are looked at in the journal's order
        found, bad = notices_of((records, wrong), "notices", reading)
        if found or not bad:
            event = NoticesReceived(
                request=MINE + name, kind=kind, notices=tuple(found), left_out=_named(bad)
            )
            self._post(event)
        else:
            self._reply(name, False, _named(bad))

    # --- stock -----------------------------------------------------------------------------------

    def _stock(self, name: str, raw: dict[str, Any]) -> None:
        complete = raw.get("complete", True)
        if not isinstance(complete, bool):
            raise Unnamed("complete: is no truth value -> true, or false for a part of the list")
        host, bad = stock_list.stock_of(_table(raw, "totes"), "totes")
        building = stock_list.of_world(self._world)
        count = len(building)
        if not complete:
            building = {tote: building[tote] for tote in host if tote in building}
        found = [_difference(each) for each in stock_list.compare(host, building)]
        pages = max(1, -(-len(found) // DIFFERENCES))
        for page in range(pages):
            part = tuple(found[page * DIFFERENCES : (page + 1) * DIFFERENCES])
            self._say(
                "reconciliations",
                Reconciliation(name, self._outbox.made, len(host), count, part, page + 1, pages),
            )
        self._reply(name, bool(host) or not bad, _named(bad))

    # --- acknowledgements ------------------------------------------------------------------------

    def _acknowledged(self, payload: bytes) -> None:
        try:
            ack = msgspec.convert(object_of(payload), Acknowledgement)
        except (Unnamed, msgspec.ValidationError) as error:
            self._alarm("host", f"an acknowledgement can't be read: {error}")
            return
        wrong = f"run {ack.run[:40]!r}: this is run {self._outbox.run!r}"
        if ack.run == self._outbox.run:
            wrong = self._outbox.heard(ack.number)
        if wrong:
            self._alarm("host", f"an acknowledgement is ignored: {wrong}")


def _in_s(values: dict[str, Any]) -> float:
    """When a load is expected, from now."""
    if "time_s" in values:
        raise Wrong("time_s counts from the beginning of a file's run", "write in_s: from now")
    if values.get("in_s") in (None, ""):
        return 0.0
    seconds = number_of(values, "in_s")
    if not 0 <= seconds <= IN_S_MAX:
        raise Wrong(f"in_s is {seconds:g}", f"seconds from now, 0 to {IN_S_MAX:g}")
    return seconds


def _table(raw: dict[str, Any], key: str) -> Table:
    rows = raw.get(key)
    if not isinstance(rows, list) or not rows:
        raise Unnamed(f'{key}: is no list of rows -> write "{key}": [{{...}}]')
    if len(rows) > ROWS_MAX:
        raise Unnamed(
            f"{key}: {len(rows)} rows -> {ROWS_MAX} at most, the others in another message"
        )
    return table_of(rows, key)


def _named(bad: list[BadRow]) -> tuple[str, ...]:
    named = [f"row {row.line}: {row.text} -> {row.mend}" for row in bad[:NAMED_MAX]]
    if len(bad) > NAMED_MAX:
        named.append(f"and {len(bad) - NAMED_MAX} more -> mend these first")
    return tuple(named)


def _difference(each: Difference) -> StockDifference:
    host, building = (
        None if held is None else StockHeld(held.sku, held.quantity, held.place)
        for held in (each.host, each.building)
    )
    changes = tuple((sku, change) for sku, change in each.changes if change)
    return StockDifference(
        kind=each.kind, tote=each.tote, host=host, building=building, changes=changes
    )
