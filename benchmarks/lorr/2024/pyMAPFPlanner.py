"""Planner of the League's 2024 start kit: ours. See ../README.md."""

from __future__ import annotations

from typing import Any

import MAPF  # registers the kit's types
from pyTaskScheduler import TEAM

__all__ = ["MAPF", "pyMAPFPlanner"]


class pyMAPFPlanner:
    """The name and methods that the kit looks for."""

    def __init__(self, env: Any) -> None:
        self.env = env

    def initialize(self, preprocess_time_limit: int) -> None:
        """Before the clock runs."""
        TEAM.prepare(self.env)

    def plan(self, time_limit: int) -> list[int]:
        """An action for each robot."""
        return TEAM.actions(time_limit)
