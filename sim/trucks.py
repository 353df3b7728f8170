"""Trucks of the fake world: they come by their timetable, or late, and leave with what is on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec import structs

from orchestrator.core.messages import DispatchTruck, Event, TruckDocked, TruckLeft
from orchestrator.core.site import Site
from orchestrator.layout.site_file import SimulationFile, TruckFile, TruckLate
from sim.clock import SECOND_NS, Clock, Streams
from sim.floor import Floor

MINUTE_NS = 60 * SECOND_NS
PULL_OUT_NS = 5 * SECOND_NS  # from the dispatch until it is off the door
PATIENCE_NS = 5 * MINUTE_NS  # so long after its time it waits for a dispatch, then it leaves


def departures(table: TruckFile, until_ns: int) -> Iterator[int]:
    """Departure times of a route, those after `until_ns` left out but for the first."""
    number = 0
    while True:
        minute = table.first_minute + number * table.every_minutes
        departs_ns = round(minute * MINUTE_NS)
        yield departs_ns
        if departs_ns > until_ns:
            return
        number += 1


class Trucks:
    """All trucks of a run. One stands at a door; others of the door wait in the yard."""

    def __init__(
        self,
        site: Site,
        spec: SimulationFile,
        late: TruckLate | None,
        clock: Clock,
        floor: Floor,
        streams: Streams,
        end_ns: int,
        say: Callable[[Event], None],
    ) -> None:
        self._site, self._clock, self._floor, self._say = site, clock, floor, say
        self._yard: dict[int, list[TruckDocked]] = {}  # door -> trucks that wait, and the one there
        self._late: TruckLate | None = None
        self._era = 0  # of the lateness in force: who was to come in an earlier one doesn't
        self._to_come: dict[str, tuple[TruckDocked, int, tuple[float, float]]] = {}
        for route, table in spec.trucks.items():
            chance = streams.of("trucks", route)
            for number, departs_ns in enumerate(departures(table, end_ns), 1):
                luck = (chance.random(), chance.random())
                truck = TruckDocked(
                    truck=f"truck-{route}-{number:03d}",
                    station=site.routes[route].door,
                    route=route,
                    departs_ns=departs_ns,
                    capacity=table.capacity,
                )
                comes_ns = departs_ns - round(table.dwell_minutes * MINUTE_NS)
                self._to_come[truck.truck] = (truck, comes_ns, luck)
                floor.timetable[truck.truck] = departs_ns
        self._expect(late)

    def change(self, late: TruckLate | None) -> None:
        """From now on trucks are late like this; the same ones, if as many."""
        if late != self._late:
            self._expect(late)

    def _expect(self, late: TruckLate | None) -> None:
        self._late = late
        self._era += 1
        for truck, comes_ns, luck in self._to_come.values():
            delay_ns = self._delay_ns(*luck)
            late_one = structs.replace(truck, departs_ns=truck.departs_ns + delay_ns)
            at_ns = max(self._clock.now_ns, comes_ns + delay_ns)
            self._clock.at(at_ns, self._comes, (late_one, self._era))

    def _delay_ns(self, luck: float, length: float) -> int:
        if self._late is None or luck >= self._late.share:
            return 0
        low, high = self._late.delay_minutes
        return round((low + (high - low) * length) * MINUTE_NS)

    def _comes(self, argument: tuple[TruckDocked, int]) -> None:
        truck, era = argument
        if era != self._era:
            return
        del self._to_come[truck.truck]
        yard = self._yard.setdefault(truck.station, [])
        yard.append(truck)
        if len(yard) == 1:
            self._dock(truck)

    def _dock(self, truck: TruckDocked) -> None:
        self._floor.truck_docked(
            truck.truck, self._site.stations[truck.station].id, truck.route, truck.departs_ns
        )
        leaves_ns = max(truck.departs_ns, self._clock.now_ns) + PATIENCE_NS
        self._clock.at(leaves_ns, self._leave, truck)
        self._say(truck)

    def dispatch(self, command: DispatchTruck) -> None:
        """It may leave."""
        yard = self._yard.get(command.station)
        if yard and yard[0].truck == command.truck:
            self._clock.after(PULL_OUT_NS, self._leave, yard[0])

    def _leave(self, truck: TruckDocked) -> None:
        yard = self._yard[truck.station]
        if not yard or yard[0].truck != truck.truck:
            return  # gone already
        yard.pop(0)
        self._floor.truck_departed(truck.truck)
        self._say(TruckLeft(truck=truck.truck))
        if yard:
            self._dock(yard[0])

    def at(self, station: int) -> str:
        """The truck that stands at a door; "": none."""
        yard = self._yard.get(station)
        return yard[0].truck if yard else ""
