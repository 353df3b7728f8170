"""Robots and parts of the building that are paused, evacuated, closed or stopped.

Nobody enters the nodes of such a part (`core.closures`). Who is paused or stopped stands, at the latest
at the end of what it holds, and others are planned round it; who is evacuated ends what it has loaded,
or lets it wait, and parks outside.
"""

from __future__ import annotations

from orchestrator.core import bays, carry, closing, detours, missions, planning
from orchestrator.core.messages import (
    PauseRobot,
    ResumeRobot,
    RobotsEvacuated,
    RobotsPaused,
    RobotsResumed,
    ZoneClosed,
    ZoneOpened,
)
from orchestrator.core.robots import Robot
from orchestrator.core.world import Scope, World

HOLDS = ("pause", "stop")
SHUTS_STATIONS = ("close", "stop")


def asked(world: World, event: RobotsPaused | RobotsEvacuated) -> str:
    """A pause or an evacuation."""
    kind = "pause" if isinstance(event, RobotsPaused) else "evacuate"
    nodes = dict.fromkeys(event.nodes)
    return begin(world, Scope(kind, event.robot, event.fleet, event.zone, nodes))


def closed(world: World, event: ZoneClosed) -> str:
    """Nobody enters the zone from now on."""
    return begin(world, Scope("close", zone=event.zone, nodes=dict.fromkeys(event.nodes)))


def resumed(world: World, event: RobotsResumed) -> str:
    """Ends what was asked for under the same name. Where nothing was, it is refused if those robots
    stand, or stay away, for what was asked under other names."""
    scopes = [Scope(kind, event.robot, event.fleet, event.zone) for kind in ("pause", "evacuate")]
    names = [name for scope in scopes if (name := name_of(world, scope)) in world.scopes]
    for name in names:
        end(world, name)
    return "" if names else _held_otherwise(world, scopes[0])


def _held_otherwise(world: World, scope: Scope) -> str:
    others: dict[str, None] = {}
    for robot in world.robots if not scope.zone else ():
        if scope.all or robot.index == scope.robot or robot.fleet == scope.fleet:
            others.update(dict.fromkeys((*robot.holds, *robot.away)))
    if not others:
        return ""
    return f"nothing of this name was asked; robots are held by: {', '.join(others)}: end that"


def opened(world: World, event: ZoneOpened) -> str:
    """The zone may be entered."""
    end(world, name_of(world, Scope("close", zone=event.zone)))
    return ""


def name_of(world: World, scope: Scope) -> str:
    """What it is kept by."""
    if scope.robot >= 0:
        return f"{scope.kind} robot {world.robots[scope.robot].name}"
    if scope.fleet >= 0:
        return f"{scope.kind} fleet {world.site.fleets[scope.fleet].id}"
    return f"{scope.kind} zone {scope.zone}" if scope.zone else f"{scope.kind} all"


def why_not(world: World, scope: Scope) -> str:
    """The reason why it can't be; "": it can."""
    if scope.kind == "stop":
        return ""
    if bool(scope.zone) != bool(scope.nodes):
        return "a zone has a name and at least one node: give both"
    known = world.scopes.get(name_of(world, scope))
    if known is not None and known.nodes != scope.nodes:
        return f"{name_of(world, scope)}: is so already, with other nodes: end that first"
    if scope.kind != "pause" and scope.nodes:
        node_bay = world.site.roadmap.node_bay
        inside = sum(node_bay[node] < 0 for node in scope.nodes)
        if 2 * inside > sum(bay < 0 for bay in node_bay):
            return f"zone {scope.zone} is more than half of all lanes: nobody could get out of it"
    return ""


def begin(world: World, scope: Scope) -> str:
    """From now on; return why not."""
    reason, name = why_not(world, scope), name_of(world, scope)
    if reason or name in world.scopes:
        return reason
    world.scopes[name] = scope
    world.traffic.drop_planned()
    planning.stale(world)
    for robot in world.robots:
        if _covers(world, scope, robot):
            _take(world, name, scope, robot)
    if scope.kind in SHUTS_STATIONS:
        for station in _stations(world, scope):
            closing.close(world, station, name)
    detours.changed(world)
    return ""


def end(world: World, name: str) -> None:
    """It is over, for all robots at once."""
    if drop(world, name) is None:
        return
    robots = [robot for robot in world.robots if name in robot.holds or name in robot.away]
    for robot in robots:
        robot.away.pop(name, None)
        let_go(world, robot, name)
    planning.stale(world)
    detours.changed(world)
    for robot in robots:
        missions.advance(world, robot)


def drop(world: World, name: str) -> Scope | None:
    """The part may be entered again; its robots are another matter."""
    scope = world.scopes.pop(name, None)
    if scope is not None and scope.kind in SHUTS_STATIONS:
        for station in _stations(world, scope):
            closing.open_again(world, station, name)
    return scope


def let_go(world: World, robot: Robot, name: str) -> None:
    """One reason less to stand."""
    if name in robot.holds:
        del robot.holds[name]
        if not robot.holds:
            robot.gained_ns = world.time_ns
            world.out.append(ResumeRobot(robot=robot.index))


def joined(world: World, robot: Robot) -> None:
    """What holds for others like it holds for a robot that comes later."""
    for name, scope in world.scopes.items():
        if _covers(world, scope, robot):
            _take(world, name, scope, robot)


def _covers(world: World, scope: Scope, robot: Robot) -> bool:
    if scope.robot >= 0 or scope.fleet >= 0:
        return robot.index == scope.robot or robot.fleet == scope.fleet
    if not scope.nodes:
        return True
    return any(node in scope.nodes for node in world.traffic.held_nodes(robot.index))


def _take(world: World, name: str, scope: Scope, robot: Robot) -> None:
    if scope.kind == "close":
        return
    carry.give_back(world, robot)
    robot.next_task = -1
    if scope.kind in HOLDS:
        stop = scope.kind == "stop"
        if stop or not robot.holds:
            world.out.append(PauseRobot(robot=robot.index, emergency=stop))
        robot.holds[name] = None
    else:
        robot.away[name] = False


def _stations(world: World, scope: Scope) -> list[int]:
    """Those in the part; all, where it is everything."""
    known = world.site.roadmap.bays
    inside = [(i, known[s.bay].node in scope.nodes) for i, s in enumerate(world.site.stations)]
    return [index for index, within in inside if within or scope.all]


def lead_out(world: World) -> None:
    """Once a tick: robots that are to be away park, outside; who finds no place is told of once."""
    if not any(scope.kind == "evacuate" for scope in world.scopes.values()):
        return
    for robot in world.robots:
        if not robot.away or robot.off or robot.stuck or robot.action >= 0 or robot.goal >= 0:
            continue
        waits = (robot.idle and not robot.legs) or robot.cut or robot.waiting_bay >= 0
        if not waits or _away(world, robot):
            continue
        missions.park(world, robot)
        if not (robot.legs and robot.legs[0].parking):
            for name, told in robot.away.items():
                if not told:
                    robot.away[name] = True
                    world.alarm(robot.name, f"{name}: there is no parking place for it")


def _away(world: World, robot: Robot) -> bool:
    index = bays.inside(world, robot.index)
    if index < 0:
        return False
    bay = world.site.roadmap.bays[index]
    return bay.kind in ("parking", "charger") and open_to_rest(world, bay.node)


def open_to_rest(world: World, node: int) -> bool:
    """The node is in no part that is closed."""
    return all(node not in scope.nodes for scope in world.scopes.values())
