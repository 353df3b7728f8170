"""Loads that a host has announced: they come when they are expected, to the dock they were sent to."""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.core.messages import Event, ExpectLoad, OrderReceived
from orchestrator.core.site import Site
from sim.clock import Clock


class ExpectedLoads:
    """`comes` takes a load to its dock, where it may have to wait outside; `entered` hears of it."""

    def __init__(
        self,
        site: Site,
        clock: Clock,
        comes: Callable[[OrderReceived], object],
        say: Callable[[Event], None],
    ) -> None:
        self._site, self._clock, self._comes, self._say = site, clock, comes, say
        self._expected: dict[str, ExpectLoad] = {}
        self._came: dict[str, OrderReceived | None] = {}  # None: waits outside
        self._turn = 0

    def expect(self, command: ExpectLoad) -> None:
        """It is to come. The newest word counts until it comes; who asks again later is told again."""
        if command.order_id in self._came:
            event = self._came[command.order_id]
            if event is not None:
                self._say(event)
            return
        self._expected[command.order_id] = command
        self._clock.at(max(self._clock.now_ns, command.expected_ns), self._arrives, command)

    def entered(self, event: OrderReceived) -> None:
        """It stands at the dock."""
        if event.order_id in self._came:
            self._came[event.order_id] = event

    def _arrives(self, command: ExpectLoad) -> None:
        if self._expected.get(command.order_id) is not command:
            return
        del self._expected[command.order_id]
        self._came[command.order_id] = None
        station = command.station if command.station >= 0 else self._dock(command.kind)
        self._comes(
            OrderReceived(
                order_id=command.order_id,
                kind=command.kind,
                lines=command.lines,
                load=command.load,
                station=station,
            )
        )

    def _dock(self, kind: str) -> int:
        """Each in turn."""
        order_type = self._site.order_types[kind]
        needs = order_type.steps[order_type.first].needs
        docks = [n for n, s in enumerate(self._site.stations) if needs in s.capabilities]
        self._turn += 1
        return docks[self._turn % len(docks)]
