"""How often the embedded readers do what, as measured: for simulations that render nothing.

`calibration.json` is written by `lightsout bench vision --calibrate FILE`.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

from orchestrator.vision.model import Task
from sim.cameras.tally import upper

FITS = {
    "read_label": "same",
    "identify_item": "same",
    "verify_pick": "same",
    "inspect_damage": "intact",
    "check_lane": "clear",
}
POSSIBLE: dict[Task, tuple[str, ...]] = {
    "read_label": ("misread", "unreadable", "doubtful"),
    "identify_item": ("mismatch", "unreadable", "doubtful"),
    "verify_pick": ("mismatch", "unreadable", "doubtful", "damaged"),
    "inspect_damage": ("damaged", "unreadable", "doubtful"),
    "check_lane": ("blocked", "unreadable", "doubtful"),
}
# kind -> what is right of it, if not the first that is possible
RIGHT = {"broken": "damaged", "none": "unreadable", "stranger": "unreadable", "two": "doubtful"}


class RatesError(ValueError):
    """The calibration has no such task, level or kind."""


@cache
def rates(task: Task, level: str, kind: str = "") -> dict[str, float]:
    """The chance of each outcome when what is the matter is `kind` ("": nothing). Every outcome that
    would be an error has the upper 95 % bound of its rate, also where it was never seen; what is
    left is the outcome that is right. They add up to 1."""
    kind = kind or FITS[task]
    try:
        seen: dict[str, int] = measured()["counts"][task][level][kind]
    except KeyError as error:
        text = f"calibration.json: nothing of {task}, {level}, {kind} -> bench vision --calibrate"
        raise RatesError(text) from error
    right = "ok" if kind == FITS[task] else RIGHT.get(kind, POSSIBLE[task][0])
    asked = sum(seen.values())
    errors = {name: upper(seen.get(name, 0), asked) for name in ("ok", *POSSIBLE[task])}
    del errors[right]
    total = sum(errors.values())
    if total >= 1:  # few were asked: what is right keeps the lower bound of its own rate
        most = upper(asked - seen.get(right, 0), asked)
        errors = {name: share * most / total for name, share in errors.items()}
    return {right: 1.0 - sum(errors.values()), **errors}


@cache
def measured() -> dict[str, Any]:
    """The file as it is."""
    text = (files("sim.cameras") / "calibration.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found
