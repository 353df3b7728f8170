"""A small run, made by hand: two robots, two totes, three orders, one fault, a person."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from orchestrator.core.messages import BatteryCrossed, Entry, RunStarted, encode
from orchestrator.journal import RunWriter
from orchestrator.layout import read_files

SITE = Path(__file__).parents[2] / "sites" / "jd_small"
S = 10**9
FOOTPRINT = [[0.45, 0.33], [-0.45, 0.33], [-0.45, -0.33], [0.45, -0.33]]
MINUTES = 10


def robot(index: int, x_m: float) -> dict[str, Any]:
    """A `robot` fact."""
    return {
        "robot": index, "name": f"tote_amr-0{index + 1}", "fleet": "tote_amr",
        "footprint": FOOTPRINT, "speed_mps": 1.0, "acceleration_mps2": 1.0, "turn_radps": 1.0,
        "x_m": x_m, "y_m": 1.4, "theta_rad": 0.0,
    }  # fmt: skip


def order(name: str, due_s: int) -> dict[str, Any]:
    """An `order` fact."""
    return {"order_id": name, "kind": "outbound", "lines": [["SKU-01", 1]], "due_ns": due_s * S}


FACTS: list[tuple[float, str, dict[str, Any]]] = [
    (0, "robot", robot(0, 0.0)),
    (0, "robot", robot(1, 5.0)),
    (0, "tote", {"tote": "tote-1", "sku": "SKU-01", "quantity": 30, "place": "slot:slot-00"}),
    (0, "tote", {"tote": "tote-2", "sku": "SKU-02", "quantity": 30, "place": "slot:slot-01"}),
    (10, "order", order("order-1", 300)),
    (12, "order", order("order-2", 60)),
    (15, "order", order("order-3", 2000)),
    (20, "load_moved", {"load": "tote-1", "from": "slot:slot-00", "to": "robot:tote_amr-01"}),
    (40, "units_moved", {"sku": "SKU-01", "quantity": 1, "tote": "tote-1", "order_id": "order-1"}),
    (50, "parcel_packed", {"parcel": "parcel-1", "order_id": "order-1", "contents": {"SKU-01": 1},
                           "station": "pick-0"}),
    (60, "fault", {"kind": "robot_dies", "robot": "tote_amr-02", "reason": "drive fault"}),
    (90, "parcel_delivered", {"parcel": "parcel-1", "order_id": "order-1", "station": "chute-0",
                              "contents": {"SKU-01": 1}}),
    (91, "order_closed", {"order_id": "order-1", "status": "done", "reason": ""}),
    (100, "human_touched", {"robot": "tote_amr-02", "loads": [], "orders": ["order-3"]}),
    (101, "fault_ended", {"kind": "robot_dies", "robot": "tote_amr-02"}),
    (120, "order_closed", {"order_id": "order-2", "status": "quarantined",
                           "reason": "no unit left"}),
]  # fmt: skip


class Story:
    """Writes the run, minute by minute, so that tests can watch it grow."""

    def __init__(self, path: Path) -> None:
        self.path = path
        meta = {"recipe": {"name": "jd_small", "files": read_files(SITE), "seed": 1, "hours": 1}}
        self.writer = RunWriter(path, meta)
        self.seq = 0
        self.minute = 0
        self._event(0, RunStarted(site_hash="x", core_version=1))

    def _event(self, t_s: float, event: Any) -> None:
        t_ns = round(t_s * S)
        self.writer.append(encode(Entry(t_ns, self.seq, event)), t_ns, self.seq)
        self.seq += 1

    def write_minute(self) -> None:
        """Robot 0 drives a metre east and back each 20 s; a commit at the end."""
        begin = 60 * self.minute
        for t_s, kind, fact in FACTS:
            if begin <= t_s < begin + 60:
                self.writer.truth(round(t_s * S), kind, fact)
        for t_s in range(begin, begin + 60, 20):
            for at, x, direction in ((t_s, 0.0, 0.0), (t_s + 10, 1.0, math.pi)):
                row = (0, at * S, S, x, 1.4, 0.0, direction, 1.0, 0.0, 0.0)
                self.writer.motion(row)
        self._event(begin + 30, BatteryCrossed(robot=0, battery_permille=900 - 50 * self.minute))
        self.minute += 1
        self.writer.commit()

    def close(self) -> None:
        """The last minutes, and the end."""
        while self.minute < MINUTES:
            self.write_minute()
        self.writer.truth(60 * MINUTES * S, "end", {})
        self.writer.close("closed", figures={"orders": 3})


def wait_for(done: Callable[[], bool], timeout_s: float = 10.0) -> None:
    """Poll until it holds."""
    end = time.monotonic() + timeout_s
    while not done():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)
