"""Requests to planners and their answers; part of `core.messages`."""

from __future__ import annotations

import msgspec

from orchestrator.core.message import Message


class PathsPlanned(Message, frozen=True):
    """The answer to a `RequestPaths`: little-endian int32 pairs (robot, edge), in an order in which
    the moves could be made one at a time."""

    request: int
    basis: int
    moves: bytes


class AssignmentMade(Message, frozen=True):
    """The answer to a `RequestAssignment`: pairs (task, robot)."""

    request: int
    pairs: tuple[tuple[int, int], ...]


class ToursPlanned(Message, frozen=True):
    """The answer to a `RequestTours`: for each robot its stops (task, 0: pick up | 1: deliver)."""

    request: int
    tours: tuple[tuple[int, tuple[tuple[int, int], ...]], ...]


class RequestPaths(Message, frozen=True):
    """Plan from the frontier. `robots`: little-endian int32 rows of eight: robot, fleet, node,
    heading_deg, goal node (-1: none), fixed (1: stands and can't be pushed), priority, 0.

    `blocked`: nodes that nobody may enter. `changes`: little-endian int32 pairs (edge, bit mask of
    the fleets it is open to), where that differs from the roadmap: closed lanes, contraflow. `delays`:
    likewise pairs (node, ms): ways through it count as longer, since robots have waited there.

    `stalled`: a robot that has got nowhere for long, whatever the tie-breaks; -1: none. Then `been` are
    the nodes where it has been since it has its goal, and `rest`, as in `PathsPlanned`, the moves that
    are left of the plan before.
    """

    request: int
    basis: int
    robots: bytes
    blocked: tuple[int, ...] = ()
    horizon: int = 10
    seed: int = 0
    changes: bytes = b""
    stalled: int = -1
    been: tuple[int, ...] = ()
    rest: bytes = b""
    delays: bytes = b""


class TaskOffer(msgspec.Struct, frozen=True, array_like=True):
    """A transport task that wants a robot: where it begins and how much it matters."""

    task: int
    node: int
    classes: int  # bit mask: a robot fits whose own `classes` share a bit
    priority: int  # milliseconds of travel that this task may cost more than another
    onward_ms: int  # rough driving time after the pickup, for the battery's reach


class RobotOffer(msgspec.Struct, frozen=True, array_like=True):
    """A robot that is free, or will be at `node` in `free_in_ms`.

    `classes`: bit `fleet` if it may take transports, bit 16 + `fleet` if it wants to charge."""

    robot: int
    fleet: int
    classes: int
    node: int
    heading_deg: int
    free_in_ms: int
    reach_ms: int  # how long its charge lets it drive


class RequestAssignment(Message, frozen=True):
    """Match tasks with robots at least cost."""

    request: int
    tasks: tuple[TaskOffer, ...]
    robots: tuple[RobotOffer, ...]


class TourTask(msgspec.Struct, frozen=True, array_like=True):
    """A transport for vehicles with several places: from `node` to `end_node`."""

    task: int
    fleets: int  # bit mask
    node: int
    end_node: int
    due_in_ms: int  # 2**40: no due time
    priority: int  # milliseconds of travel that it may cost more than another


class TourRobot(msgspec.Struct, frozen=True, array_like=True):
    """A vehicle that is, or in `free_in_ms` will be, at `node`; `aboard`: (task, end node, due in
    ms) of what it then has on it."""

    robot: int
    fleet: int
    node: int
    heading_deg: int
    free_in_ms: int
    places: int
    reach_ms: int
    aboard: tuple[tuple[int, int, int], ...]


class RequestTours(Message, frozen=True):
    """Which vehicle visits which stops, in which sequence, at least cost."""

    request: int
    tasks: tuple[TourTask, ...]
    robots: tuple[TourRobot, ...]
