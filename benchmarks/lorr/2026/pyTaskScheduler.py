"""Scheduler of the League's 2026 start kit: ours. See ../README.md."""

from __future__ import annotations

from typing import Any

from sim.lorr_window import WindowTeam

TEAM = WindowTeam.told()  # the kit makes scheduler and planner apart; both are one


class pyTaskScheduler:
    """The name and methods that the kit looks for."""

    env: Any = None

    def initialize(self, preprocess_time_limit: int) -> None:
        """Before the clock runs."""
        TEAM.prepare(self.env)

    def plan(self, time_limit: int) -> list[int]:
        """A task for each robot."""
        return TEAM.schedule(self.env)
