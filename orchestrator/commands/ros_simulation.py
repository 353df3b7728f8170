"""What the simulator's node plays: VDA 5050 vehicles and their building over a broker, in a thread; or
robots like those with Nav2. Without ROS 2."""

from __future__ import annotations

import asyncio
import contextlib
import math
import secrets
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from orchestrator.commands.demo import find_site
from orchestrator.ros.parameters import SettingsError
from sim.nav2 import SimNav2
from sim.recipe import Recipe, of_site

HOURS = 24.0


def recipe_of(values: dict[str, Any]) -> Recipe:
    """Of the site that the parameters name."""
    name = values["site"]
    if not name:
        raise SettingsError(
            "site: is empty -> a folder, or the name of one that came with the package"
        )
    path = Path(name)
    if not path.exists() and name == path.name:
        path = find_site(name)
    return of_site(path, seed=values["seed"], hours=HOURS * max(1.0, values["speed"]))


def nav2_robots(values: dict[str, Any]) -> dict[str, SimNav2]:
    """One for each namespace, where the site's robots of the fleet begin."""
    recipe = recipe_of(values)
    loaded = recipe.load()
    fleet = values["fleet"] or next(iter(loaded.spec.fleets))
    if fleet not in loaded.spec.fleets:
        raise SettingsError(f"fleet: {fleet!r} -> one of {', '.join(loaded.spec.fleets)}")
    names, spec, roadmap = values["nav2_robots"], loaded.spec.fleets[fleet], loaded.site.roadmap
    fleets = dict.fromkeys(loaded.spec.fleets, 0) | {fleet: len(names)}
    scenario, _ = Recipe(recipe.name, recipe.files, recipe.seed, fleets=fleets).scenario()
    found = {}
    for name, start in zip(names, scenario.robots, strict=True):
        x, y = roadmap.node_x_mm[start.node] / 1000, roadmap.node_y_mm[start.node] / 1000
        pose = (x, y, math.radians(start.heading_deg))
        turn = math.radians(spec.turn_degps)
        found[name] = SimNav2(pose, spec.speed_mps, spec.acceleration_mps2, turn)
    return found


class Vehicles:
    """As `lightsout fleet simulate`. Raises what keeps it from beginning; `now_ns`: simulated."""

    def __init__(self, values: dict[str, Any], broken: Callable[[str], None]) -> None:
        self._values, self._broken = values, broken
        self._recipe = recipe_of(values)
        self._scenario, _ = self._recipe.scenario()
        if not values["mqtt_url"]:
            raise SettingsError(
                "mqtt_url: is empty -> the orchestrator's broker, or name nav2_robots"
            )
        self._fleet: Any = None
        self._task: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._live, daemon=True)

    def now_ns(self) -> int:
        """-1: it has not begun."""
        return int(self._fleet.clock.now_ns) if self._fleet is not None else -1

    def start(self) -> None:
        """Until `stop`."""
        self._thread.start()

    def stop(self) -> None:
        """Every vehicle signs off."""
        if self._loop is not None and self._task is not None:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join(10.0)

    def _live(self) -> None:
        try:
            asyncio.run(self._play())
        except Exception as error:  # told to the node, which ends
            self._broken(f"{type(error).__name__}: {error}")

    async def _play(self) -> None:
        from orchestrator.commands.virtual_fleet import VirtualFleet  # noqa: PLC0415
        from orchestrator.journal import RunWriter  # noqa: PLC0415
        from orchestrator.mqtt import MqttLink  # noqa: PLC0415
        from sim.vehicle.building import Building  # noqa: PLC0415
        from sim.vehicle.mischief import WireFaults  # noqa: PLC0415
        from sim.vehicle.quiet import Unrecorded  # noqa: PLC0415

        values, url = self._values, self._values["mqtt_url"]
        writer = None
        if values["record"]:
            meta = self._recipe.meta() | {"run_id": secrets.token_hex(4), "building": True}
            writer = RunWriter(Path(values["record"]), meta)
        virtual = VirtualFleet(
            lambda **options: MqttLink(url, **options), WireFaults(format=1), values["seed"],
            values["speed"],
        )  # fmt: skip
        into = writer or Unrecorded()
        self._fleet = Building(self._scenario, into, virtual.publish, virtual.utc_ns)
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.create_task(virtual.play(self._fleet, writer, None))
        try:
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        except BaseException:
            if writer is not None:
                writer.abandon()
            raise
        if writer is not None:
            writer.close("closed", figures={})
