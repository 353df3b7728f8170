"""Machines and chargers that break by chance, and their repairs."""

from __future__ import annotations

from typing import Any

import pytest
from one_robot import line
from scenes import ring_files

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
from orchestrator.core.roadmap import Bay
from orchestrator.core.site import Policy, Site, Station
from orchestrator.layout import site_checks
from orchestrator.layout.site_file import FaultsFile, read_site
from sim.breakdowns import Breakdowns
from sim.clock import SECOND_NS, Clock, Streams

HOUR_S = 3600


class Plant:
    """An arm with two machines and a charger, and what is said and told of them."""

    def __init__(self, seed: int = 1, **faults: Any) -> None:
        bays = (Bay("p", "station", (0,), 1), Bay("c", "charger", (1,), 1))
        floor = line([5.0, 5.0])
        floor = type(floor)(**{
            name: getattr(floor, name) for name in floor.__dataclass_fields__ if name != "bays"
        }, bays=bays)  # fmt: skip
        station = Station("arm", "pick", ("pick", "pack"), 0)
        site = Site("t", "", floor, (), (station,), {}, frozenset(), Policy())
        self.clock = Clock()
        self.said: list[tuple[int, Event]] = []
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.broke: list[tuple[int, str]] = []
        self.dark: list[int] = []
        self.breakdowns = Breakdowns(
            site, self.clock, Streams(seed), FaultsFile.model_validate({"format": 1, **faults}),
            self._broke, lambda _: (["o1"], ["tote-1"]), self.dark.append,
            lambda event: self.said.append((self.clock.now_ns, event)),
            lambda kind, fact: self.told.append((kind, fact)),
        )  # fmt: skip

    def _broke(self, machine: tuple[int, str]) -> int:
        self.broke.append(machine)
        return 7

    def run(self, seconds: float) -> Plant:
        self.clock.run(self.clock.now_ns + round(seconds * SECOND_NS))
        return self

    def events(self, kind: type) -> list[Any]:
        return [event for _, event in self.said if type(event) is kind]

    def until_broken(self) -> StationFaulted:
        while not self.events(StationFaulted):
            self.run(60)
        fault: StationFaulted = self.events(StationFaulted)[0]
        return fault

    def recover(self, attempt: int = 1, *, maintenance: bool = False) -> None:
        fault = self.until_broken()
        self.breakdowns.recover(
            RecoverStation(
                station=fault.station, capability=fault.capability, attempt=attempt,
                maintenance=maintenance,
            )
        )  # fmt: skip


def down(**values: Any) -> dict[str, Any]:
    return {"machine_down": {"per_hour": 1.0, "repair_s": [60, 60]} | values}


def test_machines_break_at_the_rate_from_the_seed_and_say_what_they_were_at() -> None:
    def times(seed: int) -> list[int]:
        plant = Plant(seed, **down(per_hour=2.0, capabilities=["pick"]))
        plant.breakdowns.down = _forgets()
        plant.run(100 * HOUR_S)
        assert set(plant.broke) == {(0, "pick")} and plant.events(StationFaulted)[0].aborted == 7
        return [time_ns for time_ns, _ in plant.said]

    assert times(5) == times(5) != times(6)
    assert 150 < len(times(5)) < 250


class _forgets(dict[Any, None]):
    """Machines that are repaired at once."""

    def __setitem__(self, key: Any, value: None) -> None:
        pass


def test_a_repair_takes_its_time_and_ends_the_fault() -> None:
    plant = Plant(**down(repair_success=1.0))
    plant.recover()
    plant.run(59)
    assert not plant.events(StationRecovered)
    plant.run(1.5)
    fault = plant.until_broken()
    assert plant.events(StationRecovered)[0].capability == fault.capability
    assert [kind for kind, _ in plant.told][:2] == ["fault", "fault_ended"]
    assert plant.told[0][1]["station"] == f"arm:{fault.capability}"


def test_a_repair_may_fail_and_says_which() -> None:
    plant = Plant(**down(repair_success=0.0))
    plant.recover(attempt=3)
    plant.run(61)
    assert [event.attempt for event in plant.events(StationRepairFailed)] == [3]
    assert not plant.events(StationRecovered)


def test_maintenance_always_succeeds_and_touches_what_stands_there() -> None:
    plant = Plant(**down(repair_success=0.0))
    plant.recover(attempt=5, maintenance=True)
    plant.run(599)
    assert not plant.events(StationRecovered)
    plant.run(2)
    assert len(plant.events(StationRecovered)) == 1
    (touch,) = [fact for kind, fact in plant.told if kind == "human_touched"]
    assert (touch["orders"], touch["loads"]) == (["o1"], ["tote-1"])


def test_a_machine_that_works_and_is_repaired_says_that_it_works() -> None:
    """The core may believe that it is broken, as its answers got lost."""
    plant = Plant()
    plant.breakdowns.recover(RecoverStation(station=0, capability="pick", attempt=1))
    plant.run(200)
    assert len(plant.events(StationRecovered)) == 1 and plant.told == []


def test_other_rates_from_a_fork_on() -> None:
    plant = Plant(**down(per_hour=50.0))
    plant.breakdowns.change(None)
    assert plant.run(5 * HOUR_S).said == []


def test_a_charger_goes_dark_comes_back_silently_or_is_mended() -> None:
    plant = Plant(charger_dies={"per_hour": 1.0, "repair_s": [100, 100]})
    while not plant.said:
        plant.run(10)
    assert plant.events(ChargerFaulted)[0].bay == 1 and plant.dark == [1]
    assert 1 in plant.breakdowns.dead
    plant.breakdowns.repair(RepairCharger(bay=1))
    plant.run(101)
    assert 1 not in plant.breakdowns.dead and not plant.events(ChargerRecovered)
    plant.run(500)
    assert len(plant.events(ChargerRecovered)) == 1
    assert [kind for kind, _ in plant.told][:3] == ["fault", "fault_ended", "human_touched"]


@pytest.mark.parametrize("key", ["per_hour", "repair_success"])
def test_nonsense_in_the_file_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match=key):
        FaultsFile.model_validate({"format": 1, **down(**{key: -1})})


def test_a_capability_that_no_station_has_is_named() -> None:
    spec = read_site(ring_files()["site.yaml"], "site.yaml")[0]
    given = FaultsFile.model_validate({"format": 1, **down(capabilities=["pick", "bake"])})
    assert spec is not None
    (row,) = site_checks.faults(given, spec, "faults.yaml")
    assert row.path == "machine_down.capabilities.1" and "'bake'" in row.text
