"""Where a fork turns off: its changes, applied to a running simulation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from orchestrator.core import bays, closures
from orchestrator.core.messages import PolicyChanged, RobotJoined, RobotRetired
from orchestrator.core.world import World
from orchestrator.layout import LoadedSite
from orchestrator.layout.site_file import FaultsFile
from sim.fork import Fork, altered, faults_after
from sim.scenario import ScenarioError, heading_in, parking_of

if TYPE_CHECKING:
    from sim.shell import Simulation


def turn(simulation: Simulation, fork: Fork) -> None:
    """Apply the fork, now. Where nothing changes, nothing is said or told. Raises `ScenarioError`
    if robots find no place; the run can't go on then."""
    if not fork.changes:
        return
    simulation.tell("forked", {"changes": fork.changes, "text": str(fork)})
    _settings(simulation, fork)
    for name, count in fork.fleets.items():
        if count > 0:
            _join(simulation, name, count)
        else:
            _retire(simulation, name, -count)


def _settings(simulation: Simulation, fork: Fork) -> None:
    before = simulation.loaded.site.policy
    loaded = altered(simulation.loaded, fork)
    _play(simulation, loaded, faults_after(fork, simulation.faults))
    for key in before.__dataclass_fields__:
        value = getattr(loaded.site.policy, key)
        if value != getattr(before, key):
            simulation.say(PolicyChanged(key=key, value=value))


def _play(simulation: Simulation, loaded: LoadedSite, faults: FaultsFile | None) -> None:
    """From now on the world plays by these numbers; the core's policy is another matter. What is not
    handed on here belongs into neither list in `sim.fork`."""
    simulation.loaded, simulation.faults = loaded, faults
    spec = loaded.spec.simulation
    simulation.network.change(spec.latency_ms, faults.message_late if faults else None)
    simulation.machines.change(spec, pick_fails(faults))
    simulation.mishaps.change(faults)
    simulation.breakdowns.change(faults)
    simulation.docks.change(faults.notice_wrong if faults else None)
    simulation.troubles.change(faults)
    simulation.trucks.change(faults.truck_late if faults else None)
    simulation.answers.change(loaded.site.policy)


def pick_fails(faults: FaultsFile | None) -> float:
    """Share of picks that fail beside the arm's own failures."""
    return faults.pick_fails.share if faults and faults.pick_fails else 0.0


def _join(simulation: Simulation, name: str, count: int) -> None:
    loaded, world = simulation.loaded, simulation.core.world
    fleet = next(i for i, known in enumerate(loaded.site.fleets) if known.id == name)
    places = list(open_places(world, fleet))
    room = min(len(places), _room_for_good(simulation, fleet))
    if count > room:
        at_s = simulation.clock.now_ns / 1e9
        raise ScenarioError(
            f"--fleet {name}=+{count}: at {at_s:g} s there are places left for {room} "
            f"(parking places and chargers that nobody holds or is on the way to) -> take {room} "
            "or fewer, fork at another time, or add parking bays to the layout"
        )
    low, high = loaded.spec.simulation.battery_at_start_percent
    known = sum(robot.fleet == fleet for robot in world.robots)
    for number, bay in enumerate(places[:count], known + 1):
        node = loaded.site.roadmap.bays[bay].node
        robot = f"{name}-{number:02d}"
        charge = simulation.streams.of("battery", robot).uniform(low, high)
        joined = RobotJoined(
            robot=len(world.robots), name=robot, fleet=fleet, node=node,
            heading_deg=heading_in(loaded, node), battery_permille=round(10 * charge),
        )  # fmt: skip
        _enters(simulation, joined)


def _enters(simulation: Simulation, joined: RobotJoined) -> None:
    robot = simulation.make_robot(joined)
    robot.charge_ns = simulation.clock.now_ns
    simulation.robots.append(robot)
    simulation.network.joined(robot.name)
    simulation.handling.joined(robot)
    simulation.troubles.deaths.joined(robot)
    simulation.enters(joined)


def open_places(world: World, fleet: int) -> Iterator[int]:
    """Parking bays and chargers where a robot of the fleet may appear: they can be reached and left,
    and nobody holds them, waits for them, or has a plan that touches them."""
    roadmap, traffic = world.site.roadmap, world.traffic
    shut: set[int] = set()
    for move in traffic.unfinished():
        shut.update(roadmap.move_stands[move.move_id])
    for bay in parking_of(roadmap, fleet):
        stand = fleet * roadmap.nodes + roadmap.bays[bay].node
        touched = any(other in traffic.stands for other in roadmap.stand_stands[stand])
        reached = closures.bay_fleets(world, bay) >> fleet & 1
        if reached and bays.free(world, bay) and not touched and stand not in shut:
            yield bay


def _room_for_good(simulation: Simulation, fleet: int) -> int:
    """How many more robots of the fleet the layout has a place for when all of them park at once."""
    world, roadmap = simulation.core.world, simulation.loaded.site.roadmap
    taken: set[int] = set()
    counts = [0] * len(simulation.loaded.site.fleets)
    for robot in world.robots:
        counts[robot.fleet] += 1
    for other, count in enumerate(counts):
        if other != fleet:
            places = [bay for bay in parking_of(roadmap, other) if bay not in taken]
            places.sort(key=lambda bay: roadmap.bays[bay].fleets >> fleet & 1)
            taken.update(places[:count])
    mine = [bay for bay in parking_of(roadmap, fleet) if bay not in taken]
    return max(0, len(mine) - counts[fleet])


def _retire(simulation: Simulation, name: str, count: int) -> None:
    world = simulation.core.world
    fleet = next(i for i, f in enumerate(simulation.loaded.site.fleets) if f.id == name)
    serving = [robot for robot in world.robots if robot.fleet == fleet and not robot.retired]
    if count > len(serving):
        raise ScenarioError(
            f"--fleet {name}=-{count}: {len(serving)} robots of it are in service at "
            f"{simulation.clock.now_ns / 1e9:g} s -> retire as many or fewer"
        )
    serving.sort(key=lambda robot: (not robot.idle, bool(robot.legs), -robot.index))
    for robot in sorted(serving[:count], key=lambda robot: robot.index):
        simulation.say(RobotRetired(robot=robot.index))
