"""The whole small centre, simulated and verified: seeds with faults, and deaths in the lanes."""

from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.layout import load_site
from sim.recipe import of_lorr, of_site, with_faults
from sim.sweep import one

SITE = Path(__file__).parents[2] / "sites" / "jd_small"
ROADMAP = load_site(SITE).site.roadmap
CORE = [node for node in range(ROADMAP.nodes) if ROADMAP.node_bay[node] < 0]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [101, 202, 303])
def test_with_the_default_faults_every_order_that_can_be_filled_is(seed: int) -> None:
    result = one(with_faults(of_site(SITE, hours=1.0, seed=seed), "default"))
    assert result["findings"] == []
    assert result["figures"]["orders_done"] > 200


@pytest.mark.slow
@pytest.mark.parametrize("node", CORE[3::29])
def test_a_robot_that_dies_in_a_lane_stops_nobody_for_good(node: int) -> None:
    """Given a robot that dies at a node and stays an obstacle for three minutes, when others have
    been planned round it or waited behind it, then after its restart all orders are done in time."""
    faults = (
        f"format: 1\nrobot_dies:\n  at: [{{node: {ROADMAP.node_ids[node]}, after_s: 240}}]\n"
        "  restart_s: [180, 180]\n  restart_success: 1.0\n"
    )
    recipe = replace(of_site(SITE, hours=0.6, seed=5), faults=faults)
    result = one(recipe)
    assert result["findings"] == []
    assert result["figures"]["orders_done"] > 100


def test_a_robot_that_no_restart_brings_back_ends_in_maintenance_and_is_counted() -> None:
    node = ROADMAP.node_ids[CORE[20]]
    faults = (
        f"format: 1\nrobot_dies:\n  at: [{{node: {node}, after_s: 60}}]\n"
        "  restart_s: [5, 5]\n  restart_success: 0.0\n"
    )
    recipe = replace(of_site(SITE, hours=0.5, seed=3), faults=faults)
    result = one(recipe)
    assert [row for row in result["findings"] if "lights-out" not in row] == []
    assert result["figures"]["human_touches"] == 1


@pytest.mark.slow
def test_tasks_of_the_league_go_through_the_same_core(lorr: Path) -> None:
    result = one(of_lorr(lorr / "ws2e.domain" / "ws2e_100.json", hours=0.05))
    assert result["findings"] == []
    assert result["figures"]["orders_done"] > 100


@pytest.mark.slow
@pytest.mark.parametrize("seed", [11, 12])
def test_with_every_kind_of_machine_and_goods_fault_at_high_rates_all_ends_well(seed: int) -> None:
    """Given machines, chargers, picks, stock and answers that fail far more often than anywhere, when
    an hour has passed, then the books are the truth and no order is late or lost."""
    faults = (
        "format: 1\nrobot_dies: {per_robot_hour: 0.1}\n"
        "machine_down: {per_hour: 0.6, repair_s: [40, 200], repair_success: 0.7}\n"
        "charger_dies: {per_hour: 0.8, repair_s: [200, 1200]}\n"
        "pick_wrong: {share: 0.05}\nitem_damaged: {share: 0.05}\nitem_dropped: {share: 0.04}\n"
        "stock_wrong: {share: 0.2}\nanswer_lost: {share: 0.05}\n"
    )
    result = one(replace(of_site(SITE, hours=1.0, seed=seed), faults=faults))
    assert [row for row in result["findings"] if "lights-out" not in row] == []
    assert result["figures"]["orders_done"] > 150
