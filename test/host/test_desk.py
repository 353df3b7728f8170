"""What a host says over topics: each row is used or named, and each message answered by its id."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from whole_ring import whole_files

from orchestrator.api.host_desk import HostDesk
from orchestrator.api.host_outbox import HostOutbox
from orchestrator.api.host_types import (
    IN,
    Acknowledgement,
    GoodsLine,
    HostReply,
    ItemRow,
    Items,
    NoticeRow,
    Notices,
    Reconciliation,
    StockList,
    ToteRow,
)
from orchestrator.core.messages import (
    AnswerRequest,
    Event,
    HostAcknowledged,
    ItemsReceived,
    Line,
    Notice,
    NoticesReceived,
    ToteStored,
)
from orchestrator.core.site import Site
from orchestrator.core.step import step
from orchestrator.core.world import new_world
from orchestrator.layout import load_files

ROOT = "lightsout/v1/ring/host"
NOW_S = 100


@pytest.fixture(scope="module")
def site() -> Site:
    return load_files(whole_files(), "ring").site


class Desk:
    def __init__(self, site: Site) -> None:
        self.world = new_world(site)
        self.posted: list[Event] = []
        self.said: list[tuple[str, Any]] = []
        self.alarms: list[str] = []
        self.outbox = HostOutbox("ring", "r1", self._say, self.posted.append)
        self.desk = HostDesk(
            "ring", self.world, self.outbox, lambda _, text: self.alarms.append(text),
            lambda: NOW_S * 10**9,
        )  # fmt: skip

    def _say(self, topic: str, payload: bytes, *_: Any) -> bool:
        assert len(payload) < 1_000_000
        self.said.append((topic.removeprefix(f"{ROOT}/out/"), json.loads(payload)))
        return True

    def told(self, topic: str, message: Any) -> None:
        payload = message if isinstance(message, bytes) else msgspec.json.encode(message)
        assert self.desk.message(f"{ROOT}/in/{topic}", payload)

    def reply(self) -> HostReply:
        """The one that was given."""
        ((topic, raw),) = self.said
        assert topic == "replies"
        self.said.clear()
        return msgspec.convert(raw, HostReply)


def test_items_become_a_fact_and_the_core_s_answer_a_reply(site: Site) -> None:
    desk = Desk(site)
    rows = (ItemRow(sku="NEW", name="a", weight_g=2, min_units=3), ItemRow(sku="SKU-01"))
    desk.told("items", Items(request="m1", items=rows))
    (event,) = desk.posted
    assert isinstance(event, ItemsReceived) and [item.sku for item in event.items] == [
        "NEW",
        "SKU-01",
    ]
    assert event.items[0].weight_g == 2 and not desk.said, (
        "what is not in the journal is not promised"
    )
    (answer,) = step(desk.world, 0, event)
    assert desk.desk.command(answer)
    assert desk.reply() == HostReply("m1", True)


def test_items_may_stay_on_the_broker_and_nothing_else(site: Site) -> None:
    desk = Desk(site)
    items = msgspec.json.encode(Items(request="m1", items=(ItemRow(sku="NEW"),)))
    assert desk.desk.message(f"{ROOT}/in/items", items, retained=True) and desk.posted
    for topic in ("notices", "stock", "acks"):
        assert desk.desk.message(f"{ROOT}/in/{topic}", b"{}", retained=True)
    assert len(desk.alarms) == 3 and all("clear it" in text for text in desk.alarms)
    assert not desk.said


def test_answers_of_others_are_left_to_them(site: Site) -> None:
    assert not Desk(site).desk.command(AnswerRequest(request="m1", accepted=True))


def test_rows_that_are_wrong_are_named_and_the_others_used(site: Site) -> None:
    desk = Desk(site)
    rows = [{"sku": "A"}, {"sku": ""}, 7, {"sku": "A"}, {"sku": "B", "weight_g": -1}]
    desk.told("items", {"request": "m", "items": rows})
    (answer,) = step(desk.world, 0, desk.posted[0])
    desk.desk.command(answer)
    reply = desk.reply()
    assert reply.accepted and reply.reason == "some rows are left out"
    assert [row.split(": ")[0] for row in reply.rows] == ["row 2", "row 3", "row 4", "row 5"]
    assert all(" -> " in row for row in reply.rows)
    assert "A" in desk.world.skus and "B" not in desk.world.skus


def test_notices_are_read_as_those_of_files_are(site: Site) -> None:
    desk = Desk(site)
    dock = next(n for n, s in enumerate(site.stations) if s.kind == "dock")
    lines = (GoodsLine("SKU-01", 20), GoodsLine("SKU-02", 4))
    rows = (
        NoticeRow(notice_id="a1", lines=lines, in_s=60, dock=site.stations[dock].id, load="p"),
        NoticeRow(notice_id="a2", lines=lines[:1]),
    )
    desk.told("notices", Notices(request="m", notices=rows))
    (event,) = desk.posted
    both = (Line("SKU-01", 20), Line("SKU-02", 4))
    assert event == NoticesReceived(
        request="host:m", kind="inbound",
        notices=(
            Notice("a1", both, "p", dock, (NOW_S + 60) * 10**9),
            Notice("a2", both[:1], "a2", -1, NOW_S * 10**9),
        ),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ({"in_s": -1}, "in_s is -1"),
        ({"in_s": "soon"}, "in_s is no number"),
        ({"time_s": 60}, "write in_s"),
        ({"dock": "chute-9"}, "this site has: dock-6"),
        ({"lines": []}, "lines must be a list"),
        ({"lines": [{"sku": "SKU-01", "quantity": 0}]}, "quantity is 0"),
    ],
)
def test_a_notice_that_is_wrong_says_where(site: Site, row: Any, text: str) -> None:
    desk = Desk(site)
    good = {"notice_id": "n", "lines": [{"sku": "SKU-01", "quantity": 1}]}
    desk.told("notices", {"request": "m", "notices": [good | row]})
    reply = desk.reply()
    assert not reply.accepted and reply.reason == "no row can be used" and not desk.posted
    assert reply.rows[0].startswith("row 1: ") and text in reply.rows[0]


def stored(desk: Desk) -> list[ToteRow]:
    """Three totes, as a host that knows them would list them."""
    rows = []
    for number, slot in enumerate(list(desk.world.stock.free_slots)[:3]):
        step(desk.world, 0, ToteStored(tote=f"t{number}", sku="SKU-01", quantity=5, bay=slot))
        rows.append(ToteRow(f"t{number}", "SKU-01", 5, desk.world.site.roadmap.bays[slot].id))
    return rows


def test_a_stock_list_is_answered_by_what_differs(site: Site) -> None:
    desk = Desk(site)
    rows = stored(desk)
    desk.told("stock", StockList(request="m", totes=(*rows[:2], ToteRow("t9", "SKU-02", 1, "x"))))
    (topic, raw), _ = desk.said
    found = msgspec.convert(raw, Reconciliation)
    assert topic == "reconciliations" and (found.host, found.building) == (3, 3)
    assert [(each.kind, each.tote, each.changes) for each in found.differences] == [
        ("missing", "t9", (("SKU-02", -1),)),
        ("surplus", "t2", (("SKU-01", 5),)),
    ]
    desk.said = desk.said[1:]
    assert desk.reply() == HostReply("m", True) and not desk.posted


def test_a_part_of_a_list_and_a_tote_that_is_out(site: Site) -> None:
    desk = Desk(site)
    rows = stored(desk)
    desk.world.stock.totes["t0"].place = ("station", 0)  # it belongs to its slot all the same
    short = msgspec.structs.replace(rows[1], quantity=7)
    desk.told("stock", StockList(request="m", totes=(rows[0], short), complete=False))
    (difference,) = msgspec.convert(desk.said[0][1], Reconciliation).differences
    assert (difference.kind, difference.changes) == ("wrong_count", (("SKU-01", -2),))


def test_many_differences_come_in_pages(site: Site) -> None:
    desk = Desk(site)
    rows = tuple(ToteRow(f"x{number}", "SKU-01", 1, "s") for number in range(2500))
    desk.told("stock", StockList(request="m", totes=rows))
    pages = [msgspec.convert(raw, Reconciliation) for _, raw in desk.said[:-1]]
    assert [(each.page, each.pages, len(each.differences)) for each in pages] == [
        (1, 3, 1000), (2, 3, 1000), (3, 3, 500)
    ]  # fmt: skip


def test_what_can_not_be_acknowledged_is_an_alarm(site: Site) -> None:
    desk = Desk(site)
    desk.told("acks", Acknowledgement("another", 0))
    desk.told("acks", Acknowledgement("r1", 1))
    desk.told("acks", Acknowledgement("r1", -1))
    desk.told("acks", {"run": "r1", "number": "1"})
    assert len(desk.alarms) == 4 and not any(isinstance(e, HostAcknowledged) for e in desk.posted)
    assert "another" in desk.alarms[0] and "only 0 messages" in desk.alarms[1]


def test_without_an_id_nobody_can_be_answered(site: Site) -> None:
    desk = Desk(site)
    desk.told("items", {"items": [{"sku": "A"}]})
    assert not desk.said and not desk.posted and "id of its own" in desk.alarms[0]


@pytest.mark.parametrize(
    ("topic", "message", "mend"),
    [
        ("items", {"items": []}, '"items": [{...}]'),
        ("items", {"items": [{}] * 20_001}, "20000 at most"),
        ("notices", {"notices": [{}], "kind": "outbound"}, "add a dock"),
        ("stock", {"totes": [{}], "complete": "no"}, "truth value"),
    ],
)
def test_a_message_that_is_wrong_as_a_whole(
    site: Site, topic: str, message: Any, mend: str
) -> None:
    desk = Desk(site)
    desk.told(topic, {"request": "m"} | message)
    reply = desk.reply()
    assert not reply.accepted and mend in reply.reason and not desk.posted


def test_of_many_wrong_rows_the_first_are_named(site: Site) -> None:
    desk = Desk(site)
    desk.told("items", {"request": "m", "items": [{}] * 900})
    reply = desk.reply()
    assert len(reply.rows) == 51 and reply.rows[-1].startswith("and 850 more")


WORDS = st.sampled_from(
    ["a", "SKU-01", "dock-6", "", "1", "-1", "nan", "\0", "x" * 250, "é", "\ud800"]
)
VALUES = st.recursive(
    WORDS | st.integers() | st.floats() | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=5,
)
KEYS = st.sampled_from(
    ["sku", "quantity", "notice_id", "in_s", "time_s", "lines", "dock", "load", "tote", "slot",
     "min_units", "barcode"]
)  # fmt: skip
ROWS = st.lists(VALUES | st.dictionaries(KEYS, VALUES, max_size=7), max_size=4)
MESSAGES = st.fixed_dictionaries(
    {},
    optional={
        "request": st.just("m") | VALUES, "items": ROWS | VALUES, "notices": ROWS | VALUES,
        "totes": ROWS | VALUES, "kind": VALUES, "complete": VALUES, "run": VALUES, "number": VALUES,
    },
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(message=MESSAGES.map(lambda raw: json.dumps(raw).encode()) | st.binary(max_size=80))
def test_garbage_is_answered_and_raises_nothing(site: Site, message: bytes) -> None:
    desk = Desk(site)
    for topic in IN:
        desk.told(topic, message)
        assert desk.said or desk.posted or desk.alarms, topic
        for event in desk.posted:  # the core takes whatever the desk lets through
            for command in step(desk.world, 0, event):
                desk.desk.command(command)
        desk.said.clear(), desk.posted.clear(), desk.alarms.clear()
