"""Totes that wait for a slot because the house is full."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import yaml
from scenes import FLOW, ring_files
from test_flow import Story
from test_set_aside import Slow

from orchestrator.core import carry
from orchestrator.core.messages import Line, OrderReceived, ToteStored, WorkEnded
from orchestrator.layout import LoadedSite, load_files


def fill(story: Story) -> None:
    """Every slot is taken."""
    for slot in list(story.world.stock.free_slots):
        story.say(ToteStored(tote=f"f{slot}", sku="SKU-01", quantity=1, bay=slot))


def bring(story: Story, name: str, kind: str = "inbound") -> None:
    station = next(i for i, s in enumerate(story.loaded.site.stations) if s.kind == "dock")
    lines = (Line("SKU-01", 3),)
    story.say(
        OrderReceived(order_id=name, kind=kind, load=f"new-{name}", station=station, lines=lines)
    )


def empty(story: Story, slot: int) -> None:
    """The tote in the slot leaves the building."""
    story.world.stock.remove(story.world.stock.totes[story.world.stock.slot_owner[slot]])
    carry.slot_free(story.world, slot)


def waiting(story: Story) -> list[str]:
    return [token[0] for queue in story.world.stock.slot_waiters.values() for token in queue]


def two_fleets() -> LoadedSite:
    """Carts, which bring cases, get everywhere but into the first slot."""
    files = ring_files()
    layout = json.loads(files["layout.lif.json"])
    for edge in layout["layouts"][0]["edges"]:
        if "slot-0" not in (edge["startNodeId"], edge["endNodeId"]):
            both = edge["vehicleTypeEdgeProperties"]
            both.append(both[0] | {"vehicleTypeId": "cart"})
    fleets = load_site(files)["fleets"]
    cart = fleets["amr"] | {"robots": 1, "carries": ["case"]}
    flow: dict[str, Any] = deepcopy(FLOW)
    flow["cases"] = deepcopy(FLOW["inbound"])
    flow["cases"]["put_away"]["needs"] = "case"
    files = ring_files(flow=flow, fleets=fleets | {"cart": cart})
    return load_files(files | {"layout.lif.json": json.dumps(layout)}, "ring")


def load_site(files: dict[str, str]) -> dict[str, Any]:
    site: dict[str, Any] = yaml.safe_load(files["site.yaml"])
    return site


def test_a_slot_that_the_first_in_line_can_not_enter_goes_to_the_first_that_can() -> None:
    """Given a full house, a case and then two totes that wait, when a slot becomes free that carts
    don't get into, then the first tote is put away and the case stays first in line."""
    story = Story(totes=0, loaded=two_fleets())
    fill(story)
    bring(story, "case", "cases")
    bring(story, "a")
    bring(story, "b")
    assert waiting(story) == ["case", "a", "b"]
    bays = story.loaded.site.roadmap.bays
    slot = next(i for i, bay in enumerate(bays) if bay.kind == "slot" and bay.fleets == 1)
    empty(story, slot)
    assert waiting(story) == ["case", "b"]
    story.ticks(60)
    assert story.closed() == {"a": "done"}
    assert story.world.stock.totes["new-a"].place == ("slot", slot)


def no_way_out() -> LoadedSite:
    """Docks only check what comes in, and no station takes totes out of the building."""
    flow: dict[str, Any] = deepcopy(FLOW)
    put_away, stored = flow["inbound"]["put_away"], flow["inbound"]["stored"]
    flow["inbound"] = {
        "come": {"do": "work", "needs": "come", "then": ["weigh", "scan"]},
        "weigh": {"do": "work", "needs": "weigh", "then": ["put_away"]},
        "scan": {"do": "work", "needs": "scan", "then": ["put_away"]},
        "put_away": put_away,
        "stored": stored,
    }
    stations = load_site(ring_files())["stations"]
    for row in stations:
        if row["kind"] == "dock":
            row["capabilities"] = ["come", "weigh", "scan"]
    return load_files(ring_files(flow=flow, stations=stations), "ring")


def test_a_tote_that_waits_for_a_slot_is_sent_away_once() -> None:
    """Given a full house without a way out, when two checks of a tote fail one after the other, then
    one order waits to bring it into a slot; it does when one becomes free."""
    story = Slow(totes=0)
    Story.__init__(story, totes=0, loaded=no_way_out())
    fill(story)
    story.slow = {"weigh", "scan"}
    bring(story, "a")
    story.end("failed")
    assert story.closed() == {"a": "quarantined"} and len(waiting(story)) == 1
    work = story.works.popleft()
    story.say(WorkEnded(work=work.work, outcome="failed"))
    assert len(waiting(story)) == 1, "one order is enough"
    slot = next(iter(story.world.stock.slot_owner))
    empty(story, slot)
    story.ticks(60)
    tote = story.world.stock.totes["new-a"]
    assert tote.place == ("slot", slot) and tote.user is None
