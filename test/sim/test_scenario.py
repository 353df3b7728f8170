"""What a run begins with."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.core.messages import OrderReceived
from orchestrator.layout import LoadedSite, load_site
from sim.scenario import Options, ScenarioError, scenario

SITE = Path(__file__).parents[2] / "sites" / "jd_small"


@pytest.fixture(scope="module")
def loaded() -> LoadedSite:
    return load_site(SITE)


def test_every_robot_has_a_place_of_its_own_that_its_fleet_may_enter(loaded: LoadedSite) -> None:
    roadmap = loaded.site.roadmap
    robots = scenario(loaded, Options(seed=1)).robots
    assert [joined.robot for joined in robots] == list(range(40))
    assert len({joined.node for joined in robots}) == len({j.name for j in robots}) == 40
    for joined in robots:
        bay = roadmap.bays[roadmap.node_bay[joined.node]]
        assert bay.kind in ("parking", "charger") and bay.fleets >> joined.fleet & 1
        incoming = [edge for edge, head in enumerate(roadmap.edge_head) if head == joined.node]
        assert joined.heading_deg in {roadmap.edge_heading_deg[edge] for edge in incoming}
        assert 450 <= joined.battery_permille <= 1000


def test_opening_stock_fills_slots_by_the_seed(loaded: LoadedSite) -> None:
    def stock(seed: int) -> dict[int, str]:
        totes = scenario(loaded, Options(seed=seed)).totes
        assert len(totes) == loaded.spec.stock.totes
        assert {tote.quantity for tote in totes} == {loaded.spec.stock.units_per_tote}
        return {tote.bay: tote.sku for tote in totes}

    first = stock(1)
    assert first == stock(1) != stock(2)
    assert len(first) == loaded.spec.stock.totes and set(first.values()) == loaded.site.skus
    assert {loaded.site.roadmap.bays[bay].kind for bay in first} == {"slot"}


def test_orders_come_in_order_of_time_within_the_run(loaded: LoadedSite) -> None:
    orders = scenario(loaded, Options(seed=1, hours=2)).orders
    times = [time_ns for time_ns, _ in orders]
    assert times == sorted(times) and times[-1] < 2 * 3600 * 10**9
    assert {order.kind for _, order in orders} == {"inbound", "outbound"}
    assert len({order.order_id for _, order in orders}) == len(orders)
    docks = {loaded.site.stations[o.station].kind for _, o in orders if o.kind == "inbound"}
    assert docks == {"dock"}


def test_a_file_of_orders_takes_the_place_of_the_customers(loaded: LoadedSite) -> None:
    mine = [(5, OrderReceived(order_id="mine", kind="outbound"))]
    orders = scenario(loaded, Options(seed=1, orders=mine)).orders
    assert [o.order_id for _, o in orders if o.kind == "outbound"] == ["mine"]
    assert any(o.kind == "inbound" for _, o in orders)


def test_fleets_may_be_smaller_or_absent(loaded: LoadedSite) -> None:
    robots = scenario(loaded, Options(fleets={"tote_amr": 3, "sorter": 0})).robots
    assert [joined.name for joined in robots] == ["tote_amr-01", "tote_amr-02", "tote_amr-03"]


@pytest.mark.parametrize(
    ("fleets", "what"),
    [
        ({"forklift": 1}, "unknown fleet 'forklift' -> this site has tote_amr, sorter"),
        ({"tote_amr": 5000}, "5000 robots of tote_amr, but the layout has room for"),
        ({"sorter": -1}, "-1 robots of sorter"),
    ],
)
def test_what_can_not_begin_says_why(loaded: LoadedSite, fleets: dict[str, int], what: str) -> None:
    with pytest.raises(ScenarioError, match=what):
        scenario(loaded, Options(fleets=fleets))
