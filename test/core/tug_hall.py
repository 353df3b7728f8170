"""Two vehicles with several places at rest, and six parcels for them."""

from __future__ import annotations

from whole_ring import tug_files

from orchestrator.core.messages import RobotJoined, RunStarted
from orchestrator.core.step import step
from orchestrator.core.world import CORE_VERSION, Task, World, new_world
from orchestrator.layout import load_files

LOADED = load_files(tug_files(), "ring")
PARKING = [bay for bay in LOADED.site.roadmap.bays if bay.kind == "parking"]
TASKS = 6


def hall() -> World:
    """Two tuggers at rest, six parcels to bring from the chute to the door."""
    world = new_world(LOADED.site)
    step(world, 0, RunStarted(site_hash=LOADED.site.hash, core_version=CORE_VERSION))
    for index in range(2):
        joined = RobotJoined(
            robot=index, name=f"tug-{index}", fleet=1, node=PARKING[index].node, heading_deg=0,
            battery_permille=900,
        )  # fmt: skip
        step(world, 0, joined)
    stations = {station.kind: station for station in LOADED.site.stations}
    bays = LOADED.site.roadmap.bays
    start, end = stations["chute"].bay, stations["door"].bay
    for number in range(1, TASKS + 1):
        world.tasks[number] = Task(
            number, 2, bays[start].node, start, f"p{number}", ("o", "collect", -1), 0,
            bays[end].node, end, "drop",
        )  # fmt: skip
    return world
