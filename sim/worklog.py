"""How long machines were at work: a truth fact for each thing that a station did."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from orchestrator.core.messages import (
    Event,
    ImageRead,
    RequestInference,
    StartWork,
    WorkEnded,
)
from orchestrator.core.site import Site
from sim.clock import SECOND_NS, Clock

UNDER_WAY_MAX = 100_000  # what never ended is forgotten, the oldest first


class WorkLog:
    """Work and looks under way, by their numbers."""

    def __init__(
        self, site: Site, clock: Clock, tell: Callable[[str, dict[str, Any]], None]
    ) -> None:
        self._site, self._clock, self._tell = site, clock, tell
        self._begun: dict[int, tuple[int, int, str]] = {}  # number -> time, station, capability

    def begun(self, command: StartWork | RequestInference) -> None:
        """A machine begins. Floor cameras are at no station."""
        if command.station < 0:
            return
        if len(self._begun) >= UNDER_WAY_MAX:
            del self._begun[next(iter(self._begun))]
        if isinstance(command, StartWork):
            number, name = command.work, command.capability
        else:
            number, name = command.request, command.capability
        self._begun[number] = (self._clock.now_ns, command.station, name)

    def said(self, event: Event) -> None:
        """Something is said to the core: perhaps a machine has ended."""
        if isinstance(event, WorkEnded):
            number = event.work
        elif isinstance(event, ImageRead):
            number = event.request
        else:
            return
        begun = self._begun.pop(number, None)
        if begun is not None:
            begun_ns, station, name = begun
            seconds = round((self._clock.now_ns - begun_ns) / SECOND_NS, 3)
            place = self._site.stations[station].id
            self._tell(
                "worked",
                {
                    "station": place,
                    "capability": name,
                    "seconds": seconds,
                    "outcome": event.outcome,
                },
            )
