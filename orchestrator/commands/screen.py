"""Live figures of a run in the terminal."""

from __future__ import annotations

from types import TracebackType
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table

from orchestrator.core.filing import tally
from sim.shell import Simulation

SECOND_NS = 1_000_000_000


class Quiet:
    """No screen."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        return None


class Screen:
    """Redraws a table while the run goes on. Used as the `progress` of a run."""

    def __init__(self, name: str, hours: float) -> None:
        self._name, self._end_s = name, hours * 3600
        self._live = Live(console=Console(stderr=True), refresh_per_second=4, transient=True)

    def __enter__(self) -> Screen:
        self._live.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._live.__exit__(kind, error, trace)

    def __call__(self, simulation: Simulation) -> None:
        """Show where the run stands."""
        now_s = simulation.clock.now_ns / SECOND_NS
        if int(now_s) % 10 == 0:
            self._live.update(self._table(simulation, now_s))

    def _table(self, simulation: Simulation, now_s: float) -> Table:
        world = simulation.core.world
        orders = tally(world)
        done, opened = orders.get("done", 0), orders.get("open", 0)
        aside = sum(orders.values()) - done - opened
        rows: dict[str, Any] = {
            "time": f"{int(now_s) // 3600}:{int(now_s) // 60 % 60:02}:{int(now_s) % 60:02}"
            f"  ({100 * now_s / self._end_s:.0f} %)",
            "orders": f"{done} done, {opened} open, {aside} set aside",
            "per hour": f"{done / max(now_s, 1) * 3600:.0f}",
            "robots": f"{sum(not robot.idle for robot in world.robots)} of "
            f"{len(world.robots)} busy, {sum(robot.dead for robot in world.robots)} down",
            "events": world.events,
        }
        table = Table(title=self._name, show_header=False)
        for key, value in rows.items():
            table.add_row(key, str(value))
        return table
