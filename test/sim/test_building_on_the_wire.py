"""The same core as in the simulation, with only VDA 5050 and equipment messages between it and its
building: orders are done, nobody is touched, and the books agree with what happened."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from one_wire import Wire

from orchestrator.core.messages import CommandRefused, LaneCleared, RobotFaulted, RobotRecovered
from sim.recipe import Recipe, of_site

JD_SMALL = Path(__file__).parents[2] / "sites" / "jd_small"


def recipe(minutes: float, faults: dict[str, Any] | None = None) -> Recipe:
    """Of jd_small."""
    text = yaml.safe_dump({"format": 1} | faults) if faults else ""
    return of_site(JD_SMALL, seed=7, hours=minutes / 60, faults=text)


def test_orders_are_done_over_the_wire(tmp_path: Path) -> None:
    """Given jd_small behind topics, when customers order for five minutes, then parcels are delivered,
    every order the vehicles got was one they could take, and verification finds nothing."""
    wire = Wire(recipe(5), tmp_path / "wire.run").run(300)
    assert len(wire.core.world.robots) == 40
    done = Counter(order.state for order in wire.core.world.orders.values())["done"]
    done += sum(filed.state == "done" for filed in wire.core.world.filed.values())
    assert done >= 5
    assert not any(isinstance(event, CommandRefused) for event in wire.events)
    assert all(not agent.warnings for agent in wire.building.agents)
    assert wire.alarms == [] and wire.building.refused == 0
    verdict = wire.finish()
    assert verdict.clean, verdict.findings.as_json()


def test_robots_that_die_slip_and_stand_before_cartons_over_the_wire(tmp_path: Path) -> None:
    """Given faults of every kind, when they strike vehicles that speak VDA 5050, then they are told as
    errors, nobody touches them, and they come back by themselves."""
    cartons = [
        {"edge": "n+04+04-n+05+04", "after_s": 5},
        {"edge": "n+13+04-n+13+03", "after_s": 100},
    ]
    faults = {
        "robot_dies": {"at": [{"node": "n+05+04", "after_s": 60}], "restart_success": 1.0},
        "robot_slips": {"at": [{"node": "n+13+05", "after_s": 90}], "relocalise_success": 1.0},
        "lane_blocked": {"at": cartons, "clear_s": [20, 40], "clear_success": 1.0},
        "robot_nonsense": {"per_robot_hour": 2},
    }
    wire = Wire(recipe(6, faults), tmp_path / "wire.run", latency_ms=80.0).run(360)
    kinds = {event.kind for event in wire.events if isinstance(event, RobotFaulted)}
    assert {"robot_dead", "robot_slipped"} <= kinds
    assert sum(isinstance(event, RobotRecovered) for event in wire.events) >= 2
    assert any(isinstance(event, LaneCleared) for event in wire.events)
    verdict = wire.finish()
    assert verdict.figures["contact"]["contacts"] == 0
    assert verdict.clean, verdict.findings.as_json()


@pytest.mark.parametrize("payload", [b"", b"[]", b"{}", b"\xff", b"[" * 2000])
def test_what_equipment_can_not_read_is_counted(tmp_path: Path, payload: bytes) -> None:
    wire = Wire(recipe(1), tmp_path / "wire.run")
    wire.building.received(payload)
    wire.building.order_closed(payload)
    counted = 2 if payload else 1  # an empty status is one that is kept no longer
    assert wire.building.refused == counted
    wire.building.received(msgspec.json.encode({"type": "ClearLane", "edge": "no", "attempt": 1}))
    assert wire.building.refused == counted + 1
