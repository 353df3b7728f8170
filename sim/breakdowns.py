"""Machines and chargers that break, and what mending them takes."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from orchestrator.core.messages import (
    ChargerFaulted,
    ChargerRecovered,
    Event,
    RecoverStation,
    RepairCharger,
    StationFaulted,
    StationRecovered,
    StationRepairFailed,
)
from orchestrator.core.site import Site
from orchestrator.layout.site_file import ChargerDies, FaultsFile, MachineDown
from sim.clock import SECOND_NS, Clock, Streams

HOUR_NS = 3600 * SECOND_NS
MAINTENANCE_S = 600.0
REPAIR_S = (60.0, 180.0)
Machine = tuple[int, str]  # station, capability


class Breakdowns:
    """Breaks machines and chargers by chance; carries repairs out. `broke(machine)` aborts the work
    that it is at; `delayed(station)` are the orders and loads that stand there; `dark(bay)` takes the
    current."""

    def __init__(
        self,
        site: Site,
        clock: Clock,
        streams: Streams,
        faults: FaultsFile | None,
        broke: Callable[[Machine], int],
        delayed: Callable[[int], tuple[list[str], list[str]]],
        dark: Callable[[int], None],
        say: Callable[[Event], None],
        tell: Callable[[str, dict[str, Any]], None],
    ) -> None:
        self._site, self._clock, self._streams = site, clock, streams
        self._broke, self._delayed, self._dark = broke, delayed, dark
        self._say, self._tell = say, tell
        self._machines: MachineDown | None = None
        self._chargers: ChargerDies | None = None
        self._era = 0  # of the rates in force: what was drawn in an earlier one doesn't strike
        self._chances: dict[tuple[str, str], random.Random] = {}
        self.down: dict[Machine, None] = {}
        self.dead: dict[int, None] = {}  # chargers
        self.change(faults)

    def _chance(self, purpose: str, name: str) -> random.Random:
        key = (purpose, name)
        if key not in self._chances:
            self._chances[key] = self._streams.of(purpose, name)
        return self._chances[key]

    def _name(self, machine: Machine) -> str:
        return f"{self._site.stations[machine[0]].id}:{machine[1]}"

    def change(self, faults: FaultsFile | None) -> None:
        """From now on things break at these rates."""
        machines = faults.machine_down if faults else None
        chargers = faults.charger_dies if faults else None
        if (machines, chargers) == (self._machines, self._chargers):
            return
        self._machines, self._chargers = machines, chargers
        self._era += 1
        for index, station in enumerate(self._site.stations):
            for capability in station.capabilities:
                if machines and capability in (machines.capabilities or station.capabilities):
                    self._next_machine((index, capability))
        for bay, known in enumerate(self._site.roadmap.bays):
            if chargers and known.kind == "charger":
                self._next_charger(bay)

    def _next_machine(self, machine: Machine) -> None:
        rate = self._machines.per_hour if self._machines else 0.0
        if rate:
            hours = self._chance("machine", self._name(machine)).expovariate(rate)
            self._clock.after(round(hours * HOUR_NS), self._strike, (machine, self._era))

    def _strike(self, argument: tuple[Machine, int]) -> None:
        machine, era = argument
        if era != self._era:
            return
        self._next_machine(machine)
        if machine in self.down:
            return
        self.down[machine] = None
        fact = {"kind": "machine_down", "station": self._name(machine), "reason": "broke"}
        self._tell("fault", fact)
        station, capability = machine
        event = StationFaulted(
            station=station, capability=capability, reason="broke", aborted=self._broke(machine)
        )
        self._say(event)

    def recover(self, command: RecoverStation) -> None:
        """Begin a repair from afar, or maintenance by a person."""
        chance = self._chance("repair", self._name((command.station, command.capability)))
        seconds = chance.uniform(*(self._machines.repair_s if self._machines else REPAIR_S))
        if command.maintenance:
            seconds = MAINTENANCE_S
        self._clock.after(round(seconds * SECOND_NS), self._repaired, command)

    def _repaired(self, command: RecoverStation) -> None:
        machine = (command.station, command.capability)
        share = self._machines.repair_success if self._machines else 1.0
        good = self._chance("repair", self._name(machine)).random() < share
        if command.maintenance:
            orders, loads = self._delayed(command.station)
            name = self._name(machine)
            fact = {"reason": f"maintenance of {name}", "station": name}
            self._tell("human_touched", fact | {"orders": orders, "loads": loads})
        elif not good:
            failed = StationRepairFailed(
                station=machine[0], capability=machine[1], attempt=command.attempt
            )
            self._say(failed)
            return
        if machine in self.down:
            del self.down[machine]
            fact = {"kind": "machine_down", "station": self._name(machine)}
            self._tell("fault_ended", fact)
        self._say(StationRecovered(station=machine[0], capability=machine[1]))

    # --- chargers --------------------------------------------------------------------------------

    def _next_charger(self, bay: int) -> None:
        rate = self._chargers.per_hour if self._chargers else 0.0
        if rate:
            name = self._site.roadmap.bays[bay].id
            hours = self._chance("charger", name).expovariate(rate)
            self._clock.after(round(hours * HOUR_NS), self._charger_dies, (bay, self._era))

    def _charger_dies(self, argument: tuple[int, int]) -> None:
        bay, era = argument
        if era != self._era:
            return
        self._next_charger(bay)
        if bay in self.dead or self._chargers is None:
            return
        self.dead[bay] = None
        name = self._site.roadmap.bays[bay].id
        self._tell("fault", {"kind": "charger_dies", "station": name, "reason": "no current"})
        self._dark(bay)
        self._say(ChargerFaulted(bay=bay, reason="no current"))
        seconds = self._chance("charger back", name).uniform(*self._chargers.repair_s)
        self._clock.after(round(seconds * SECOND_NS), self._charger_back, bay)

    def _charger_back(self, bay: int) -> None:
        """It comes back by itself and tells nobody: the next robot finds out."""
        if bay in self.dead:
            del self.dead[bay]
            name = self._site.roadmap.bays[bay].id
            self._tell("fault_ended", {"kind": "charger_dies", "station": name})

    def repair(self, command: RepairCharger) -> None:
        """Somebody looks after a charger."""
        self._clock.after(round(MAINTENANCE_S * SECOND_NS), self._mended, command.bay)

    def _mended(self, bay: int) -> None:
        name = self._site.roadmap.bays[bay].id
        fact = {"reason": f"maintenance of {name}", "station": name, "orders": [], "loads": []}
        self._tell("human_touched", fact)
        self._charger_back(bay)
        self._say(ChargerRecovered(bay=bay))
