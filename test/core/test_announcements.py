"""What a host tells before it is there: items that are usable at once, and loads that are to come."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from scenes import ring
from test_flow import Story
from whole_ring import whole_files

from orchestrator.core.messages import (
    AnswerRequest,
    CloseOrder,
    Entry,
    Event,
    ExpectLoad,
    HostAcknowledged,
    Item,
    ItemsReceived,
    Line,
    Notice,
    NoticesReceived,
    OrderCancelled,
    OrderReceived,
    ToteStored,
    decode_entry,
    encode,
)
from orchestrator.core.step import step
from orchestrator.core.world import World, new_world
from orchestrator.layout import load_files


@pytest.fixture
def world() -> World:
    return new_world(load_files(whole_files(), "ring").site)


def told(world: World, event: Event) -> list[Any]:
    """As it comes out of a journal."""
    event = decode_entry(encode(Entry(0, 0, event))).event
    return step(world, world.time_ns, event)


def station(world: World, kind: str) -> int:
    return next(n for n, s in enumerate(world.site.stations) if s.kind == kind)


def notice(name: str = "asn-1", sku: str = "SKU-01", **more: Any) -> Notice:
    return Notice(name, (Line(sku, 5), Line(sku, 6)), more.pop("load", f"pal-{name}"), **more)


def announce(
    world: World, request: str, *rows: Notice, left_out: tuple[str, ...] = ()
) -> list[Any]:
    event = NoticesReceived(request=request, kind="inbound", notices=rows, left_out=left_out)
    return told(world, event)


def test_an_item_that_the_host_tells_can_be_stored_and_ordered() -> None:
    story = Story(loaded=ring(robots=3, totes=2))
    lines = (Line("NEW", 2),)
    told(story.world, OrderReceived(order_id="early", kind="outbound", lines=lines))
    assert story.world.orders["early"].state == "refused"
    items = ItemsReceived(request="m", items=(Item("NEW", "a new one", weight_g=5, min_units=7),))
    (answer,) = told(story.world, items)
    assert answer == AnswerRequest(request="m", accepted=True)
    assert story.world.min_units["NEW"] == 7
    free = next(iter(story.world.stock.free_slots))
    story.say(ToteStored(tote="t-new", sku="NEW", quantity=3, bay=free))
    story.say(OrderReceived(order_id="late", kind="outbound", lines=lines))
    story.ticks(400)
    assert story.world.orders["late"].state == "done"
    assert story.world.stock.totes["t-new"].quantity == 1


def test_an_item_is_told_anew_and_forgets_its_own_minimum(world: World) -> None:
    told(world, ItemsReceived(request="1", items=(Item("SKU-01", min_units=9),)))
    assert world.min_units == {"SKU-01": 9}
    told(world, ItemsReceived(request="2", items=(Item("SKU-01"),)))
    assert world.min_units == {}


def test_a_load_that_is_announced_is_expected_and_comes_as_announced(world: World) -> None:
    expect, answer = announce(world, "m", notice(expected_ns=60))
    dock = station(world, "dock")
    assert expect == ExpectLoad(
        order_id="asn-1", kind="inbound", lines=(Line("SKU-01", 5), Line("SKU-01", 6)),
        load="pal-asn-1", expected_ns=60,
    )  # fmt: skip
    assert answer == AnswerRequest(request="m", accepted=True)
    told(world, OrderReceived(order_id="asn-1", kind="inbound", station=dock))
    order = world.orders["asn-1"]
    assert (order.state, order.station, order.load) == ("open", dock, "pal-asn-1")
    assert [line.quantity for line in order.lines] == [5, 6] and not world.expected


def test_who_sees_it_come_may_know_better(world: World) -> None:
    announce(world, "m", notice())
    came = OrderReceived(
        order_id="asn-1", kind="inbound", station=station(world, "dock"), load="pal-x",
        lines=(Line("SKU-02", 1),),
    )  # fmt: skip
    told(world, came)
    assert [(line.sku, line.open) for line in world.orders["asn-1"].lines] == [("SKU-02", 0)]


def test_a_message_that_comes_twice_is_answered_alike_and_done_once(world: World) -> None:
    rows = (notice(), notice("asn-2", "NO-SUCH"), notice("asn-3", station=99))
    first = announce(world, "m", *rows, left_out=("row 4: is no JSON object -> mend it",))
    assert [type(c) for c in first] == [ExpectLoad, AnswerRequest]
    assert first[-1].accepted
    assert first[-1].reason.split("\n") == [
        "row 4: is no JSON object -> mend it",
        "asn-2: unknown SKU 'NO-SUCH': add it to the site's item master",
        "asn-3: unknown station 99",
    ]
    told(world, ItemsReceived(request="i", items=(Item("NO-SUCH"),)))
    assert announce(world, "m", *rows) == [first[-1]], "what it was, not what it would be now"
    assert list(world.expected) == ["asn-1"]


def test_of_many_that_are_left_out_the_first_are_named(world: World) -> None:
    rows = [notice(f"n{number}", "NO-SUCH") for number in range(300)]
    (answer,) = announce(world, "m", *rows)
    lines = answer.reason.split("\n")
    assert len(lines) == 51 and lines[-1].startswith("and 250 more")


def test_nothing_of_it_is_no(world: World) -> None:
    (answer,) = announce(world, "m", notice("a", "NO-SUCH"))
    assert not answer.accepted and not world.expected


def test_a_notice_is_another_one_until_its_load_is_there(world: World) -> None:
    announce(world, "1", notice())
    expect, _ = announce(world, "2", msgspec.structs.replace(notice(), lines=(Line("SKU-02", 8),)))
    assert expect.lines == (Line("SKU-02", 8),)
    told(world, OrderReceived(order_id="asn-1", kind="inbound", station=station(world, "dock")))
    assert [line.sku for line in world.orders["asn-1"].lines] == ["SKU-02"]
    (answer,) = announce(world, "3", notice())
    assert answer.accepted and not world.expected, "it is there already"


def test_a_notice_is_withdrawn_as_an_order_is(world: World) -> None:
    announce(world, "1", notice())
    (answer,) = told(world, OrderCancelled(request="2", order_id="asn-1"))
    assert answer.accepted and not world.expected
    (answer,) = told(world, OrderCancelled(request="3", order_id="asn-1"))
    assert not answer.accepted


def test_loads_of_one_name_are_told_apart_at_the_dock(world: World) -> None:
    announce(world, "1", notice("a", load="same"), notice("b", load="same"))
    dock = station(world, "dock")
    told(world, OrderReceived(order_id="a", kind="returns", station=dock, load="same",
                              lines=(Line("SKU-01", 1),)))  # fmt: skip
    found = told(world, OrderReceived(order_id="b", kind="inbound", station=dock, load="same",
                                      lines=(Line("SKU-01", 1),)))  # fmt: skip
    (closing,) = [each for each in found if isinstance(each, CloseOrder)]
    assert closing.status == "refused" and "in the building already" in closing.reason


def test_what_the_host_acknowledges_changes_nothing(world: World) -> None:
    assert told(world, HostAcknowledged(number=3)) == []
