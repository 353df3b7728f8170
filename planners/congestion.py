"""Tables that learn from jams: where robots stand on their way, driving in costs more for as long as
they do, and the tables of goals in use are filled anew in turn. So who is not there yet goes round,
and a jam doesn't grow from behind faster than it dissolves at its head.

Without it a crowd that flows at first stands still in the end: what is full fills up further.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from planners.protocols import Ints, Stop

if TYPE_CHECKING:
    from planners.node_tables import NodeTables

Small = NDArray[np.int16]
CHUNK = 64  # tables between two looks at the clock, fewer if they have more nodes than
CHUNK_NODES = 2_500_000


@dataclass(frozen=True, slots=True)
class CongestionParameters:
    """Costs in quarters of a step."""

    still: int = 4  # steps that a robot stands before it counts as congestion
    gain: int = 2  # what a cell costs more, for each step that a robot has stood there
    most: int = 60  # that a cell may cost more
    kept_permille: int = 970  # of the congestion of a cell, from step to step
    turns: int = 12  # steps until each robot's goal had its turn; 0: tables stay as they are


class Congestion:
    """Watches robots, and keeps `tables` up to date: in place, what was filled beforehand is lost."""

    def __init__(
        self, tables: NodeTables, nodes: Ints, parameters: CongestionParameters | None = None
    ) -> None:
        self._p, self._tables = parameters or CongestionParameters(), tables
        self._before = nodes.copy()
        self._stood = np.zeros(len(nodes), np.int32)
        self._heat = np.zeros(tables.grid.nodes, np.float32)
        self._more: dict[int, Small] = {}  # by step: (N,) what cells cost more

    def look(self, nodes: Ints, goals: Ints) -> None:
        """A new step: `nodes`, `goals` (R,)."""
        p = self._p
        self._tables.shelf.step += 1
        self._stood = np.where(nodes == self._before, self._stood + 1, 0).astype(np.int32)
        self._before = nodes.copy()
        self._heat *= np.float32(p.kept_permille / 1000)
        stuck = np.flatnonzero((self._stood >= p.still) & (goals != nodes))
        stood = self._stood[stuck].astype(np.float32)
        self._heat[nodes[stuck]] = np.maximum(self._heat[nodes[stuck]], stood)

    def learn(self, goals: Ints, onward: Ints, stop: Stop) -> Ints:
        """Fill the tables whose turn it is, as long as there is time; the goals they belong to."""
        p = self._p
        if p.turns <= 0:
            return goals[:0]
        heat = np.where(self._heat >= p.still, self._heat, 0)
        more = np.minimum(p.most, p.gain * heat).astype(np.int16)
        shelf = self._tables.shelf
        since = shelf.since
        if not more.any() and not since.any():
            return goals[:0]
        named = np.unique(np.append(goals, onward[onward >= 0])).astype(np.int32)
        rows = self._tables.rows(named)
        if not more.any():
            named, rows = named[since[rows] > 0], rows[since[rows] > 0]
        # New ones wait for their turn as well.
        last = np.maximum(since, shelf.seen)[rows]
        turn = np.argsort(last, kind="stable")[: -(-len(goals) // p.turns)]
        made = 0
        coming = self._with(more)
        chunk = max(1, min(CHUNK, CHUNK_NODES // self._tables.grid.nodes))
        while made < len(turn) and not stop(0):
            some = turn[made : made + chunk]
            self._fill(named[some], rows[some], coming)
            made += len(some)
        done = turn[:made]
        since[rows[done]] = shelf.step if more.any() else 0
        if made and more.any():
            self._more[shelf.step] = more
        self._forget()
        return named[done]

    def restore(self) -> None:
        """Fill all tables as they were, from `NodeTables.restore`."""
        shelf = self._tables.shelf
        for step, more in self._more.items():
            rows = np.flatnonzero(shelf.since == step).astype(np.int32)
            self._fill(shelf.goal_of[rows], rows, self._with(more))

    def _with(self, more: Small) -> Small:
        coming: Small = (self._tables.coming + np.repeat(more, 4)).astype(np.int16)
        return coming

    def _fill(self, goals: Ints, rows: Ints, coming: Small) -> None:
        whole = self._tables.fill(goals, rows, coming)
        if not whole.all():  # ways that don't fit as they are just now
            self._tables.fill(goals[~whole], rows[~whole], self._tables.coming)

    def _forget(self) -> None:
        """Steps of which no table is left."""
        used = set(np.unique(self._tables.shelf.since).tolist())
        self._more = {step: more for step, more in self._more.items() if step in used}
