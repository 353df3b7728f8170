"""What to draw, as markers: the layout, robots, what they hold and what is planned. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from orchestrator.api.robot_states import activity_of
from orchestrator.core.robots import Robot
from orchestrator.core.world import World
from orchestrator.ros import messages as ros
from orchestrator.ros.translation import MAP, pose, time, xy_m

CUBE_LIST, LINE_LIST, LINE_STRIP, POINTS, TEXT, TRIANGLES = 6, 5, 4, 8, 9, 11
ADD, DELETE = 0, 2
Outline = Sequence[tuple[float, float]]

LANE = ros.ColorRGBA(0.55, 0.58, 0.62, 1.0)
NODE = ros.ColorRGBA(0.40, 0.43, 0.47, 1.0)
HELD = ros.ColorRGBA(0.10, 0.55, 0.95, 0.9)
PLANNED = ros.ColorRGBA(0.95, 0.70, 0.15, 0.7)
WRITING = ros.ColorRGBA(0.95, 0.95, 0.95, 1.0)
BAYS = {
    "slot": ros.ColorRGBA(0.35, 0.40, 0.48, 0.6),
    "station": ros.ColorRGBA(0.20, 0.60, 0.45, 0.8),
    "charger": ros.ColorRGBA(0.90, 0.80, 0.20, 0.8),
    "parking": ros.ColorRGBA(0.45, 0.45, 0.55, 0.6),
}
LOOKS = {
    "driving": ros.ColorRGBA(0.10, 0.65, 0.35, 1.0),
    "handling": ros.ColorRGBA(0.15, 0.70, 0.70, 1.0),
    "charging": ros.ColorRGBA(0.95, 0.85, 0.15, 1.0),
    "faulted": ros.ColorRGBA(0.90, 0.10, 0.10, 1.0),
    "blocked": ros.ColorRGBA(0.95, 0.45, 0.05, 1.0),
    "stopped": ros.ColorRGBA(0.75, 0.05, 0.45, 1.0),
    "paused": ros.ColorRGBA(0.65, 0.45, 0.80, 1.0),
}
OTHERWISE = ros.ColorRGBA(0.55, 0.60, 0.70, 1.0)
LINE_M, CELL_M, LETTERS_M, BODY_M = 0.06, 0.30, 0.35, 0.20


def layout(world: World, time_ns: int) -> ros.MarkerArray:
    """Lanes, nodes, bays by kind, and stations by name. Drawn once."""
    site = world.site
    roadmap = site.roadmap
    nodes = [ros.Point(*xy_m(world, node)) for node in range(roadmap.nodes)]
    lanes = _drawn("lanes", 0, LINE_LIST, LINE_M, LANE, time_ns)
    lanes.points = _lines(world, range(roadmap.edges), 0.0)
    places = _drawn("nodes", 0, POINTS, 2 * LINE_M, NODE, time_ns)
    places.points = [p for p, bay in zip(nodes, roadmap.node_bay, strict=True) if bay < 0]
    found = [lanes, places]
    for number, (kind, colour) in enumerate(BAYS.items()):
        bays = _drawn("bays", number, CUBE_LIST, CELL_M, colour, time_ns)
        bays.scale.z = 0.02
        bays.points = [nodes[bay.node] for bay in roadmap.bays if bay.kind == kind]
        if bays.points:
            found.append(bays)
    for number, station in enumerate(site.stations):
        text = _drawn("stations", number, TEXT, LETTERS_M, WRITING, time_ns)
        x, y = xy_m(world, roadmap.bays[station.bay].node)
        text.pose, text.text = pose(x, y), station.id
        text.pose.position.z = 0.5
        found.append(text)
    return ros.MarkerArray(found)


def looks(world: World, robot: Robot) -> tuple[str, int]:
    """What a robot's markers depend on: they are drawn again when it changes."""
    return activity_of(world, robot), len(robot.loads)


def body(
    world: World, robot: Robot, outline: Outline, frame: str, time_ns: int
) -> list[ros.Marker]:
    """A robot in its own frame: footprint, name, and what it carries. Stamped 0, so that it moves with
    the newest transform."""
    activity, loads = looks(world, robot)
    colour = LOOKS.get(activity, OTHERWISE)
    shape = _drawn("robots", robot.index, TRIANGLES, 1.0, colour, time_ns)
    shape.points = _fan(outline)
    name = _drawn("names", robot.index, TEXT, LETTERS_M, WRITING, time_ns)
    name.text = robot.name if activity != "faulted" else f"{robot.name}: {robot.fault}"
    name.pose.position.z = 0.6
    load = _drawn("loads", robot.index, CUBE_LIST, CELL_M, BAYS["station"], time_ns)
    load.points = [ros.Point(z=BODY_M + CELL_M * (0.5 + at)) for at in range(loads)]
    load.action = ADD if loads else DELETE
    for each in (shape, name, load):
        each.header = ros.Header(ros.Time(), frame)
        each.frame_locked = True
    return [shape, name, load]


def reservations(world: World, time_ns: int) -> ros.MarkerArray:
    """The edges that robots hold."""
    edges = [move.edge for queue in world.traffic.released for move in queue]
    return _edges(world, "reservations", edges, HELD, time_ns, 0.03)


def plans(world: World, time_ns: int) -> ros.MarkerArray:
    """The edges that are planned behind them."""
    edges = [move.edge for queue in world.traffic.planned for move in queue]
    return _edges(world, "plans", edges, PLANNED, time_ns, 0.02)


def _edges(
    world: World, name: str, edges: list[int], colour: ros.ColorRGBA, time_ns: int, z_m: float
) -> ros.MarkerArray:
    lines = _drawn(name, 0, LINE_LIST, 2 * LINE_M, colour, time_ns)
    lines.points = _lines(world, edges, z_m)
    lines.action = ADD if lines.points else DELETE
    return ros.MarkerArray([lines])


def _lines(world: World, edges: Iterable[int], z_m: float) -> list[ros.Point]:
    roadmap = world.site.roadmap
    found = []
    for edge in edges:
        for node in (roadmap.edge_tail[edge], roadmap.edge_head[edge]):
            found.append(ros.Point(*xy_m(world, node), z_m))
    return found


def _fan(outline: Outline) -> list[ros.Point]:
    """A convex outline as triangles, at the height of a body."""
    corners = [ros.Point(float(x), float(y), BODY_M) for x, y in outline]
    rest = pairwise(corners[1:])
    return [point for b, c in rest for point in (corners[0], b, c)]


def _drawn(
    name: str, number: int, kind: int, size_m: float, colour: ros.ColorRGBA, time_ns: int
) -> ros.Marker:
    return ros.Marker(
        header=ros.Header(time(time_ns), MAP),
        ns=name,
        id=number,
        type=kind,
        scale=ros.Vector3(size_m, size_m, size_m),
        color=colour,
    )
