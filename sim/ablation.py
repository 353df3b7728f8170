"""Ablation: the same seeds with one part of the orchestrator replaced or switched off at a time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from typing import Any

from sim.recipe import Recipe, with_settings
from sim.shell import Simulation
from sim.sweep import hash_of

VARIANTS: dict[str, dict[str, Any]] = {
    "as it is": {},
    "assignment nearest": {"policy.assignment": "nearest"},
    "assignment random": {"policy.assignment": "random"},
    "no soon-free robots": {"policy.soon_free": False},
    "parking nearest": {"policy.parking": "nearest"},
    "parking stay": {"policy.parking": "stay"},
    "charging threshold": {"policy.charging": "threshold"},
    "switching": {"policy.switching": True},
    "ways of the empty floor": {"policy.congestion_ms": 0},
}
COLUMNS = (
    "orders_per_hour", "late_percent", "cycle_p50_s", "cycle_p95_s", "metres_per_order",
    "waiting_percent", "switched",
)  # fmt: skip


@dataclass(slots=True)
class Tally:
    """A record that keeps only what the figures need. An order's way ends where robots have brought its
    parcel to: at a chute that hands it out, or at a door (`doors`), whenever the truck leaves."""

    doors: frozenset[str] = frozenset()
    received: dict[str, tuple[int, int]] = field(default_factory=dict)  # order -> came, due
    ended: dict[str, int] = field(default_factory=dict)  # order -> when
    parcels: dict[str, str] = field(default_factory=dict)  # parcel -> order

    def truth(self, time_ns: int, kind: str, payload: dict[str, Any]) -> None:
        """Orders of customers: when they came, and when they left the building."""
        if kind == "order" and not payload.get("inbound"):
            self.received[payload["order_id"]] = (time_ns, int(payload["due_ns"]))
        elif kind == "parcel_packed":
            self.parcels[payload["parcel"]] = payload["order_id"]
        elif kind == "load_moved" and payload["to"] in self.doors:
            self.ended.setdefault(self.parcels.get(payload["load"], ""), time_ns)
        elif kind == "parcel_delivered":
            self.ended.setdefault(payload["order_id"], time_ns)

    def append(self, entry: bytes, time_ns: int, seq: int) -> None:
        """sim.shell.Recorder"""

    def command(self, encoded: bytes) -> None:
        """sim.shell.Recorder"""

    def motion(self, row: Any) -> None:
        """sim.shell.Recorder"""

    def commit(self) -> None:
        """sim.shell.Recorder"""


@dataclass(slots=True)
class Looks:
    """Once a second: how many robots drive, and how many wait on their way."""

    driving: int = 0
    waiting: int = 0

    def __call__(self, simulation: Simulation) -> None:
        """sim.shell.Simulation.run's progress"""
        world = simulation.core.world
        for robot in world.robots:
            if not world.traffic.still(robot.index):
                self.driving += 1
            elif robot.goal >= 0 and not robot.stuck:
                self.waiting += world.traffic.tail[robot.index] != robot.goal

    @property
    def percent(self) -> float:
        """Waiting, of the time under way."""
        return round(100 * self.waiting / max(self.driving + self.waiting, 1), 2)


def one(recipe: Recipe) -> dict[str, Any]:
    """Simulate, and return the figures."""
    scenario, _ = recipe.scenario()
    stations = scenario.loaded.site.stations
    tally = Tally(frozenset(f"station:{row.id}" for row in stations if row.kind == "door"))
    simulation, looks = Simulation(scenario, tally), Looks()
    simulation.run(progress=looks)
    simulation.finish()
    cycles = sorted(
        (at - tally.received[name][0]) / 1e9
        for name, at in tally.ended.items()
        if name in tally.received
    )
    late = sum(
        at > tally.received[n][1] > 0 for n, at in tally.ended.items() if n in tally.received
    )
    metres = sum(robot.wear.driven_mm_all for robot in simulation.core.world.robots) / 1000
    count = len(cycles)
    return {
        "orders_per_hour": round(count / recipe.hours, 1),
        "late_percent": round(100 * late / max(count, 1), 2),
        "cycle_p50_s": round(cycles[count // 2], 1) if cycles else None,
        "cycle_p95_s": round(cycles[int(0.95 * (count - 1))], 1) if cycles else None,
        "metres_per_order": round(metres / max(count, 1), 1),
        "waiting_percent": looks.percent,
        "switched": simulation.core.world.traffic.switched,
    }


def run(
    recipe: Recipe,
    seeds: Iterable[int],
    variants: Iterable[str],
    results: Path | None,
    report: Callable[[dict[str, Any]], None],
) -> dict[str, dict[str, Any]]:
    """All variants on all seeds: medians by variant. What stands in the file `results` (JSON lines)
    for the same recipe, with every figure, is not run again."""
    key = hash_of(recipe)
    done = {
        (row["variant"], row["seed"]): row
        for row in _read(results)
        if row["key"] == key and row.keys() >= set(COLUMNS)
    }
    names, wanted = list(variants), list(seeds)
    for seed in wanted:  # seed by seed, so that variants are compared under the same load
        for name in names:
            if (name, seed) in done:
                continue
            figures = one(with_settings(replace(recipe, seed=seed), VARIANTS[name]))
            row = {"key": key, "variant": name, "seed": seed, **figures}
            done[name, seed] = row
            report(row)
            if results is not None:
                with results.open("a") as file:
                    file.write(json.dumps(row) + "\n")
    return {
        name: {column: _median([done[name, seed][column] for seed in wanted]) for column in COLUMNS}
        for name in names
    }


def _median(values: list[Any]) -> Any:
    known = [value for value in values if value is not None]
    return median(known) if known else None


def _read(results: Path | None) -> list[dict[str, Any]]:
    if results is None or not results.exists():
        return []
    rows = []
    for line in results.read_text().splitlines():
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError:
            continue  # the last line of a run that was killed
    return rows
