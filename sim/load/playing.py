"""The process of the cheap vehicles."""

from __future__ import annotations

import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from sim.load.figures import keep
from sim.load.fleet import LoadFleet
from sim.load.hall import Start

SLICE_S = 0.25
DRAIN_S = 2.0


@dataclass(frozen=True, slots=True)
class Task:
    """What the fleet's process is to do."""

    port: int
    folder: str
    starts: tuple[Start, ...]
    hz: float


def play(task: Task, pipe: Connection) -> None:
    """Live; told (begin, end) of what is to be measured, live until the end and send figures."""
    fleet = LoadFleet(("127.0.0.1", task.port), task.starts, task.hz)
    pipe.send("up")
    while not pipe.poll():
        fleet.run_until(time.monotonic() + SLICE_S)
    begin, end = pipe.recv()
    fleet.run_until(begin)
    before = _counts(fleet)
    fleet.run_until(end)
    after = _counts(fleet)
    fleet.listen_until(end + DRAIN_S)
    keep(Path(task.folder) / "fleet.npz", fleet.log)
    last = _counts(fleet)
    fleet.close()
    pipe.send({name: after[name] - before[name] for name in after} | {
        "states_said_in_all": last["states_out"],
        "orders_read_in_all": last["orders_in"],
        "orders_missing": sum(v.orders_lost for v in fleet.vehicles),
        "orders_misfit": last["misfit"],
        "unsent_bytes": fleet.unsent_bytes,
    })  # fmt: skip


def _counts(fleet: LoadFleet) -> dict[str, Any]:
    vehicles = fleet.vehicles
    return {
        "states_out": sum(v.header for v in vehicles),
        "orders_in": sum(v.orders for v in vehicles),
        "nodes": sum(v.nodes for v in vehicles),
        "stops": sum(v.stops for v in vehicles),
        "beats": fleet.beats,
        "beats_driving": fleet.beats_driving,
        "misfit": sum(v.refused for v in vehicles),
    }
