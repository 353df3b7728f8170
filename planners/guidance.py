"""Guidance: what driving costs where, so that robots who don't see each other yet keep out of each
other's way (after Zhang et al., "Guidance graph optimization for lifelong MAPF", IJCAI 2024).

Here the simplest guidance there is: lanes that alternate. Driving against a lane costs more.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from planners.grid import Grid
from planners.roadmap import Ints

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
