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
        present: Callable[[str, int], bool],
        truck_at: Callable[[int], str],
        say: Callable[[Event], None],
    ) -> None:
        self._site, self._clock, self._floor = site, clock, floor
        self._present, self._truck_at, self._say = present, truck_at, say
        self._streams = streams
        self._chances: dict[tuple[str, int], random.Random] = {}
        self.change(spec, pick_fails)

    def change(self, spec: SimulationFile, pick_fails: float) -> None:
        """From now on machines work like this."""
        self._spec = spec
        self._pick_fails = 1 - (1 - pick_fails) * spec.success.get("pick", 1.0)

    def _chance(self, capability: str, station: int) -> random.Random:
        key = (capability, station)
        if key not in self._chances:
            self._chances[key] = self._streams.of(capability, self._site.stations[station].id)
        return self._chances[key]

    def start(self, work: StartWork) -> None:
        """Begin; the end comes as an event."""
        chance = self._chance(work.capability, work.station)
        seconds = lognormal(chance, self._spec.service_s.get(work.capability, DEFAULT_S))
        if work.capability == "pick":
            seconds *= max(1, work.quantity)
        self._clock.after(round(seconds * SECOND_NS), self._end, work)

    def _end(self, work: StartWork) -> None:
        station = self._site.stations[work.station].id
        outcome, quantity = "ok", 0
        match work.capability:
            case "pick":
                outcome, quantity = self._pick(work)
            case "pack":
                if work.load in self._floor.place or work.order_id not in self._floor.boxes:
                    outcome = self._impossible(work)
                else:
                    self._floor.pack(work.order_id, work.load, station)
            case "depalletise":
                if not self._floor.set_down(work.order_id, work.load):
                    outcome = self._impossible(work)
            case "unpack":
                there = self._floor.has(work.load, f"station:{station}")
                if not there or work.load not in self._floor.parcels:
                    outcome = self._impossible(work)
                else:
                    quantity = self._floor.unpack(work.load, work.into, work.sku, station)
            case "weigh":
                if work.load not in self._floor.units:
                    outcome = self._impossible(work)
                else:
                    quantity = self._floor.units[work.load][1]
            case "load":
                truck = self._truck_at(work.station)
                if not truck or not self._floor.has(work.load, f"station:{station}"):
                    outcome = self._impossible(work)
                else:
                    self._floor.load_truck(work.load, truck, station)
            case "handout":
                there = self._floor.has(work.load, f"station:{station}")
                if not there or work.load not in self._floor.parcels:
                    outcome = self._impossible(work)
                else:
                    self._floor.deliver(work.load, station)
        self._say(WorkEnded(work=work.work, outcome=outcome, quantity=quantity))

    def _pick(self, work: StartWork) -> tuple[str, int]:
        grasped = self._chance("pick", work.station).random() >= self._pick_fails
        if work.load not in self._floor.units or not self._present(work.load, work.station):
            return self._impossible(work), 0
        if not grasped:
            return "failed", 0
        if work.sku != self._floor.units[work.load][0]:
            return "short", 0  # none of these in there
        taken = self._floor.pick(work.load, work.order_id, work.quantity)
        return ("ok" if taken == work.quantity else "short"), taken

    def _impossible(self, work: StartWork) -> str:
        station = self._site.stations[work.station].id
        fact = {"station": station, "action": work.capability, "load": work.load}
        self._floor.tell("impossible_action", fact)
        return "failed"

    def look(self, request: RequestInference) -> None:
        """A camera looks; what it read comes as an event."""
        reads = "verify" if request.task == "verify_pick" else "identify"
        capability = request.capability or reads
        chance = self._chance(capability, request.station)
        seconds = lognormal(chance, self._spec.service_s.get(capability, DEFAULT_S))
        sku, _, _ = request.expected.rpartition(":")
        there = self._floor.boxes.get(request.subject, {}).get(sku, 0)
        value = f"{sku}:{there}" if request.task == "verify_pick" else request.expected
        self._clock.after(round(seconds * SECOND_NS), self._seen, (request, capability, value))

    def _seen(self, argument: tuple[RequestInference, str, str]) -> None:
        """The picture was taken when it was asked for: `value` is what it shows."""
        request, capability, value = argument
        chance = self._chance(capability, request.station)
        readable = chance.random() < self._spec.success.get(capability, 1.0)
        outcome = "ok" if value == request.expected else "mismatch"
        if not readable:
            outcome, value = "unreadable", ""
        self._say(
            ImageRead(request=request.request, outcome=outcome, value=value, model="statistical")
        )
