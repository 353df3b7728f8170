"""Faults drawn at random: what goes wrong, and how often, from a seed alone. For sweeps."""

from __future__ import annotations

import random
from typing import Any

import yaml

ON = 0.7  # share of kinds that happen at all
# kind -> key -> [least, most]: drawn evenly on the logarithm
RANGES: dict[str, dict[str, tuple[float, float]]] = {
    "robot_dies": {"per_robot_hour": (0.01, 0.2), "restart_success": (0.6, 0.95)},
    "robot_slips": {"per_robot_hour": (0.005, 0.1)},
    "robot_nonsense": {"per_robot_hour": (0.002, 0.05)},
    "lane_blocked": {"per_hour": (0.2, 4)},
    "pick_fails": {"share": (0.01, 0.15)},
    "message_late": {"share": (0.002, 0.05)},
    "truck_late": {"share": (0.01, 0.3)},
    "notice_wrong": {"share": (0.01, 0.3)},
    "machine_down": {"per_hour": (0.01, 0.2), "repair_success": (0.6, 0.95)},
    "charger_dies": {"per_hour": (0.01, 0.2)},
    "pick_wrong": {"share": (0.001, 0.03)},
    "item_wrong": {"share": (0.0005, 0.02)},
    "label_wrong": {"share": (0.0005, 0.02)},
    "label_torn": {"share": (0.001, 0.05)},
    "item_damaged": {"share": (0.001, 0.03)},
    "item_dropped": {"share": (0.001, 0.03)},
    "stock_wrong": {"share": (0.01, 0.15)},
    "answer_lost": {"share": (0.0001, 0.004)},
    "goods_wrong": {"share": (0.002, 0.05)},
    "goods_damaged": {"share": (0.002, 0.05)},
}
FIXED: dict[str, dict[str, Any]] = {
    "lane_blocked": {"left_share": 0.1},
    "message_late": {"delay_s": [0.5, 6]},
    "truck_late": {"delay_minutes": [2, 15]},
}


def text(seed: int) -> str:
    """A faults.yaml for this seed."""
    chance = random.Random(f"faults {seed}")
    kinds: dict[str, Any] = {"format": 1}
    for kind, keys in RANGES.items():
        on = chance.random() < ON
        drawn = {key: _drawn(chance, *span) for key, span in keys.items()}
        if on:
            kinds[kind] = drawn | FIXED.get(kind, {})
    return yaml.safe_dump(kinds, sort_keys=False)


def _drawn(chance: random.Random, least: float, most: float) -> float:
    return float(f"{least * (most / least) ** chance.random():.3g}")
