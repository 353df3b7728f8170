"""Scheduler of the League's 2024 start kit: ours. See ../README.md."""

from __future__ import annotations

from typing import Any

from sim.lorr_kit import StepTeam

TEAM = StepTeam.told()  # the kit makes scheduler and planner apart; both are one


class pyTaskScheduler:
    """The name and methods that the kit looks for."""

    def __init__(self, env: Any) -> None:
        self.env = env

    def initialize(self, preprocess_time_limit: int) -> None:
        """Before the clock runs."""
        TEAM.prepare(self.env)

    def plan(self, time_limit: int) -> list[int]:
        """A task for each robot."""
        return TEAM.schedule(self.env)
