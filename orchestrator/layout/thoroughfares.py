"""Bays that stand in the way: lanes that lead through one, or past one too close.

Nobody drives through a bay but to be served in it (ADR 3), so what leads on through one is no lane; and
whoever is in a bay shuts the lanes that touch where it stands. If that is the only way, places are cut
off from each other; if there is a way round, it costs way.
"""

from __future__ import annotations

import heapq
from collections import deque

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from orchestrator.core.roadmap import Roadmap
from orchestrator.layout.findings import Finding, listed
from orchestrator.layout.lif_checks import beyond

SAMPLE = 32  # places from which ways are measured: all, or so many of them, evenly
LONGER_MIN = 0.05  # of all ways between places; a siding between two rows, as a chute, costs 0.01
ASIDE = "put the bay beside the lane, with an edge of its own in and one out"
APART = "move the bay away from the lane, or the lane from the bay"
Floats = NDArray[np.float64]


def check(roadmap: Roadmap, names: list[str], file: str, severity: str) -> list[Finding]:
    """`severity` for bays that are the only way, or shut it; warnings for those with a way round."""
    found: list[Finding] = []
    shut = _shut(roadmap)
    for fleet, name in enumerate(names):
        found += _through(roadmap, fleet, name, file, severity)
        lanes = _Lanes(roadmap, fleet)
        for bay, moves in shut.items():
            edges = [move % roadmap.edges for move in moves if move // roadmap.edges == fleet]
            if edges:
                found.append(_past(lanes, name, bay, edges, file, severity))
    return found


# --- lanes past a bay ---------------------------------------------------------------------------


def _shut(roadmap: Roadmap) -> dict[int, list[int]]:
    """By bay: moves, not of its own edges, that whoever is in it stands in the way of."""
    shut: dict[int, dict[int, None]] = {}
    node_bay, nodes = roadmap.node_bay, roadmap.nodes
    for move, stands in enumerate(roadmap.move_stands):
        fleet, edge = divmod(move, roadmap.edges)
        ends = (roadmap.edge_tail[edge], roadmap.edge_head[edge])
        own = [node_bay[end] for end in ends]
        cramped = {  # said already: robots resting there would touch
            stand
            for end in ends if node_bay[end] >= 0
            for stand in roadmap.stand_stands[fleet * nodes + end]
        }  # fmt: skip
        for stand in stands if roadmap.edge_fleets[edge] >> fleet & 1 else ():
            bay = node_bay[stand % nodes]
            if bay < 0 or bay in own or stand in cramped:
                continue
            if roadmap.bays[bay].fleets >> stand // nodes & 1:
                shut.setdefault(bay, {})[move] = None
    return {bay: list(moves) for bay, moves in sorted(shut.items())}


def _past(
    lanes: _Lanes, name: str, bay: int, edges: list[int], file: str, severity: str
) -> Finding:
    """What a robot in the bay cuts off, while it is there."""
    roadmap = lanes.roadmap
    ends = [(roadmap.edge_tail[e], roadmap.edge_head[e]) for e in edges]
    shut = listed([f"{roadmap.node_ids[a]} to {roadmap.node_ids[b]}" for a, b in ends])
    text = f"whoever is in {roadmap.bays[bay].id} stands in the way of {name} from {shut}"
    cut = lanes.cut_off(bay, edges)
    if cut:
        text += f", and there is no way round to {listed(cut)}"
    return Finding(
        severity if cut else "warning", file, f"$.layouts[0].stations[{bay}]", text, APART
    )


class _Lanes:
    """Edges of a fleet, and what is cut off where some of them are shut."""

    def __init__(self, roadmap: Roadmap, fleet: int) -> None:
        self.roadmap = roadmap
        self._after: dict[int, list[tuple[int, int]]] = {}  # node -> edge, head: on the lanes
        self._in: dict[int, set[int]] = {}  # bay -> edges that lead there from a lane
        self._out: dict[int, set[int]] = {}
        for edge in range(roadmap.edges):
            if roadmap.edge_fleets[edge] >> fleet & 1:
                tail, head = roadmap.edge_tail[edge], roadmap.edge_head[edge]
                into, out_of = roadmap.node_bay[head], roadmap.node_bay[tail]
                if into < 0 and out_of < 0:
                    self._after.setdefault(tail, []).append((edge, head))
                elif out_of < 0:
                    self._in.setdefault(into, set()).add(edge)
                elif into < 0:
                    self._out.setdefault(out_of, set()).add(edge)
        self._outside = self._beyond(set())

    def cut_off(self, bay: int, shut: list[int]) -> list[str]:
        """Nodes of the lanes that are not reached from all others any more, or not left to them, and
        other bays that lose their way in or out."""
        roadmap, closed, nodes = self.roadmap, set(shut), set[int]()
        ends = [(roadmap.edge_tail[edge], roadmap.edge_head[edge]) for edge in shut]
        beside = {roadmap.node_bay[node] for pair in ends for node in pair} - {-1, bay}
        lanes = [pair for pair in ends if max(roadmap.node_bay[node] for node in pair) < 0]
        if not all(self._leads(*pair, closed) for pair in lanes):
            nodes = self._beyond(closed) - self._outside
        lost = [
            other
            for other in sorted(beside & self._in.keys() & self._out.keys())
            if self._in[other] <= closed or self._out[other] <= closed
        ]
        names = [roadmap.node_ids[node] for node in sorted(nodes)]
        return names + [roadmap.bays[other].id for other in lost]

    def _leads(self, start: int, end: int, closed: set[int]) -> bool:
        """Is there a way round: from one to the other on lanes that are open?"""
        seen, todo = {start}, deque([start])
        while todo:
            for edge, head in self._after.get(todo.popleft(), ()):
                if head == end and edge not in closed:
                    return True
                if head not in seen and edge not in closed:
                    seen.add(head)
                    todo.append(head)
        return False

    def _beyond(self, closed: set[int]) -> set[int]:
        """Nodes of the lanes outside the largest part in which all are reached from all."""
        pairs = [
            (tail, head)
            for tail, ways in self._after.items()
            for edge, head in ways
            if edge not in closed
        ]
        used = {
            node for tail, ways in self._after.items() for node in (tail, *(h for _, h in ways))
        }
        linked = {node for pair in pairs for node in pair}
        return used - linked | set(beyond(np.array(pairs), self.roadmap.nodes) if pairs else ())


# --- lanes through a bay ------------------------------------------------------------------------


def _through(roadmap: Roadmap, fleet: int, name: str, file: str, severity: str) -> list[Finding]:
    """Bays through which ways would be shorter, if anybody might drive there."""
    after: dict[int, list[tuple[int, int]]] = {}
    for edge in range(roadmap.edges):
        if roadmap.edge_fleets[edge] >> fleet & 1:
            way = (roadmap.edge_head[edge], roadmap.edge_length_mm[edge])
            after.setdefault(roadmap.edge_tail[edge], []).append(way)
    ways: _Ways | None = None
    found: list[Finding] = []
    for bay, start, end, mm in _shortcuts(roadmap, after):
        ways = ways or _Ways(roadmap, after)
        around_mm = ways.from_node(start)[end]
        leads = f"{roadmap.node_ids[start]} to {roadmap.node_ids[end]}"
        text = f"{name}: {leads} leads through {roadmap.bays[bay].id}, and nobody drives through: "
        path = f"$.layouts[0].stations[{bay}]"
        if np.isinf(around_mm):
            found.append(Finding(severity, file, path, text + "there is no way round", ASIDE))
            continue
        longer = ways.longer(start, end, mm)
        if longer >= LONGER_MIN:
            text += (
                f"{around_mm / 1000:.0f} m round instead of {mm / 1000:.0f}, which makes all ways "
                f"between places {100 * longer:.0f} % longer"
            )
            found.append(Finding("warning", file, path, text, ASIDE))
    return found


def _shortcuts(
    roadmap: Roadmap, after: dict[int, list[tuple[int, int]]]
) -> list[tuple[int, int, int, int]]:
    """(bay, start, end, mm): ways through a bay, from lane to lane, that are shorter than any round."""
    node_bay, found = roadmap.node_bay, []
    for start in sorted(after):
        if node_bay[start] >= 0:
            continue
        for bay in sorted({node_bay[head] for head, _ in after[start]} - {-1}):
            through = _reached(start, after, {n: None for n in roadmap.bays[bay].nodes}, None)
            ends = {n: mm for n, mm in through.items() if node_bay[n] < 0 and n != start}
            if not ends:
                continue
            most = max(ends.values())
            round_mm = _reached(start, after, None, most, node_bay)
            found += [
                (bay, start, end, mm)
                for end, mm in sorted(ends.items())
                if round_mm.get(end, most + 1) > mm
            ]
    return found


def _reached(
    start: int,
    after: dict[int, list[tuple[int, int]]],
    inside: dict[int, None] | None,
    most: int | None,
    node_bay: tuple[int, ...] = (),
) -> dict[int, int]:
    """Node -> mm from `start` (Dijkstra): through the nodes `inside` alone and one step out of them; or
    on the lanes, as far as `most`."""
    best, todo = {start: 0}, [(0, start)]
    while todo:
        mm, node = heapq.heappop(todo)
        if mm > best[node] or (inside is not None and node != start and node not in inside):
            continue
        for head, length in after.get(node, ()):
            if inside is not None:
                barred = node == start and head not in inside
            else:
                barred = node_bay[head] >= 0 or mm + length > (most or 0)
            if not barred and mm + length < best.get(head, mm + length + 1):
                best[head] = mm + length
                heapq.heappush(todo, (mm + length, head))
    return best


class _Ways:
    """Lengths of ways on a fleet's lanes, between the mouths of its bays."""

    def __init__(self, roadmap: Roadmap, after: dict[int, list[tuple[int, int]]]) -> None:
        node_bay = roadmap.node_bay
        shortest: dict[tuple[int, int], int] = {}  # a sparse matrix adds up what stands twice
        for t, heads in after.items():
            for h, length in heads:
                shortest[t, h] = min(length, shortest.get((t, h), length))
        rows = [(*ends, length) for ends, length in shortest.items()]
        lanes = [row for row in rows if node_bay[row[0]] < 0 and node_bay[row[1]] < 0]
        tail, head, mm = np.array(lanes, np.int64).reshape(-1, 3).T
        self._lanes = csr_matrix((mm, (tail, head)), shape=(roadmap.nodes, roadmap.nodes))
        outs = sorted({h for t, h, _ in rows if node_bay[t] >= 0 > node_bay[h]})
        ins = sorted({t for t, h, _ in rows if node_bay[t] < 0 <= node_bay[h]})
        count = min(SAMPLE, len(outs))
        sources = [outs[i * len(outs) // count] for i in range(count)]
        self._ins = np.array(ins, np.int64)
        self._from = dijkstra(self._lanes, indices=sources)  # (S, N)

    def from_node(self, node: int) -> Floats:
        """(N,) mm to each node."""
        ways: Floats = dijkstra(self._lanes, indices=node)
        return ways

    def longer(self, start: int, end: int, mm: int) -> float:
        """So much longer, in shares, are all ways than if this one led from start to end."""
        now = self._from[:, self._ins]
        then = self._from[:, [start]] + mm + self.from_node(end)[self._ins][None, :]
        known = np.isfinite(now)
        best = np.minimum(now, then)[known].sum()
        return float((now[known].sum() - best) / best) if best else 0.0
