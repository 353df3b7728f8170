"""Stations of the fake world: machines that take time, and sometimes fail."""

from __future__ import annotations

import random
from collections.abc import Callable

from orchestrator.core.messages import (
    Event,
    ImageRead,
    RequestInference,
    StartWork,
    StationFaulted,
    WorkEnded,
)
from orchestrator.core.site import Site
from orchestrator.layout.site_file import SimulationFile
from orchestrator.vision.frozen import HANGS
from sim.clock import SECOND_NS, Clock, Streams, lognormal
from sim.eyes import Eyes, Perfect, Seen, Shown, lane_shown, shown_to
from sim.floor import Floor
from sim.mishaps import Mishaps
from sim.scales import fits

Camera = Callable[[RequestInference, Shown, bool], None]
DEFAULT_S = (3.0, 0.2)
ASKED_AGAIN_S = 0.5  # to tell once more what was done
REMEMBERED = 10_000  # answers of all machines that may be asked for again


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
        mishaps: Mishaps,
        say: Callable[[Event], None],
        eyes: Eyes | None = None,
    ) -> None:
        self._site, self._clock, self._floor = site, clock, floor
        self._present, self._truck_at, self._say = present, truck_at, say
        self._streams, self._mishaps = streams, mishaps
        self._eyes = eyes or Perfect()
        self._printed: dict[int, str] = {}  # station -> whose label its printer made last
        self._running: dict[int, StartWork | RequestInference] = {}  # by number
        self._done: dict[int, WorkEnded] = {}  # the latest, by number
        self._owed: dict[int, None] = {}  # answers that were lost so far
        self._box_at: dict[str, int] = {}  # order -> station where its open box stands
        self._chances: dict[tuple[str, str], random.Random] = {}
        self.camera: Camera | None = None  # who gets the pictures that are asked for
        self.fallen: Callable[[str], bool] = lambda _: False  # does something lie on this lane?
        self.change(spec, pick_fails)

    def change(self, spec: SimulationFile, pick_fails: float) -> None:
        """From now on machines work like this."""
        self._spec = spec
        self._pick_fails = 1 - (1 - pick_fails) * spec.success.get("pick", 1.0)

    def _chance(self, capability: str, station: int) -> random.Random:
        return self._draws(capability, self._site.stations[station].id)

    def _draws(self, capability: str, place: str) -> random.Random:
        key = (capability, place)
        if key not in self._chances:
            self._chances[key] = self._streams.of(capability, place)
        return self._chances[key]

    def _place(self, request: RequestInference) -> str:
        """Where the camera is: at a station, or above a lane."""
        station = request.station
        return self._site.stations[station].id if station >= 0 else request.subject

    def start(self, work: StartWork) -> None:
        """Begin; the end comes as an event. What it knows already it doesn't do twice."""
        if work.work in self._running:
            return
        if work.work in self._done:
            told = (work, self._done[work.work])
            self._clock.after(round(ASKED_AGAIN_S * SECOND_NS), self._answer, told)
            return
        self._running[work.work] = work
        chance = self._chance(work.capability, work.station)
        seconds = lognormal(chance, self._spec.service_s.get(work.capability, DEFAULT_S))
        if work.capability == "pick":
            seconds *= max(1, work.quantity)
        self._clock.after(round(seconds * SECOND_NS), self._end, work)

    def broke(self, machine: tuple[int, str]) -> int:
        """What this machine is at comes to nothing; return the number of its work, 0: none."""
        aborted = 0
        for number, work in list(self._running.items()):
            if (work.station, work.capability) == machine:
                del self._running[number]
                aborted = number if isinstance(work, StartWork) else aborted
        return aborted

    def boxes_at(self, station: int) -> list[str]:
        """Orders whose open boxes stand there."""
        return [order for order, at in self._box_at.items() if at == station]

    def _answer(self, argument: tuple[StartWork, WorkEnded]) -> None:
        work, event = argument
        place = self._site.stations[work.station].id
        if self._mishaps.strikes("answer_lost", place):
            self._owed[work.work] = None
            fact = {"work": work.work, "station": place, "loads": [work.load, work.into]}
            self._floor.tell("answer_lost", fact)
            return
        if work.work in self._owed:
            del self._owed[work.work]
            self._floor.tell("answer_given", {"work": work.work})
        self._say(event)

    def _end(self, work: StartWork) -> None:
        if self._running.get(work.work) is not work:
            return  # it broke meanwhile
        del self._running[work.work]
        station = self._site.stations[work.station].id
        outcome, quantity, lost = "ok", 0, 0
        match work.capability:
            case "pick":
                outcome, quantity, lost = self._pick(work)
            case "discard":
                if self._elsewhere(work):
                    outcome = self._impossible(work)
                else:
                    quantity = self._floor.discard(work.order_id, work.sku, work.quantity)
            case "label" | "relabel":
                self._label(work)
            case "checkweigh":
                outcome = self._checkweigh(work)
            case "pack":
                boxed = work.order_id in self._floor.boxes and not self._elsewhere(work)
                if work.load in self._floor.place or not boxed:
                    outcome = self._impossible(work)
                else:
                    self._box_at.pop(work.order_id, None)
                    self._floor.pack(work.order_id, work.load, station)
            case "depalletise":
                if not self._floor.set_down(work.order_id, work.load):
                    outcome = self._impossible(work)
                elif self._mishaps.strikes("label_torn", station):
                    self._floor.label(work.load, "", "torn")
            case "unpack":
                there = self._floor.has(work.load, f"station:{station}")
                if not there or work.load not in self._floor.parcels:
                    outcome = self._impossible(work)
                else:
                    quantity, lost = self._floor.unpack(work.load, work.into, work.sku, station)
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
        ended = WorkEnded(work=work.work, outcome=outcome, quantity=quantity, lost=lost)
        self._done[work.work] = ended
        if len(self._done) > REMEMBERED:
            del self._done[next(iter(self._done))]
        self._answer((work, ended))

    def _pick(self, work: StartWork) -> tuple[str, int, int]:
        """Outcome, units that the arm believes to be in the box, units that fell."""
        grasped = self._chance("pick", work.station).random() >= self._pick_fails
        there = work.load in self._floor.units and self._present(work.load, work.station)
        if not there or self._elsewhere(work):
            return self._impossible(work), 0, 0
        if not grasped:
            return "failed", 0, 0
        if work.sku != self._floor.units[work.load][0]:
            return "short", 0, 0  # none of these in there
        self._box_at[work.order_id] = work.station
        left, wanted = self._floor.units[work.load][1], work.quantity
        place = self._site.stations[work.station].id
        if left and wanted and self._mishaps.strikes("item_dropped", place):
            taken = self._floor.pick(work.load, work.order_id, min(left, wanted) - 1)
            self._floor.scrap(work.load, 1, "dropped")
            return "dropped", taken, 1
        if (left > wanted or left == wanted > 1) and self._mishaps.strikes("pick_wrong", place):
            wrong = wanted + 1 if left > wanted else wanted - 1
            self._floor.pick(work.load, work.order_id, wrong)
            self._mishaps.miscounted(work.load, work.order_id, wrong - wanted)
            return "ok", wanted, 0
        taken = self._floor.pick(work.load, work.order_id, wanted)
        if taken and self._mishaps.strikes("item_damaged", place):
            self._floor.damage(work.order_id, work.sku)
        elif taken and self._mishaps.strikes("item_wrong", place):
            self._floor.swap(work.load, work.order_id, work.sku)
        return ("ok" if taken == wanted else "short"), taken, 0

    def _elsewhere(self, work: StartWork) -> bool:
        """The order's box stands at another station."""
        at = self._box_at.get(work.order_id, work.station)
        return at != work.station and work.order_id in self._floor.boxes

    def _label(self, work: StartWork) -> None:
        """A printer that slipped puts the label before this one on the parcel."""
        place = self._site.stations[work.station].id
        says, why = work.load, ""
        before = self._printed.get(work.station, work.load)
        if self._mishaps.strikes("label_torn", place):
            says, why = "", "torn"
        elif before != work.load and self._mishaps.strikes("label_wrong", place):
            says, why = before, "other"
        self._printed[work.station] = work.load
        self._floor.label(work.load, says, why)

    def _checkweigh(self, work: StartWork) -> str:
        station = self._site.stations[work.station].id
        if work.load not in self._floor.parcels or not self._floor.has(
            work.load, f"station:{station}"
        ):
            return self._impossible(work)
        _, contents = self._floor.parcels[work.load]
        chance = self._chance("checkweigh", work.station)
        return "ok" if fits(contents.items(), work.content, chance) else "mismatch"

    def _impossible(self, work: StartWork) -> str:
        station = self._site.stations[work.station].id
        fact = {"station": station, "action": work.capability, "load": work.load}
        self._floor.tell("impossible_action", fact)
        return "failed"

    def look(self, request: RequestInference) -> None:
        """A camera looks; what it read comes as an event. Where nothing is expected, a picture is
        wanted, and the camera's owner has it."""
        reads = "verify" if request.task == "verify_pick" else "identify"
        capability = request.capability or reads
        chance = self._draws(capability, self._place(request))
        seconds = lognormal(chance, self._spec.service_s.get(capability, DEFAULT_S))
        self._running[request.request] = request
        if request.task == "read_label":
            self._floor.tell("looked", {"request": request.request, "subject": request.subject})
        if request.task == "check_lane":
            looked = (request, lane_shown(fallen=self.fallen(request.subject)))
        else:
            looked = (request, shown_to(request, self._floor))
        self._clock.after(round(seconds * SECOND_NS), self._seen, looked)

    def _seen(self, argument: tuple[RequestInference, Shown]) -> None:
        """The picture was taken when it was asked for."""
        request, shown = argument
        if self._running.get(request.request) is not request:
            return  # the camera broke
        chance = self._draws(request.capability, self._place(request))
        clear = chance.random() < self._spec.success.get(request.capability, 1.0)
        if self.camera is not None and not request.expected:
            del self._running[request.request]
            self.camera(request, shown, clear)
            return
        seen = self._eyes.see(request, shown, chance, clear=clear)
        if seen.image:
            fact = {"request": request.request, "case": shown.case, "image": seen.image}
            self._floor.tell("picture", fact | {"subject": request.subject, "clear": clear})
        self._clock.after(round(seen.seconds * SECOND_NS), self._told, (request, seen))

    def _told(self, argument: tuple[RequestInference, Seen]) -> None:
        request, seen = argument
        if self._running.pop(request.request, None) is None:
            return
        read = ImageRead(
            request=request.request,
            outcome=seen.outcome,
            value=seen.value,
            confidence_permille=seen.confidence_permille,
            model=seen.model,
            latency_us=round(seen.seconds * 1e6),
            image=seen.image,
        )
        if not self._mishaps.strikes("answer_lost", self._place(request)):
            self._say(read)
        if seen.hangs:
            station, capability = request.station, request.capability
            self.broke((station, capability))
            self._say(StationFaulted(station=station, capability=capability, reason=HANGS))
