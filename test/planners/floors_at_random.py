"""Random floors on which everybody can get everywhere, and a judge of what robots do on them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from planners.grid import Grid


def biconnected(seed: int, side: int, walls: float) -> np.ndarray:
    """(side, side) a random map, of which only its largest biconnected part is free: each cell lies on
    a ring with each other one."""
    free = np.random.default_rng(seed).random((side, side)) >= walls
    grid = Grid.of(free)
    ways = [[int(u) for u in row if u >= 0] for row in grid.ahead.reshape(-1, 4)]
    kept = np.zeros(side * side, bool)
    kept[grid.cell[max(blocks(ways), key=len, default=[])]] = True
    return kept.reshape(side, side)


def blocks(ways: list[list[int]]) -> Iterator[list[int]]:
    """The biconnected parts of a graph (Hopcroft & Tarjan, 1973)."""
    seen, low = [-1] * len(ways), [0] * len(ways)
    for root in range(len(ways)):
        if seen[root] < 0:
            seen[root] = low[root] = root
            yield from _blocks_from(root, ways, seen, low)


def _blocks_from(
    root: int, ways: list[list[int]], seen: list[int], low: list[int]
) -> Iterator[list[int]]:
    clock, edges = max(seen), []
    stack = [(root, -1, iter(ways[root]))]
    while stack:
        at, above, rest = stack[-1]
        to = next(rest, None)
        if to is None:
            stack.pop()
            if stack:
                low[above] = min(low[above], low[at])
                if low[at] >= seen[above]:
                    first = edges.index((above, at))
                    part = edges[first:]
                    del edges[first:]
                    yield sorted({node for edge in part for node in edge})
        elif seen[to] < 0:
            clock += 1
            seen[to] = low[to] = clock
            edges.append((at, to))
            stack.append((to, at, iter(ways[to])))
        elif to != above and seen[to] < seen[at]:
            edges.append((at, to))
            low[at] = min(low[at], seen[to])


def judged(grid: Grid, states: np.ndarray, actions: np.ndarray) -> np.ndarray:
    """The states after a step, by the rules: nobody leaves the floor, no two meet or change places."""
    before = states >> 2
    after = np.where(actions == 1, grid.ahead[states], before)
    assert (after >= 0).all(), "into a wall"
    assert len(np.unique(after)) == len(after), "two in one cell"
    owner = np.full(grid.nodes, -1)
    owner[before] = np.arange(len(before))
    other = owner[after]
    swapped = (other >= 0) & (other != np.arange(len(after))) & (after[other] == before)
    assert not swapped.any(), "two change places"
    return (4 * after + ((states + np.array([0, 0, 1, 3])[actions]) & 3)).astype(np.int32)
