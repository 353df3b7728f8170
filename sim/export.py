"""Runs for other people's tools: trajectories (CSV), footprints (JSON), events (JSON lines)."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any, TextIO

import msgspec
import numpy as np

from sim.verification.tracks import Run, Tracks, read_tracks, robots_of

HEADER = "time_s,robot,x_m,y_m,theta_rad"
STEP_NS = 100_000_000  # 0.1 s
STEPS = 2000  # rows of one robot that are made at once


def trajectories(run: Run, out: TextIO, from_s: float = 0.0, to_s: float | None = None) -> int:
    """Write one row per robot each 0.1 s from when it joined, by time, then robot; both ends of the
    span included.

    x, y in m to 0.1 mm; theta in rad in (-pi, pi]. Returns the number of rows.
    """
    tracks = read_tracks(run)
    first = -(-round(from_s * 1e9) // STEP_NS)
    end_ns = tracks.end_ns if to_s is None else min(round(to_s * 1e9), tracks.end_ns)
    last = end_ns // STEP_NS
    out.write(HEADER + "\n")
    rows = 0
    for begin in range(first, last + 1, STEPS):
        steps = np.arange(begin, min(begin + STEPS, last + 1))
        for line in _lines(tracks, steps):
            out.write(line)
            rows += 1
    return rows


def _lines(tracks: Tracks, steps: np.ndarray[Any, np.dtype[np.int64]]) -> Iterator[str]:
    count = len(tracks.robots)
    joined = [robot.joined_ns for robot in tracks.robots]
    rows = np.tile(np.arange(count), len(steps))
    x, y, theta = tracks.pose(rows, np.repeat(steps, count) * STEP_NS)
    theta = np.pi - (np.pi - theta) % (2 * np.pi)
    names = [_quoted(robot.name) for robot in tracks.robots]
    poses = zip(x.tolist(), y.tolist(), theta.tolist(), strict=True)
    for step in steps.tolist():
        time_s = f"{step // 10}.{step % 10}"
        for name, joined_ns in zip(names, joined, strict=True):
            px, py, turn = next(poses)
            if joined_ns <= step * STEP_NS:
                yield f"{time_s},{name},{px:.4f},{py:.4f},{turn:.5f}\n"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"' if set(name) & set(',"\r\n') else name


def footprints(run: Run, out: TextIO) -> int:
    """Write {robot name: [[x_m, y_m], ...]} in the robot's own frame (x forward, y left). Returns
    the number of robots."""
    shapes = {robot.name: robot.footprint_m.tolist() for robot in robots_of(run)}
    json.dump(shapes, out, indent=1)
    out.write("\n")
    return len(shapes)


def events(run: Run, out: TextIO, from_s: float = 0.0, to_s: float | None = None) -> int:
    """Write one JSON object a line: time_ns, seq, type, fields (bytes as base64). Returns the
    number of lines."""
    from_ns = round(from_s * 1e9)
    to_ns = None if to_s is None else round(to_s * 1e9)
    lines = 0
    for entry in run.entries():
        if entry.time_ns < from_ns:
            continue
        if to_ns is not None and entry.time_ns > to_ns:
            break
        row = {
            "time_ns": entry.time_ns,
            "seq": entry.seq,
            "type": type(entry.event).__name__,
            "fields": plain(entry.event),
        }
        out.write(json.dumps(row, separators=(",", ":")) + "\n")
        lines += 1
    return lines


def plain(value: Any) -> Any:
    """A message as JSON knows it; structs as objects, bytes as base64."""
    if isinstance(value, msgspec.Struct):
        return {name: plain(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    return value
