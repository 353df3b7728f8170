"""Commands whose answers are still to come: after a restart they are given again.

Every receiver knows a command by its number or subject, so one that comes twice is done once. Who is to
back out still is the core's to know: there is more than one end to that.
"""

from __future__ import annotations

from orchestrator.core.messages import (
    ActionEnded,
    AssignmentMade,
    BaseTrimmed,
    ChargerRecovered,
    ClearingFailed,
    ClearLane,
    Command,
    DispatchTruck,
    Event,
    ExpectLoad,
    ImageRead,
    LaneCleared,
    OrderCancelled,
    OrderReceived,
    PathsPlanned,
    RecoverRobot,
    RecoverStation,
    RecoveryFailed,
    RepairCharger,
    RequestAssignment,
    RequestInference,
    RequestPaths,
    RequestTours,
    RobotRecovered,
    RobotServiced,
    ServiceRobot,
    StartAction,
    StartWork,
    StationRecovered,
    StationRepairFailed,
    ToursPlanned,
    TrimBase,
    TruckLeft,
    WorkEnded,
)

Key = tuple[str, int | str] | tuple[str, int, str]


class Pending:
    """In the sequence in which they were given."""

    def __init__(self) -> None:
        self._commands: dict[Key, Command] = {}

    def commands(self) -> list[Command]:
        """What has no answer."""
        return list(self._commands.values())

    def action_of(self, robot: int) -> StartAction | None:
        """The robot's running action."""
        found = self._commands.get(("action", robot))
        return found if isinstance(found, StartAction) else None

    def given(self, command: Command) -> None:
        """A command went out."""
        key = _key(command)
        if key is not None:
            self._commands.pop(key, None)
            self._commands[key] = command

    def heard(self, event: Event) -> None:
        """An event came in: it may be the answer."""
        key = _answered(event)
        if key is not None:
            self._commands.pop(key, None)
        if isinstance(event, RobotRecovered):  # with all that it holds
            self._commands.pop(("trim", event.robot), None)


def _key(command: Command) -> Key | None:
    match command:
        case RequestPaths() | RequestAssignment() | RequestTours() | RequestInference():
            return ("request", command.request)
        case StartWork():
            return ("work", command.work)
        case StartAction():
            return ("action", command.robot)
        case RecoverRobot():
            return ("recover", command.robot)
        case TrimBase():
            return ("trim", command.robot)
        case ServiceRobot():
            return ("service", command.robot)
        case ClearLane():
            return ("lane", command.edge)
        case RecoverStation():
            return ("station", command.station, command.capability)
        case RepairCharger():
            return ("charger", command.bay)
        case DispatchTruck():
            return ("truck", command.truck)
        case ExpectLoad():
            return ("load", command.order_id)
    return None


def _answered(event: Event) -> Key | None:
    match event:
        case PathsPlanned() | AssignmentMade() | ToursPlanned() | ImageRead():
            return ("request", event.request)
        case WorkEnded():
            return ("work", event.work)
        case ActionEnded():
            return ("action", event.robot)
        case RobotRecovered() | RecoveryFailed():
            return ("recover", event.robot)
        case BaseTrimmed():
            return ("trim", event.robot)
        case RobotServiced():
            return ("service", event.robot)
        case LaneCleared() | ClearingFailed():
            return ("lane", event.edge)
        case StationRecovered() | StationRepairFailed():
            return ("station", event.station, event.capability)
        case ChargerRecovered():
            return ("charger", event.bay)
        case TruckLeft():
            return ("truck", event.truck)
        case OrderReceived() | OrderCancelled():
            return ("load", event.order_id)
    return None
