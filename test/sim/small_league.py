"""A small instance of the League: six robots on a 6 x 8 floor with two shelves."""

from __future__ import annotations

import json
from pathlib import Path

ROWS = ["........", ".@@..@@.", "........", "........", ".@@..@@.", "........"]
TASKS = [f"{a},{b}" for a, b in ((3, 44), (16, 31), (47, 0), (20, 7), (12, 40))]


def written(folder: Path) -> Path:
    """Write it; return the instance's file."""
    (folder / "m.map").write_text("type octile\nheight 6\nwidth 8\nmap\n" + "\n".join(ROWS) + "\n")
    (folder / "a.agents").write_text("6\n0\n7\n16\n23\n40\n47\n")
    (folder / "t.tasks").write_text("# version for LoRR 2024\n5\n" + "\n".join(TASKS) + "\n")
    head = {
        "mapFile": "m.map", "agentFile": "a.agents", "taskFile": "t.tasks", "teamSize": 6,
        "numTasksReveal": 1.5, "version": "2024 LoRR",
    }  # fmt: skip
    path = folder / "small.json"
    path.write_text(json.dumps(head))
    return path
