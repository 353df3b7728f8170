"""Do footprints ever touch? Exact between samples, by conservative advancement.

For a pair of footprints at distance d along the vector n of their closest points, the gap along the
fixed n can't shrink faster than the relative motion along n and the turning of both allow:

    gap(h) >= d - c h - a h^2 / 2 - (|omega_1| r_1 + |omega_2| r_2) h

with closing speed c and acceleration a. Until the first root nothing can touch, so time advances
there and the distance is taken anew (Mirtich 1996, "Impulse-based dynamic simulation"; directional
bound: Zhang et al. 2006). The roots are taken not for a gap of zero but for one just below the
smallest clearance seen so far, which makes that clearance exact too, to `PRECISION_M`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from sim.verification.findings import Findings
from sim.verification.polygons import convex_parts, distance, padded, placed
from sim.verification.tracks import Floats, Ints, Robot, Tracks

SLICE_NS = 1_000_000_000
TOUCH_M = 1e-4  # footprints nearer than this touch
PRECISION_M = 1e-3  # of the smallest clearance
OVERLAP_STEP_NS = 2_000_000  # sampling while two overlap, for the depth
MERGE_NS = 50_000_000  # touches of one pair that follow each other so closely are one contact
SLICES = 300  # taken at once
ROUNDS_MAX = 200_000


@dataclass(slots=True)
class Contact:
    """Two robots that touched."""

    robots: tuple[int, int]  # rows
    from_ns: int
    to_ns: int
    distance_m: float  # below zero: so deep


@dataclass(slots=True)
class Clearance:
    """The smallest distance seen, where and when."""

    distance_m: float = np.inf
    time_ns: int = 0
    robots: tuple[int, int] = (-1, -1)


@dataclass(slots=True)
class _Shapes:
    """Footprints as convex parts: `shape` (P, K, 2), the row of the robot of each, its reach."""

    shape: Floats
    reach_m: Floats  # of each part, from the reference point
    parts_of: list[Ints]  # robot -> parts
    robot_reach_m: Floats


@dataclass(slots=True)
class _Pairs:
    """Part pairs on their way through a slice."""

    robot: Ints  # (N, 2)
    part: Ints  # (N, 2)
    now_ns: Ints
    end_ns: Ints


@dataclass(slots=True)
class ContactCheck:
    """Runs over slices of time; contacts and clearance collect here."""

    robots: list[Robot]
    clearance: Clearance = field(default_factory=Clearance)
    pairs_checked: int = 0
    distances: int = 0
    tracks: Tracks = field(init=False)  # of the stretch that is being checked
    _shapes: _Shapes = field(init=False)
    _touches: dict[tuple[int, int, int], Contact] = field(default_factory=dict)  # by slice
    _joined_ns: Ints = field(init=False)
    _total_m: Floats = field(init=False)
    _until_ns: Ints = field(init=False)  # when each piece gives way to the next

    def __post_init__(self) -> None:
        parts_of: list[Ints] = []
        parts: list[Floats] = []
        for robot in self.robots:
            mine = convex_parts(robot.footprint_m)
            parts_of.append(np.arange(len(parts), len(parts) + len(mine)))
            parts += mine
        reach = np.array([np.hypot(part[:, 0], part[:, 1]).max() for part in parts])
        robot_reach = np.array([reach[mine].max() for mine in parts_of])
        self._shapes = _Shapes(padded(parts), reach, parts_of, robot_reach)

    def _take(self, tracks: Tracks) -> None:
        self.tracks = tracks
        until = self.tracks.t1_ns.copy()
        same = self.tracks.row[1:] == self.tracks.row[:-1]
        until[:-1][same] = np.minimum(until[:-1], self.tracks.t0_ns[1:])[same]
        self._until_ns = until
        self._joined_ns = np.array([robot.joined_ns for robot in self.tracks.robots], np.int64)
        self._total_m = np.concatenate([[0.0], np.cumsum(self.tracks.way_m + _jumps(self.tracks))])

    def run(self, tracks: Tracks, from_ns: int) -> None:
        """Check a stretch of the run, up to where its tracks end."""
        if len(self.robots) < 2:
            return
        self._take(tracks)
        edges = np.arange(from_ns, self.tracks.end_ns + SLICE_NS, SLICE_NS)
        for first in range(0, max(len(edges) - 1, 1), SLICES):
            self._chunk(edges[first : first + SLICES + 1])

    # --- broad phase ------------------------------------------------------------------------------

    def _chunk(self, edges: Ints) -> None:
        count, slices = len(self.tracks.robots), max(len(edges) - 1, 1)
        rows = np.repeat(np.arange(count), slices)
        begin = np.tile(edges[:slices], count)
        end = np.minimum(begin + SLICE_NS, self.tracks.end_ns)
        x, y, _ = (v.reshape(count, slices) for v in self.tracks.pose(rows, begin))
        moved = self._moved(rows, begin, end).reshape(count, slices)
        there = self._joined_ns[:, None] <= end.reshape(count, slices)
        self._nearest(x, y, edges[:slices])
        pairs = [
            self._close(np.flatnonzero(there[:, k]), x[:, k], y[:, k], moved[:, k])
            for k in range(slices)
        ]
        robot = np.concatenate(pairs)
        at = np.repeat(edges[:slices], [len(pair) for pair in pairs])
        if len(robot):
            self._advance(self._split(robot, at))

    def _moved(self, rows: Ints, begin: Ints, end: Ints) -> Floats:
        """At most how far each robot gets from where it is at the beginning of its slice: the
        length of all pieces that touch the slice (whole pieces: an upper bound)."""
        total = self._total_m
        first, last = self.tracks.piece(rows, begin), self.tracks.piece(rows, end)
        return total[last + 1] - total[first] + 1e-6

    def _nearest(self, x: Floats, y: Floats, times: Ints) -> None:
        """A first bound of the clearance: the pair nearest to each other at each slice's start."""
        found, at = [], []
        for k in range(x.shape[1]):
            rows = np.flatnonzero(self._joined_ns <= times[k])
            if len(rows) < 2:
                continue
            points = np.stack([x[rows, k], y[rows, k]], axis=1)
            far, other = cKDTree(points).query(points, k=2)
            row = int(far[:, 1].argmin())
            mate = int(other[row, 1]) if other[row, 1] != row else int(other[row, 0])
            found.append(sorted((int(rows[row]), int(rows[mate]))))
            at.append(int(times[k]))
        if found:
            pairs = self._split(np.array(found, np.int64), np.array(at, np.int64))
            gap, _ = self._distance(pairs)
            self._smallest(pairs, gap)

    def _close(self, rows: Ints, x: Floats, y: Floats, moved: Floats) -> Ints:
        """Pairs whose distance could fall below the smallest clearance within the slice; `rows`:
        those who are there by its end."""
        if len(rows) < 2:
            return np.empty((0, 2), np.int64)
        reach = (self._shapes.robot_reach_m + moved)[rows]
        margin = max(self.clearance.distance_m, 0.0) + TOUCH_M
        points = np.stack([x[rows], y[rows]], axis=1)
        radius = 2 * float(reach.max()) + margin
        pair = cKDTree(points).query_pairs(radius, output_type="ndarray").astype(np.int64)
        far = np.hypot(*(points[pair[:, 0]] - points[pair[:, 1]]).T)
        pair = pair[far - reach[pair[:, 0]] - reach[pair[:, 1]] <= margin]
        self.pairs_checked += len(pair)
        close: Ints = rows[pair]
        return close

    def _split(self, robot: Ints, begin: Ints) -> _Pairs:
        """Pairs of robots into pairs of convex parts, from when both are there."""
        parts = self._shapes.parts_of
        end = np.minimum(begin + SLICE_NS, self.tracks.end_ns)
        begin = np.maximum(begin, self._joined_ns[robot].max(axis=1))
        if all(len(mine) == 1 for mine in parts):
            first = np.array([mine[0] for mine in parts])
            return _Pairs(robot, first[robot], begin, end)
        rows, chosen = [], []
        for index, (a, b) in enumerate(robot.tolist()):
            for pa in parts[a]:
                for pb in parts[b]:
                    rows.append(index)
                    chosen.append((pa, pb))
        return _Pairs(robot[rows], np.array(chosen, np.int64), begin[rows], end[rows])

    # --- narrow phase -----------------------------------------------------------------------------

    def _distance(self, pairs: _Pairs) -> tuple[Floats, Floats]:
        shapes = []
        for side in (0, 1):
            x, y, theta = self.tracks.pose(pairs.robot[:, side], pairs.now_ns)
            shapes.append(placed(self._shapes.shape[pairs.part[:, side]], x, y, theta))
        self.distances += len(pairs.now_ns)
        return distance(shapes[0], shapes[1])

    def _smallest(self, pairs: _Pairs, gap: Floats) -> None:
        if len(gap):
            best = int(gap.argmin())
            if gap[best] < self.clearance.distance_m:
                a, b = pairs.robot[best].tolist()
                self.clearance = Clearance(float(gap[best]), int(pairs.now_ns[best]), (a, b))

    def _advance(self, pairs: _Pairs) -> None:
        for _ in range(ROUNDS_MAX):
            gap, vector = self._distance(pairs)
            self._smallest(pairs, gap)
            touching = gap <= TOUCH_M
            for index in np.flatnonzero(touching).tolist():
                self._touch(pairs, index, float(gap[index]))
            step = np.where(touching, OVERLAP_STEP_NS, self._safe_ns(pairs, gap, vector))
            pairs.now_ns = np.minimum(pairs.now_ns + np.maximum(step, 1), pairs.end_ns + 1)
            left = pairs.now_ns <= pairs.end_ns
            if not left.any():
                return
            pairs = _Pairs(
                pairs.robot[left], pairs.part[left], pairs.now_ns[left], pairs.end_ns[left]
            )
        raise RuntimeError("the contact check does not come to an end")

    def _safe_ns(self, pairs: _Pairs, gap: Floats, vector: Floats) -> Ints:
        """For how long the gap stays above the target, or until the first piece ends."""
        tracks = self.tracks
        target = max(self.clearance.distance_m - PRECISION_M, TOUCH_M / 2)
        closing, growing = np.zeros(len(gap)), np.zeros(len(gap))
        turning, until = np.zeros(len(gap)), pairs.end_ns + 1
        for side, sign in ((0, 1.0), (1, -1.0)):
            piece = tracks.piece(pairs.robot[:, side], pairs.now_ns)
            tau = (np.minimum(pairs.now_ns, tracks.t1_ns[piece]) - tracks.t0_ns[piece]) * 1e-9
            along = tracks.ux[piece] * vector[:, 0] + tracks.uy[piece] * vector[:, 1]
            speed = tracks.v_mps[piece] + tracks.a_mps2[piece] * tau
            closing += sign * along * speed
            growing += sign * along * tracks.a_mps2[piece]
            turning += np.abs(tracks.omega_radps[piece]) * self._shapes.reach_m[pairs.part[:, side]]
            ends = self._until_ns[piece]
            until = np.minimum(until, np.where(ends > pairs.now_ns, ends, pairs.end_ns + 1))
        seconds = first_root(gap - target, closing + turning, growing)
        # Just short of the root: rounding must never carry a step past it.
        ns = np.floor(np.minimum(seconds, 1e4) * (1 - 1e-9) * 1e9).astype(np.int64)
        safe: Ints = np.minimum(ns, until - pairs.now_ns)
        return safe

    def _touch(self, pairs: _Pairs, index: int, gap_m: float) -> None:
        a, b = pairs.robot[index].tolist()
        now = int(pairs.now_ns[index])
        contact = self._touches.get((a, b, int(pairs.end_ns[index])))
        if contact is None:
            contact = Contact((a, b), now, now, gap_m)
            self._touches[(a, b, int(pairs.end_ns[index]))] = contact
        contact.from_ns, contact.to_ns = min(contact.from_ns, now), max(contact.to_ns, now)
        contact.distance_m = min(contact.distance_m, gap_m)

    @property
    def contacts(self) -> list[Contact]:
        """All contacts; what goes on over slices is one."""
        merged: list[Contact] = []
        for touch in sorted(self._touches.values(), key=lambda t: (t.robots, t.from_ns)):
            last = merged[-1] if merged else None
            if last and last.robots == touch.robots and touch.from_ns - last.to_ns <= MERGE_NS:
                last.to_ns = max(last.to_ns, touch.to_ns)
                last.distance_m = min(last.distance_m, touch.distance_m)
            else:
                merged.append(Contact(touch.robots, touch.from_ns, touch.to_ns, touch.distance_m))
        return sorted(merged, key=lambda contact: (contact.from_ns, contact.robots))


def _jumps(tracks: Tracks) -> Floats:
    """How far each piece begins from where the last one ended: zero, unless it teleports."""
    ends = np.stack(tracks.pose_in(np.arange(len(tracks.row)), tracks.t1_ns)[:2])
    jumps = np.zeros(len(tracks.row))
    same = tracks.row[1:] == tracks.row[:-1]
    away = np.hypot(tracks.x_m[1:] - ends[0, :-1], tracks.y_m[1:] - ends[1, :-1])
    jumps[1:] = np.where(same, away, 0.0)
    return jumps


def first_root(gap: Floats, closing: Floats, growing: Floats) -> Floats:
    """Smallest h >= 0 with gap - closing h - growing h^2 / 2 = 0; inf where there is none."""
    roots = np.full(len(gap), np.inf)
    half = growing / 2
    inside = closing * closing + 4 * half * gap
    root = np.sqrt(np.maximum(inside, 0.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        # 2 gap / (closing + root) is the smaller positive root, also where growing is zero.
        roots = np.where((inside >= 0) & (closing + root > 0), 2 * gap / (closing + root), roots)
    result: NDArray[np.float64] = np.where(gap <= 0, 0.0, roots)
    return result


def listed(run: ContactCheck, found: Findings) -> dict[str, Any]:
    """Add a finding for each contact; return figures. All stretches were run."""
    names = [robot.name for robot in run.robots]
    rows = []
    for contact in run.contacts:
        a, b = (names[row] for row in contact.robots)
        text = f"touch until {contact.to_ns / 1e9:.3f} s, distance {contact.distance_m:.4f} m"
        found.add("contact", contact.from_ns, f"{a} and {b}", text)
        rows.append({
            "robots": [a, b], "from_s": contact.from_ns / 1e9, "to_s": contact.to_ns / 1e9,
            "distance_m": round(contact.distance_m, 6),
        })  # fmt: skip
    best = run.clearance
    return {
        "contacts": len(rows),
        "contact_rows": rows[:200],
        "clearance_m": round(best.distance_m, 6) if np.isfinite(best.distance_m) else None,
        "clearance_s": round(best.time_ns / 1e9, 3),
        "clearance_robots": [names[row] for row in best.robots if row >= 0],
        "pairs_checked": run.pairs_checked,
        "distances": run.distances,
    }
