"""Binary frames: pieces of motion for the page, as columns that a browser reads without a copy.

Little-endian. A header of 32 bytes, then columns of `count` values each, in this sequence:

    offset  type     name
    0       4 bytes  magic "LOM1"
    4       u32      flags; bit 0: reset, forget all motion from before
    8       f64      from_s, 16: f64 to_s: the time span for which motion is complete with this frame
    24      u32      count, 28: u32 generation of the seek it answers
    32      f64[]    t0_s
            f32[]    dt_s, x_m, y_m, theta_rad, direction_rad, v_mps, a_mps2, omega_radps
            u32[]    robot

At tau seconds after t0 (0 <= tau <= dt): s = v tau + a tau^2 / 2, the robot is at x + cos(direction) s,
y + sin(direction) s, with heading theta + omega tau. Between pieces it stands where the last one
ended. A piece with dt 0 says where a robot stands; before the first one it isn't there. Pieces of
one robot never overlap; a repeated (robot, t0) replaces the earlier.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from orchestrator.journal import MOTION

MAGIC = b"LOM1"
RESET = 1
HEADER = struct.Struct("<4sIddII")
FLOATS = ("x_m", "y_m", "theta_rad", "direction_rad", "v_mps", "a_mps2", "omega_radps")


def pack_motion(
    rows: NDArray[Any], from_ns: int, to_ns: int, *, reset: bool = False, generation: int = 0
) -> bytes:
    """Rows of dtype MOTION as a frame."""
    head = HEADER.pack(
        MAGIC, RESET if reset else 0, from_ns / 1e9, to_ns / 1e9, len(rows), generation
    )
    parts = [head, (rows["t0_ns"] / 1e9).astype("<f8").tobytes()]
    parts.append((rows["dt_ns"] / 1e9).astype("<f4").tobytes())
    parts += [rows[name].astype("<f4").tobytes() for name in FLOATS]
    parts.append(rows["robot"].astype("<u4").tobytes())
    return b"".join(parts)


def unpack_motion(frame: bytes) -> tuple[dict[str, Any], NDArray[Any]]:
    """The inverse, to the precision of the columns. Raises ValueError on anything else."""
    if len(frame) < HEADER.size or frame[:4] != MAGIC:
        raise ValueError("no motion frame")
    _, flags, from_s, to_s, count, generation = HEADER.unpack_from(frame)
    if len(frame) != HEADER.size + count * 44:
        raise ValueError(f"a frame of {count} pieces can't be {len(frame)} bytes long")
    rows = np.zeros(count, MOTION)
    at = HEADER.size
    rows["t0_ns"] = np.round(np.frombuffer(frame, "<f8", count, at) * 1e9)
    at += 8 * count
    rows["dt_ns"] = np.round(np.frombuffer(frame, "<f4", count, at) * 1e9)
    for number, name in enumerate(FLOATS, 1):
        rows[name] = np.frombuffer(frame, "<f4", count, at + 4 * count * number)
    rows["robot"] = np.frombuffer(frame, "<u4", count, at + 4 * count * 8)
    head = {"reset": bool(flags & RESET), "from_s": from_s, "to_s": to_s, "generation": generation}
    return head, rows
