"""The books in words, for hosts and for the independent check at the end of a run."""

from __future__ import annotations

from typing import Any

from orchestrator.core import filing
from orchestrator.core.robots import Robot
from orchestrator.core.world import World


def books(world: World) -> dict[str, Any]:
    """Every tote with its place and units, every order with its state and reason."""
    return {
        "totes": {
            tote.id: {"sku": tote.sku, "quantity": tote.quantity, "place": place(world, tote.place)}
            for tote in world.stock.totes.values()
        },
        "wear": {robot.name: wear_of(robot) for robot in world.robots},
        "orders": {
            name: {"status": entry.state, "reason": entry.reason, "kind": entry.kind}
            | ({"internal": True} if entry.internal else {})
            for name, entry in filing.entries(world)
        },
    }


def wear_of(robot: Robot) -> dict[str, int]:
    """A robot's counters."""
    wear = robot.wear
    return {
        "driven_m": wear.driven_mm_all // 1000,
        "lifts": wear.lifts_all,
        "charges": wear.charges,
        "faults": wear.faults,
        "services": wear.services,
    }


def place(world: World, where: tuple[str, int]) -> str:
    """A place by its name: slot:<bay>, robot:<name>, station:<id>."""
    kind, index = where
    match kind:
        case "slot":
            return f"slot:{world.site.roadmap.bays[index].id}"
        case "robot":
            return f"robot:{world.robots[index].name}"
        case "station":
            return f"station:{world.site.stations[index].id}"
    return kind
