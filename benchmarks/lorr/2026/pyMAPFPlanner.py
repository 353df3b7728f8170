"""Planner of the League's 2026 start kit: ours. See ../README.md."""

from __future__ import annotations

from typing import Any

from pyTaskScheduler import TEAM


class pyMAPFPlanner:
    """The name and methods that the kit looks for."""

    env: Any = None

    def initialize(self, preprocess_time_limit: int) -> None:
        """Before the clock runs."""
        TEAM.prepare(self.env)

    def plan(self, time_limit: int) -> list[list[int]]:
        """Actions for each robot."""
        return TEAM.actions(self.env, time_limit)
