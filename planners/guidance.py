"""Guidance: what driving costs where, so that robots who don't see each other yet keep out of each
other's way (after Zhang et al., "Guidance graph optimization for lifelong MAPF", IJCAI 2024).

Here the simplest guidance there is: lanes that alternate. Driving against a lane costs more.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from planners.checks import shaped, within
from planners.grid import Grid
from planners.kernels import flow as kernel
from planners.roadmap import Ints

BLOCKS = 8  # stretches of work that may run side by side; results don't depend on it
UNIT = 4  # cost of an action that guidance leaves alone


@dataclass(frozen=True, slots=True)
class Lanes:
    """`pace` (4 N,) cost of driving forward from a state, `unit` of a quarter turn."""

    pace: Ints
    unit: int = UNIT


def alternate(free: NDArray[np.bool_], grid: Grid, against: int) -> Lanes:
    """Rows and columns take turns; driving against one costs `against` more. Rows (columns) that hold
    a narrow aisle are counted among themselves, so that neighbouring aisles differ."""
    pace = np.full((grid.nodes, 4), UNIT, np.int32)
    rows, columns = np.divmod(grid.cell, free.shape[1])
    east = _parity(free)[rows]
    south = _parity(free.T)[columns]
    pace[east == 0, 2] += against
    pace[east == 1, 0] += against
    pace[south == 0, 3] += against
    pace[south == 1, 1] += against
    return Lanes(pace.ravel())


def _parity(free: NDArray[np.bool_]) -> Ints:
    """(rows,) 0 or 1: which way a row runs."""
    wall = np.pad(~free, ((1, 1), (0, 0)), constant_values=True)
    narrow = (free & wall[:-2] & wall[2:]).sum(axis=1) > 0
    parity = np.arange(len(free)) % 2
    parity[narrow] = np.arange(int(narrow.sum())) % 2
    return parity.astype(np.int32)


@dataclass(frozen=True, slots=True)
class Paces:
    """Several guidances at a time: a goal's ways follow one of them, so that ways to different goals
    part. `pace` (M, 4 N) costs of driving forward from a state, `unit` of a quarter turn."""

    pace: NDArray[np.int16]
    unit: int = UNIT

    def kind(self, goals: Ints) -> Ints:
        """(G,) which one the ways to a goal follow."""
        return (goals.astype(np.int64) * 7919 % 65537 % len(self.pace)).astype(np.int32)

    @staticmethod
    def of(lanes: Lanes) -> Paces:
        """The same for all goals."""
        return Paces(lanes.pace[None, :].astype(np.int16), lanes.unit)


def coming(pace: NDArray[Any], grid: Grid) -> NDArray[Any]:
    """(…, 4 N) what it costs to drive into a state's node from the one in front of it, where driving
    forward costs `pace`: so a search backwards reads costs side by side. 0: nothing is in front."""
    opposite = 4 * grid.ahead + (np.arange(4 * grid.nodes) + 2) % 4
    costs: NDArray[Any] = np.where(grid.ahead >= 0, pace[..., opposite], 0).astype(pace.dtype)
    return costs


@dataclass(frozen=True, slots=True)
class SpreadParameters:
    """How trips are spread over the floor."""

    rounds: int = 24
    kept: int = 16  # of the last rounds
    roots: int = 512  # places whose trips are looked at in a round
    crowd_permille: int = 4000  # of a step: to enter a cell that a robot enters at each step
    power: float = 2.0  # how that grows with the share of steps in which one does
    pace_max: int = 30 * UNIT
    seed: int = 0


def spread(
    grid: Grid, lanes: Lanes, trips: Ints, moving: float, parameters: SpreadParameters | None = None
) -> Paces:
    """Guidance for much traffic: `trips` (T, 2) from node to node, driven again and again by `moving`
    robots at a time. In each round all take the ways that are cheapest, each cell costs more the more
    pass it on the average of the rounds so far (traffic assignment by successive averages, after
    Wardrop's equilibrium). That equilibrium is the *mixture* of the rounds: each single one would
    crowd the ways that are cheapest in it. So goals are shared out among the last rounds."""
    p = parameters or SpreadParameters()
    shaped("trips", trips, (len(trips), 2))
    within("trips", trips, grid.nodes)
    if not 0 <= moving < math.inf:
        raise ValueError(f"moving {moving} -> how many robots, 0 or more")
    if min(p.rounds, p.kept, p.roots) < 1:
        raise ValueError(f"rounds {p.rounds}, kept {p.kept}, roots {p.roots} -> 1 or more each")
    if not len(trips):
        return Paces.of(lanes)
    chance = np.random.default_rng(p.seed)
    root, other, towards = _rooted(trips, grid.nodes)
    flow = np.zeros(4 * grid.nodes)
    into = np.where(grid.ahead >= 0, grid.ahead, 0)
    pace, last = lanes.pace, []
    for turn in range(p.rounds):
        roots, starts, nodes, leads = _sample(root, other, towards, p.roots, chance)
        flows = np.zeros((BLOCKS, 4 * grid.nodes), np.int32)
        kernel.pour(
            roots, leads, starts, nodes, pace, coming(pace, grid), grid.ahead, p.seed + 7919 * turn,
            flows,
        )  # fmt: skip
        total = flows.sum(axis=0).astype(float)
        flow += (total * (moving / max(1.0, total.sum())) - flow) / (turn + 1)
        last.append(pace)
        entered = np.bincount(into, weights=flow, minlength=grid.nodes)
        more = lanes.unit * p.crowd_permille / 1000 * entered[into] ** p.power
        pace = lanes.pace + np.minimum(more, p.pace_max).astype(np.int32)
    return Paces(np.array(last[-p.kept :], np.int16), lanes.unit)


def _rooted(trips: Ints, nodes: int) -> tuple[Ints, Ints, NDArray[np.bool_]]:
    """Each trip seen from the end that is an end of more trips: (root, other end, towards root?)."""
    often = np.bincount(trips.ravel(), minlength=nodes)
    towards = often[trips[:, 1]] >= often[trips[:, 0]]
    root = np.where(towards, trips[:, 1], trips[:, 0]).astype(np.int32)
    return root, np.where(towards, trips[:, 0], trips[:, 1]).astype(np.int32), towards


def _sample(
    root: Ints, other: Ints, towards: NDArray[np.bool_], most: int, chance: np.random.Generator
) -> tuple[Ints, NDArray[np.int64], Ints, NDArray[np.bool_]]:
    """Trips of at most `most` roots, by root: (roots, where each one's begin, other ends, towards)."""
    key = 2 * root.astype(np.int64) + towards
    keys = np.unique(key)
    if len(keys) > most:
        keys = np.sort(chance.choice(keys, most, replace=False))
    kept = np.flatnonzero(np.isin(key, keys))
    kept = kept[np.argsort(key[kept], kind="stable")]
    starts = np.searchsorted(key[kept], np.append(keys, keys[-1] + 1))
    return (keys >> 1).astype(np.int32), starts, other[kept], (keys & 1).astype(bool)


def against(x: Ints, y: Ints, tail: Ints, head: Ints) -> NDArray[np.bool_]:
    """(E,) True for edges of two-way lanes that run against their lane, on any roadmap whose two-way
    lanes lie along the axes; `x`, `y` (N,) in any unit. One-way lanes are never against."""
    nodes = len(x)
    key = tail.astype(np.int64) * nodes + head
    two_way = np.isin(head.astype(np.int64) * nodes + tail, key)
    wrong = np.zeros(len(tail), bool)
    for along, across, first in ((x, y, 0), (y, x, 1)):
        here = two_way & (across[tail] == across[head])
        wide = two_way & (along[tail] == along[head])
        lanes, lane = np.unique(across, return_inverse=True)
        narrow = np.zeros(len(lanes), bool)
        only = np.setdiff1d(tail[here], tail[wide])  # nodes with no way to the side
        narrow[lane[only]] = True
        parity = (np.arange(len(lanes)) + first) % 2
        parity[narrow] = np.arange(int(narrow.sum())) % 2
        forward = along[head] > along[tail]
        wrong |= here & (forward == (parity[lane[tail]] == 1))
    return wrong
