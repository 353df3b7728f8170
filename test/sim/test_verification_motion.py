"""Hand-made trajectories: what is wrong must be found, what is right must not be."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
import shapely
from shapely import affinity

from sim.verification import Verdict, verify
from sim.verification.memory import MemoryRun
from sim.verification.polygons import convex_parts, distance, padded, placed
from sim.verification.tracks import read_tracks


def closed(run: MemoryRun, end_s: float) -> Verdict:
    run.fact(end_s, "end")
    run.meta["books"] = {"totes": {}, "orders": {}}
    return verify(run)


def passing(gap_m: float) -> MemoryRun:
    """A robot turns in place beside another; its corner comes nearest at 45 degrees or so, far from
    any whole second and any piece's end."""
    run = MemoryRun()
    reach = math.hypot(0.5, 0.3)
    run.robot(0, (0.0, 0.0, 0.0))
    run.robot(1, (reach + 0.3 + gap_m, 0.0, math.pi / 2))  # its long side faces the first
    run.move(0, (0.37, math.pi / 2), (0.0, 0.0, 0.0), omega=1.0)
    return run


def test_a_graze_between_samples_is_found() -> None:
    verdict = closed(passing(-0.001), 4)
    (row,) = verdict.figures["contact"]["contact_rows"]
    assert row["robots"] == ["r0", "r1"]
    nearest = 0.37 + math.atan2(0.3, 0.5)
    assert row["from_s"] < nearest < row["to_s"] + 0.01
    assert row["to_s"] - row["from_s"] < 0.15
    assert row["distance_m"] == pytest.approx(-0.001, abs=2e-4)
    assert verdict.findings.counts == {"contact": 1}


def test_a_near_miss_is_none_and_its_clearance_is_exact() -> None:
    verdict = closed(passing(0.005), 4)
    assert verdict.clean
    assert verdict.figures["contact"]["clearance_m"] == pytest.approx(0.005, abs=1e-3)
    nearest = 0.37 + math.atan2(0.3, 0.5)
    assert verdict.figures["contact"]["clearance_s"] == pytest.approx(nearest, abs=0.1)


def test_robots_that_cross_at_full_speed_between_seconds() -> None:
    """At right angles through one point, 20 ms apart at their nearest: a contact of an instant."""
    run = MemoryRun()
    thin = [[0.01, 0.01], [-0.01, 0.01], [-0.01, -0.01], [0.01, -0.01]]
    for index, theta, early in ((0, 0.0, 0.0), (1, math.pi / 2, 0.005)):
        x, y = -5 * math.cos(theta), -5 * math.sin(theta)
        run.robot(index, (x, y, theta), speed_mps=20.0, acceleration_mps2=1e4, footprint=thin)
        run.move(index, (0.5 + early, 0.002), (x, y, theta), theta, a=1e4)
        at = -5 + 0.02
        start = (at * math.cos(theta), at * math.sin(theta), theta)
        run.move(index, (0.502 + early, 0.4), start, theta, v=20.0)
    verdict = closed(run, 0.9)
    assert verdict.findings.counts["contact"] == 0
    run.pieces = [(p[0], p[1] - (5_000_000 if p[0] == 1 else 0), *p[2:]) for p in run.pieces]
    run.facts = [fact for fact in run.facts if fact[1] != "end"]
    assert closed(run, 0.9).findings.counts["contact"] == 1


def test_standing_robots_that_overlap_are_one_contact() -> None:
    run = MemoryRun()
    run.robot(0, (0.0, 0.0, 0.0))
    run.robot(1, (0.9, 0.0, 0.0))
    run.robot(2, (3.0, 0.0, 0.0))
    verdict = closed(run, 20)
    (row,) = verdict.figures["contact"]["contact_rows"]
    assert (row["from_s"], row["to_s"]) == (0.0, pytest.approx(20.0, abs=0.01))
    assert row["distance_m"] == pytest.approx(-0.1)


def test_a_hollow_footprint_lets_another_robot_in() -> None:
    """A U-shaped robot: what its hull would touch, it does not."""
    fork = [[1, 1], [-1, 1], [-1, -1], [1, -1], [1, -0.6], [-0.6, -0.6], [-0.6, 0.6], [1, 0.6]]
    run = MemoryRun()
    run.robot(0, (0.0, 0.0, 0.0), footprint=fork)
    run.robot(1, (0.3, 0.0, 0.0))
    verdict = closed(run, 2)
    assert verdict.clean
    assert verdict.figures["contact"]["clearance_m"] == pytest.approx(0.3)


def drive(run: MemoryRun, **changes: float) -> None:
    """r0 drives 3 m: speeds up at 1 m/s2, cruises at 1 m/s, brakes."""
    run.robot(0, (0.0, 0.0, 0.0), **changes)
    run.move(0, (1.0, 1.0), (0.0, 0.0, 0.0), a=1.0)
    run.move(0, (2.0, 2.0), (0.5, 0.0, 0.0), v=1.0)
    run.move(0, (4.0, 1.0), (2.5, 0.0, 0.0), v=1.0, a=-1.0)


def test_a_right_drive_is_clean() -> None:
    run = MemoryRun()
    drive(run)
    assert closed(run, 6).clean


@pytest.mark.parametrize(
    ("limit", "kind"),
    [("speed_mps", "speed"), ("acceleration_mps2", "acceleration")],
)
def test_limits(limit: str, kind: str) -> None:
    run = MemoryRun()
    drive(run, **{limit: 0.999})
    assert set(closed(run, 6).findings.counts) == {kind}


def test_turn_rate() -> None:
    run = MemoryRun()
    run.robot(0, (0.0, 0.0, 0.0), turn_radps=1.0)
    run.move(0, (1.0, 1.0), (0.0, 0.0, 0.0), omega=-1.001)
    assert set(closed(run, 6).findings.counts) == {"turn rate"}


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ((1, "t0_ns", -1000), "overlap"),
        ((1, "x_m", 0.0011), "teleport"),
        ((1, "y_m", -0.0011), "teleport"),
        ((1, "theta_rad", 0.0011), "teleport"),
        ((1, "v_mps", 0.01), "acceleration"),
        ((0, "robot", 6), "motion"),
        ((1, "x_m", math.nan), "motion"),
    ],
)
def test_breaks(change: tuple[int, str, float], kind: str) -> None:
    run = MemoryRun()
    drive(run)
    names = ("robot", "t0_ns", "dt_ns", "x_m", "y_m", "theta_rad", "direction_rad", "v_mps")
    row, name, amount = change
    piece = list(run.pieces[row])
    piece[names.index(name)] += amount
    run.pieces[row] = tuple(piece)
    assert closed(run, 6).findings.counts[kind] >= 1


def test_a_robot_that_stops_dead() -> None:
    run = MemoryRun()
    drive(run)
    del run.pieces[2]
    run.move(0, (5.0, 1.0), (2.5, 0.0, 0.0), omega=1.0)
    assert closed(run, 7).findings.counts == {"acceleration": 1}


def test_a_robot_that_is_nowhere_else_at_the_end() -> None:
    """Moving when last seen, and yet the run goes on."""
    run = MemoryRun()
    drive(run)
    del run.pieces[2]
    assert closed(run, 7).findings.counts == {"acceleration": 1}


def wander(chance: random.Random, run: MemoryRun, index: int) -> None:
    """Turns and drives at random; often near the others."""
    x, y, theta = chance.uniform(0, 4), chance.uniform(0, 4), chance.uniform(-3, 3)
    run.robot(index, (x, y, theta))
    time_s = chance.uniform(0, 0.5)
    while time_s < 8:
        half = chance.uniform(0.3, 0.8)
        direction = theta if chance.random() < 0.7 else theta + math.pi
        for v, a in ((0.0, 1.0), (half, -1.0)):
            run.move(index, (time_s, half), (x, y, theta), direction, v=v, a=a)
            way = v * half + a * half * half / 2
            x, y = x + way * math.cos(direction), y + way * math.sin(direction)
            time_s += half
        left, omega = chance.uniform(0.2, 1.0), chance.choice((-1.5, 1.5))
        run.move(index, (time_s, left), (x, y, theta), omega=omega)
        theta += omega * left
        time_s += left


@pytest.mark.parametrize("seed", range(12))
def test_against_dense_sampling(seed: int) -> None:
    """Three robots wander; shapely at every 2 ms is the judge."""
    chance = random.Random(seed)
    run = MemoryRun()
    for index in range(3):
        wander(chance, run, index)
    verdict = closed(run, 6)
    contact = verdict.figures["contact"]
    tracks = read_tracks(run)
    times = np.arange(0, 6_000_000_001, 2_000_000)
    shapes = []
    for row in range(3):
        x, y, theta = tracks.pose(np.full(len(times), row), times)
        outline = np.repeat(tracks.robots[row].footprint_m[None], len(times), axis=0)
        shapes.append(shapely.polygons(placed(outline, x, y, theta)))
    least = {}
    for a, b in ((0, 1), (0, 2), (1, 2)):
        least[f"r{a} and r{b}"] = float(shapely.distance(shapes[a], shapes[b]).min())
    found = {row.subject for row in verdict.findings.rows if row.kind == "contact"}
    assert {pair for pair, value in least.items() if value == 0} <= found
    assert all(least[pair] < 0.006 for pair in found)
    if not found:
        assert contact["clearance_m"] == pytest.approx(min(least.values()), abs=0.002)


def test_distance_of_polygons_against_shapely() -> None:
    chance = np.random.default_rng(1)
    outlines = [chance.uniform(-1, 1, (7, 2)) for _ in range(400)]
    hulls = [shapely.MultiPoint(outline).convex_hull for outline in outlines]
    hulls = [affinity.translate(h, *chance.uniform(0, 3, 2)) for h in hulls]
    parts = padded([convex_parts(np.asarray(h.exterior.coords)[:-1])[0] for h in hulls])
    gap, vector = distance(parts[:200], parts[200:])
    for index in range(200):
        a, b = hulls[index], hulls[200 + index]
        if gap[index] > 0:
            assert gap[index] == pytest.approx(a.distance(b), abs=1e-9)
        else:  # moved along the vector by the depth, they just part
            assert a.intersects(b)
            moved = affinity.translate(b, *(vector[index] * (1e-6 - gap[index])))
            assert a.distance(moved) < 1e-5
            assert a.intersection(moved).area < 1e-9
