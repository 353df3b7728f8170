"""Stations of the fake world: machines that take time, and sometimes fail."""

from __future__ import annotations

import random
from collections.abc import Callable

from orchestrator.core.messages import Event, ImageRead, RequestInference, StartWork, WorkEnded
from orchestrator.core.site import Site
from orchestrator.layout.site_file import SimulationFile
from sim.clock import SECOND_NS, Clock, Streams, lognormal
from sim.floor import Floor

DEFAULT_S = (3.0, 0.2)


class Machines:
    """Arms, packers, cameras and chutes of all stations."""

    def __init__(
        self,
        site: Site,
        spec: SimulationFile,
        clock: Clock,
        floor: Floor,
        streams: Streams,
        pick_fails: float,
        say: Callable[[Event], None],
    ) -> None:
        self._site, self._spec, self._clock, self._floor = site, spec, clock, floor
        self._say = say
        self._pick_fails = 1 - (1 - pick_fails) * spec.success.get("pick", 1.0)
        self._chance = [streams.of("station", station.id) for station in site.stations]

    def start(self, work: StartWork) -> None:
        """Begin; the end comes as an event."""
        chance = self._chance[work.station]
        seconds = lognormal(chance, self._spec.service_s.get(work.capability, DEFAULT_S))
        if work.capability == "pick":
            seconds *= max(1, work.quantity)
        self._clock.after(round(seconds * SECOND_NS), self._end, work)

    def _end(self, work: StartWork) -> None:
        station = self._site.stations[work.station].id
        outcome, quantity = "ok", 0
        match work.capability:
            case "pick":
                outcome, quantity = self._pick(work, self._chance[work.station])
            case "pack":
                self._floor.pack(work.order_id, work.load, station)
            case "handout":
                self._floor.deliver(work.load, station)
        self._say(WorkEnded(work=work.work, outcome=outcome, quantity=quantity))

    def _pick(self, work: StartWork, chance: random.Random) -> tuple[str, int]:
        if chance.random() < self._pick_fails:
            return "failed", 0
        place = self._floor.place.get(work.load, "")
        if not place.startswith("robot:"):
            return "failed", 0
        taken = self._floor.pick(work.load, work.order_id, work.quantity)
        return ("ok" if taken == work.quantity else "short"), taken

    def look(self, request: RequestInference) -> None:
        """A camera looks; what it read comes as an event."""
        capability = "verify" if request.task == "verify_pick" else "identify"
        chance = self._chance[request.station]
        seconds = lognormal(chance, self._spec.service_s.get(capability, DEFAULT_S))
        self._clock.after(round(seconds * SECOND_NS), self._seen, (request, capability))

    def _seen(self, argument: tuple[RequestInference, str]) -> None:
        request, capability = argument
        readable = self._chance[request.station].random() < self._spec.success.get(capability, 1.0)
        outcome = "ok"
        value = request.expected
        if not readable:
            outcome, value = "unreadable", ""
        elif capability == "verify":
            sku, _, count = request.expected.rpartition(":")
            there = self._floor.boxes.get(request.subject, {}).get(sku, 0)
            value = f"{sku}:{there}"
            outcome = "ok" if there == int(count) else "mismatch"
        self._say(
            ImageRead(request=request.request, outcome=outcome, value=value, model="statistical")
        )
