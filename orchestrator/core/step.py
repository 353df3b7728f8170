"""`step`: the one function that changes the world. It only dispatches."""

from __future__ import annotations

from orchestrator.core import (
    arrivals,
    assignment,
    bays,
    breakdowns,
    changes,
    chargers,
    charging,
    congestion,
    detours,
    energy,
    filing,
    flow,
    lanes,
    maintenance,
    missions,
    nonsense,
    planning,
    recovery,
    replenish,
    requests,
    safety,
    scopes,
    stations,
    timeouts,
    tours,
    trucks,
    wear,
)
from orchestrator.core.messages import (
    ActionEnded,
    AdjustStock,
    AssignmentMade,
    BackedOut,
    BaseTrimmed,
    BatteryCrossed,
    ChargerFaulted,
    ChargerRecovered,
    ClearingFailed,
    Command,
    CommandRefused,
    Event,
    HostAcknowledged,
    ImageRead,
    LaneBlocked,
    LaneCleared,
    NodeReached,
    NoteTaken,
    PathsPlanned,
    PolicyChanged,
    ReachMeasured,
    RecoveryFailed,
    Request,
    RobotFaulted,
    RobotJoined,
    RobotRecovered,
    RobotServiced,
    RunStarted,
    StationFaulted,
    StationRecovered,
    StationRepairFailed,
    Ticked,
    ToteStored,
    ToursPlanned,
    TruckDocked,
    TruckLeft,
    WorkEnded,
)
from orchestrator.core.robots import Robot
from orchestrator.core.stock import Tote
from orchestrator.core.world import World


def step(world: World, time_ns: int, event: Event) -> list[Command]:
    """Apply one event and return the commands it causes, in order."""
    assert time_ns >= world.time_ns, "time runs forward"
    world.time_ns = time_ns
    world.events += 1
    asks = isinstance(event, RobotJoined | Request)
    robot = None if asks else getattr(event, "robot", None)
    if robot is not None and not 0 <= robot < len(world.robots):
        world.alarm(f"robot {robot}", "unknown robot: ignored")
        return _taken(world)
    _dispatch(world, event)
    if world.path_wanted:
        planning.maybe_request(world)
    return _taken(world)


def _taken(world: World) -> list[Command]:
    if world.stock.corrections:
        for tote, sku, change, gone in world.stock.corrections:
            world.out.append(AdjustStock(tote=tote, sku=sku, change=change, gone=gone))
        world.stock.corrections.clear()
    commands, world.out = world.out, []
    return commands


def _dispatch(world: World, event: Event) -> None:
    match event:
        case NodeReached():
            arrivals.reached(world, event)
        case Ticked():
            _ticked(world)
        case PathsPlanned():
            planning.planned(world, event)
        case ActionEnded():
            missions.action_ended(world, event)
        case WorkEnded():
            stations.work_ended(world, event)
        case ImageRead():
            if not lanes.seen(world, event):
                stations.image_read(world, event)
        case BatteryCrossed():
            energy.crossed(world, event)
        case AssignmentMade():
            assignment.made(world, event)
        case RobotServiced():
            wear.done(world, event)
        case ToursPlanned():
            tours.planned(world, event)
        case TruckDocked():
            trucks.docked(world, event)
        case TruckLeft():
            trucks.left(world, event)
        case (
            RobotFaulted() | RobotRecovered() | RecoveryFailed() | BaseTrimmed() | CommandRefused()
        ):
            _recovery(world, event)
        case LaneBlocked():
            lanes.blocked(world, event)
        case LaneCleared():
            lanes.cleared(world, event)
        case ClearingFailed():
            lanes.failed(world, event)
        case BackedOut():
            lanes.backed_out(world, event)
        case StationFaulted():
            breakdowns.faulted(world, event)
        case StationRepairFailed():
            breakdowns.repair_failed(world, event)
        case StationRecovered():
            breakdowns.recovered(world, event)
        case ChargerFaulted():
            chargers.faulted(world, event)
        case ChargerRecovered():
            chargers.recovered(world, event)
        case PolicyChanged():
            changes.policy(world, event)
        case ReachMeasured():
            planning.reach(world, event)
        case Request():
            requests.handle(world, event)
        case RobotJoined():
            _joined(world, event)
        case ToteStored():
            _stored(world, event)
        case HostAcknowledged():
            pass  # for the outbox, which follows the same journal
        case NoteTaken():
            world.alarm(event.subject, event.text)
        case RunStarted():
            assert event.site_hash == world.site.hash, "the journal is of another site"
            world.started = True


def _recovery(
    world: World,
    event: RobotFaulted | RobotRecovered | RecoveryFailed | BaseTrimmed | CommandRefused,
) -> None:
    match event:
        case RobotFaulted():
            recovery.faulted(world, event)
        case RobotRecovered():
            recovery.recovered(world, event)
        case RecoveryFailed():
            recovery.failed(world, event)
        case BaseTrimmed():
            recovery.trimmed(world, event)
        case CommandRefused():
            recovery.refused(world, event)


def _joined(world: World, event: RobotJoined) -> None:
    reason = _no_room(world, event)
    if reason:
        world.alarm(event.name, f"can't join: {reason}")
        return
    world.traffic.join(event.robot, event.fleet, event.node, event.heading_deg)
    robot = Robot(event.robot, event.name, event.fleet, event.battery_permille)
    robot.idle_since_ns = world.time_ns
    world.robots.append(robot)
    bay = world.site.roadmap.node_bay[event.node]
    if bay >= 0:
        assert bays.ask(world, event.robot, bay), f"{event.name} joins in an occupied bay"
    scopes.joined(world, robot)
    planning.stale(world)


def _no_room(world: World, event: RobotJoined) -> str:
    """Why the robot can't be in the books where it stands; "": it can."""
    roadmap = world.site.roadmap
    if event.robot != len(world.robots):
        return f"the next robot is number {len(world.robots)}, not {event.robot}"
    stand = event.fleet * roadmap.nodes + event.node
    for other in (stand, *roadmap.stand_stands[stand]):
        if other in world.traffic.stands:
            return f"{world.robots[world.traffic.stands[other]].name} is there, or is to come"
    for robot, moves in zip(world.robots, world.traffic.released, strict=True):
        if any(stand in roadmap.move_stands[move.move_id] for move in moves):
            return f"{robot.name} is to come by"
    bay = roadmap.node_bay[event.node]
    if bay >= 0 and (world.bays[bay].queue or len(world.bays[bay].holders)):
        return f"{roadmap.bays[bay].id} is promised to another robot"
    return ""


def _stored(world: World, event: ToteStored) -> None:
    world.stock.add(
        Tote(event.tote, event.sku, event.quantity, ("slot", event.bay), home=event.bay)
    )
    replenish.note(world, event.sku)


def _ticked(world: World) -> None:
    missions.try_again(world)
    timeouts.watch(world)
    breakdowns.watch(world)
    safety.tick(world)
    chargers.watch(world)
    filing.tick(world)
    flow.rested(world)
    flow.wave(world)
    trucks.watch(world)
    replenish.tick(world)
    missions.park_idle(world)
    changes.stand_down(world)
    scopes.lead_out(world)
    charging.plan(world)
    energy.make_room(world)
    wear.watch(world)
    assignment.request(world)
    tours.request(world)
    maintenance.watch(world)
    detours.watch(world)
    nonsense.watch(world)
    recovery.watch(world)
    congestion.watch(world)
    planning.switch(world)
    planning.want_if_due(world)
