"""What is closed, paused, evacuated or stopped just now, retained: told when a request changed it."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from orchestrator.api.naming import Naming
from orchestrator.api.published import Closures, Restriction
from orchestrator.core.messages import (
    EmergencyReset,
    EmergencyStopped,
    Event,
    LaneClosed,
    LaneOpened,
    RobotsEvacuated,
    RobotsPaused,
    RobotsResumed,
    StationClosed,
    StationOpened,
    ZoneCleared,
    ZoneClosed,
    ZoneOpened,
)
from orchestrator.core.world import Scope, World

CHANGING = (
    LaneClosed | LaneOpened | StationClosed | StationOpened | ZoneClosed | ZoneOpened
    | RobotsPaused | RobotsEvacuated | RobotsResumed | EmergencyStopped | EmergencyReset
    | ZoneCleared
)  # fmt: skip


class ClosureBoard:
    """`publish` (topic, payload, QoS, retained) says whether there was room for it."""

    def __init__(
        self, root: str, naming: Naming, publish: Callable[[str, bytes, int, bool], bool]
    ) -> None:
        self.topic = f"{root}/closures"
        self._naming, self._publish = naming, publish
        self._told: Closures | None = None
        self._look = True

    def event(self, event: Event) -> None:
        """The core has handled it."""
        if isinstance(event, CHANGING):
            self._look = True

    def again(self) -> None:
        """Whatever was told is to be told again."""
        self._told, self._look = None, True

    def tell(self, world: World, at: str) -> None:
        """A few times a second."""
        if not self._look:
            return
        found = self._of(world)
        self._look = False
        if found != self._told:
            payload = msgspec.json.encode(msgspec.structs.replace(found, at=at))
            if self._publish(self.topic, payload, 1, True):
                self._told = found
            else:
                self._look = True

    def _of(self, world: World) -> Closures:
        stations = world.site.stations
        return Closures(
            lanes=[self._naming.name("edge", edge) for edge in world.closed_lanes],
            stations={
                stations[index].id: list(state.closed)
                for index, state in enumerate(world.stations)
                if state.closed
            },
            restrictions=[self._restriction(world, *row) for row in world.scopes.items()],
        )

    def _restriction(self, world: World, name: str, scope: Scope) -> Restriction:
        return Restriction(
            name=name,
            kind=scope.kind,  # type: ignore[arg-type]
            robot=self._naming.name("robot", scope.robot) if scope.robot >= 0 else "",
            fleet=world.site.fleets[scope.fleet].id if scope.fleet >= 0 else "",
            zone=scope.zone,
            nodes=[self._naming.name("node", node) for node in scope.nodes],
        )
