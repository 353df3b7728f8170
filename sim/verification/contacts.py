"""Do footprints ever touch? A continuous check: an interval of time is cleared only where the
distance in its middle exceeds what both bodies can move towards each other within half of it
(conservative advancement, Mirtich 1996, by bisection). Nothing between samples is missed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from sim.verification.trajectory import Array, Trajectory

SLICE_NS = 200_000_000
CHUNK_SLICES = 3000
SMALLEST_NS = 50_000  # an interval this short is told by the distance in its middle
SHARE_MAX = 200  # contacts listed


@dataclass(frozen=True, slots=True)
class Contact:
    """Two footprints touched."""

    time_s: float
    first: str
    second: str


@dataclass(frozen=True, slots=True)
class Clearance:
    """All contacts, and the smallest distance seen otherwise."""

    contacts: list[Contact]
    smallest_m: float
    pairs_checked: int


def check(tracks: list[Trajectory], end_ns: int) -> Clearance:
    """Check all pairs over the whole run."""
    contacts: list[Contact] = []
    smallest, pairs = np.inf, 0
    if len(tracks) < 2:
        return Clearance([], smallest, 0)
    shapes = _Shapes(tracks)
    for start in range(0, max(1, end_ns), SLICE_NS * CHUNK_SLICES):
        stop = min(end_ns, start + SLICE_NS * CHUNK_SLICES)
        times = np.arange(start, stop + SLICE_NS, SLICE_NS, dtype=np.int64)
        first, second, at, speed = _candidates(tracks, shapes, times)
        pairs += len(first)
        found, near = _bisect(tracks, shapes, first, second, times[at], speed)
        smallest = min(smallest, near)
        contacts += found
    merged = _merge(contacts)
    return Clearance(merged, float(smallest), pairs)


class _Shapes:
    """Footprints of all robots as one array, short ones padded by repeating their last corner."""

    def __init__(self, tracks: list[Trajectory]) -> None:
        corners = max(len(track.body.footprint) for track in tracks)
        self.points = np.array([
            np.concatenate([
                track.body.footprint,
                np.repeat(track.body.footprint[-1:], corners - len(track.body.footprint), axis=0),
            ])
            for track in tracks
        ])  # fmt: skip
        self.radius = np.array([track.body.radius_m for track in tracks])


def _candidates(
    tracks: list[Trajectory], shapes: _Shapes, times: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], Array]:
    """Pairs and slices in which they could meet, with a bound of their closing speed (m/s)."""
    x = np.empty((len(tracks), len(times)))
    y = np.empty_like(x)
    speed = np.empty((len(tracks), len(times) - 1))
    for index, track in enumerate(tracks):
        x[index], y[index], _, _ = track.poses(times)
        linear, turn = track.activity(times)
        speed[index] = linear + turn * track.body.radius_m
    reach = 2 * shapes.radius.max() + 2 * speed.max(initial=0.0) * SLICE_NS * 1e-9
    firsts, seconds, slices = [], [], []
    for at in range(len(times) - 1):
        moving = speed[:, at] > 0
        if not moving.any():
            if at:
                continue
        pairs = cKDTree(np.stack([x[:, at], y[:, at]], axis=1)).query_pairs(
            reach, output_type="ndarray"
        )
        if at:
            pairs = pairs[moving[pairs[:, 0]] | moving[pairs[:, 1]]]
        firsts.append(pairs[:, 0])
        seconds.append(pairs[:, 1])
        slices.append(np.full(len(pairs), at))
    first, second, at_ = (np.concatenate(part).astype(np.int64) for part in
                          (firsts, seconds, slices))  # fmt: skip
    closing = speed[first, at_] + speed[second, at_]
    gap = np.hypot(x[first, at_] - x[second, at_], y[first, at_] - y[second, at_])
    near = gap <= shapes.radius[first] + shapes.radius[second] + closing * SLICE_NS * 1e-9
    return first[near], second[near], at_[near], closing[near]


def _bisect(
    tracks: list[Trajectory],
    shapes: _Shapes,
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    start: NDArray[np.int64],
    speed: Array,
) -> tuple[list[Contact], float]:
    contacts: list[Contact] = []
    smallest = np.inf
    width = SLICE_NS
    while len(first):
        middle = start + width // 2
        gap = _distance(_placed(tracks, shapes, first, middle),
                        _placed(tracks, shapes, second, middle))  # fmt: skip
        smallest = min(smallest, float(gap.min(initial=np.inf)))
        touching = gap <= 0
        for i in np.flatnonzero(touching):
            names = (tracks[first[i]].body.name, tracks[second[i]].body.name)
            contacts.append(Contact(middle[i] / 1e9, *names))
        open_ = ~touching & (gap <= speed * width * 0.5e-9)
        width //= 2
        if width < SMALLEST_NS:
            break
        first, second = np.tile(first[open_], 2), np.tile(second[open_], 2)
        speed = np.tile(speed[open_], 2)
        start = np.concatenate([start[open_], start[open_] + width])
    return contacts, smallest


def _placed(
    tracks: list[Trajectory], shapes: _Shapes, robots: NDArray[np.int64], times: NDArray[np.int64]
) -> Array:
    """(P, K, 2) footprints on the floor."""
    x, y, theta = (np.empty(len(robots)) for _ in range(3))
    order = np.argsort(robots, kind="stable")
    bounds = np.searchsorted(robots[order], np.arange(len(tracks) + 1))
    for index, track in enumerate(tracks):
        rows = order[bounds[index] : bounds[index + 1]]
        if len(rows):
            x[rows], y[rows], theta[rows], _ = track.poses(times[rows])
    points = shapes.points[robots]
    cos, sin = np.cos(theta)[:, None], np.sin(theta)[:, None]
    px = points[:, :, 0] * cos - points[:, :, 1] * sin + x[:, None]
    py = points[:, :, 0] * sin + points[:, :, 1] * cos + y[:, None]
    return np.stack([px, py], axis=2)


def _distance(a: Array, b: Array) -> Array:
    """(P,) distance of convex counter-clockwise polygons (P, K, 2); 0 where they touch."""
    gap = np.minimum(_corner_distance(a, b), _corner_distance(b, a))
    apart = _separated(a, b) | _separated(b, a)
    return np.where(apart, gap, 0.0)


def _separated(a: Array, b: Array) -> NDArray[np.bool_]:
    """Is there an edge of `a` with all of `b` outside?"""
    edge = np.roll(a, -1, axis=1) - a
    normal = np.stack([edge[:, :, 1], -edge[:, :, 0]], axis=2)
    offset = np.einsum("pkd,pkd->pk", normal, a)
    reach = np.einsum("pkd,pjd->pkj", normal, b).min(axis=2)
    real = np.abs(normal).sum(axis=2) > 0
    return np.asarray(((reach - offset > 0) & real).any(axis=1))


def _corner_distance(a: Array, b: Array) -> Array:
    """(P,) smallest distance of a corner of `a` from an edge of `b`."""
    start = b[:, None, :, :]
    edge = (np.roll(b, -1, axis=1) - b)[:, None, :, :]
    to = a[:, :, None, :] - start
    length = np.maximum((edge * edge).sum(axis=3), 1e-12)
    share = np.clip((to * edge).sum(axis=3) / length, 0, 1)
    off = to - share[..., None] * edge
    return np.asarray(np.sqrt((off * off).sum(axis=3)).min(axis=(1, 2)))


def _merge(contacts: list[Contact]) -> list[Contact]:
    """One entry per meeting: the same pair within a second is the same meeting."""
    last: dict[tuple[str, str], float] = {}
    merged: list[Contact] = []
    for contact in sorted(contacts, key=lambda c: c.time_s):
        pair = (contact.first, contact.second)
        if contact.time_s - last.get(pair, -np.inf) > 1.0:
            merged.append(contact)
        last[pair] = contact.time_s
    return merged[:SHARE_MAX]
