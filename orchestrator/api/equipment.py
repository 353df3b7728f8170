"""Stations, cameras, chargers, doors, people: the core's commands to them, and what they answer.

`lightsout/v1/<site>/equipment/commands` and `…/events`, at least once; a number or a subject makes
each command idempotent. What an adapter (PLC, OPC UA, the simulated building) may say is listed here:
also that something stands at a dock (`OrderReceived`).
"""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.api.naming import Naming, Unnamed, reader
from orchestrator.api.published import root
from orchestrator.core.messages import (
    ChargerFaulted,
    ChargerRecovered,
    ClearingFailed,
    ClearLane,
    Command,
    DispatchTruck,
    Event,
    ExpectLoad,
    ImageRead,
    LaneCleared,
    OrderReceived,
    RecoverStation,
    RepairCharger,
    RequestInference,
    RobotServiced,
    ServiceRobot,
    StartWork,
    StationFaulted,
    StationRecovered,
    StationRepairFailed,
    TruckDocked,
    TruckLeft,
    WorkEnded,
)

COMMANDS = (
    StartWork
    | RequestInference
    | RecoverStation
    | RepairCharger
    | ClearLane
    | DispatchTruck
    | ServiceRobot
    | ExpectLoad
)
EVENTS = (
    WorkEnded
    | ImageRead
    | StationFaulted
    | StationRecovered
    | StationRepairFailed
    | ChargerFaulted
    | ChargerRecovered
    | LaneCleared
    | ClearingFailed
    | TruckDocked
    | TruckLeft
    | RobotServiced
    | OrderReceived
)
QOS = 1


class Equipment:
    """The core's side."""

    def __init__(
        self,
        site_id: str,
        naming: Naming,
        publish: Callable[[str, bytes, int, bool], object],
        post: Callable[[Event], None],
        alarm: Callable[[str, str], None],
    ) -> None:
        self._naming, self._publish, self._post, self._alarm = naming, publish, post, alarm
        self.commands_topic = f"{root(site_id)}/equipment/commands"
        self.events_topic = f"{root(site_id)}/equipment/events"
        self._read = reader(naming, EVENTS)

    def command(self, command: Command) -> bool:
        """Pass it on; False: it is not for equipment."""
        if not isinstance(command, COMMANDS):
            return False
        self._publish(self.commands_topic, self._naming.encode(command), QOS, False)
        return True

    def message(self, topic: str, payload: bytes) -> bool:
        """Something came in; False: it is not from equipment."""
        if topic != self.events_topic:
            return False
        try:
            self._post(self._read(payload))
        except Unnamed as error:
            self._alarm("equipment", f"an event can't be read: {error}")
        return True
