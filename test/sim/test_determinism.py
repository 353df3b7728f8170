"""The same seed gives the same run, to the byte, whatever Python's hashes are; and the shell keeps
its promises towards core and record."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orchestrator.core.messages import (
    CommandRefused,
    ExtendBase,
    NodeReached,
    Ticked,
    decode_entry,
)
from sim.recipe import Recipe, of_site, with_faults
from sim.shell import Simulation
from sim.surroundings import MotionRow

ROOT = Path(__file__).parents[2]
MINUTES = 4


class Memory:
    """A record in memory."""

    def __init__(self) -> None:
        self.entries: list[tuple[int, int, bytes]] = []
        self.commands = hashlib.sha256()
        self.rows: list[MotionRow] = []
        self.facts: list[tuple[int, str, dict[str, Any]]] = []
        self.commits: list[int] = []  # events that are durable

    def append(self, entry: bytes, time_ns: int, seq: int) -> None:
        self.entries.append((time_ns, seq, entry))

    def command(self, encoded: bytes) -> None:
        self.commands.update(encoded)

    def motion(self, row: MotionRow) -> None:
        self.rows.append(row)

    def truth(self, time_ns: int, kind: str, payload: dict[str, Any]) -> None:
        self.facts.append((time_ns, kind, payload))

    def commit(self) -> None:
        self.commits.append(len(self.entries))

    def digest(self) -> dict[str, str]:
        journal = hashlib.sha256(b"".join(entry for _, _, entry in self.entries))
        motion, facts = repr(self.rows), json.dumps(self.facts)
        return {
            "journal": journal.hexdigest(),
            "commands": self.commands.hexdigest(),
            "motion": hashlib.sha256(motion.encode()).hexdigest(),
            "facts": hashlib.sha256(facts.encode()).hexdigest(),
        }


def recipe(seed: int = 7) -> Recipe:
    made = of_site(ROOT / "sites" / "jd_small", seed=seed, hours=MINUTES / 60)
    return with_faults(made, "default")


def simulate(made: Recipe) -> tuple[Simulation, Memory]:
    record = Memory()
    simulation = Simulation(made.scenario()[0], record)
    simulation.run()
    simulation.finish()
    return simulation, record


@pytest.fixture(scope="module")
def run() -> tuple[Simulation, Memory]:
    return simulate(recipe())


def test_a_seed_is_a_run_under_any_hash_seed(run: tuple[Simulation, Memory]) -> None:
    digests = []
    for hash_seed in ("1", "4711"):
        script = "import test_determinism as t, json;"
        script += "print(json.dumps(t.simulate(t.recipe())[1].digest()))"
        path = os.pathsep.join([str(ROOT), str(Path(__file__).parent)])
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": path}
        done = subprocess.run(
            [sys.executable, "-c", script], env=environment, capture_output=True, check=True
        )
        digests.append(json.loads(done.stdout))
    assert digests[0] == digests[1] == run[1].digest()


def test_another_seed_is_another_run(run: tuple[Simulation, Memory]) -> None:
    other = simulate(replace(recipe(8), hours=1 / 60))[1].digest()
    same = simulate(replace(recipe(7), hours=1 / 60))[1].digest()
    assert other["journal"] != same["journal"] and other["motion"] != same["motion"]


def test_stopping_and_looking_changes_nothing(run: tuple[Simulation, Memory]) -> None:
    record = Memory()
    simulation = Simulation(recipe().scenario()[0], record)
    looks: list[int] = []
    simulation.run(until_ns=61 * 10**9, progress=lambda s: looks.append(s.clock.now_ns))
    simulation.run(pace=1e6, progress=lambda s: looks.append(s.clock.now_ns), every_ns=7 * 10**9)
    simulation.finish()
    assert record.digest() == run[1].digest()
    assert looks == sorted(looks) and looks[-1] == MINUTES * 60 * 10**9


def test_entries_are_numbered_and_time_never_goes_back(run: tuple[Simulation, Memory]) -> None:
    entries = run[1].entries
    assert [seq for _, seq, _ in entries] == list(range(len(entries)))
    times = [time_ns for time_ns, _, _ in entries]
    assert times == sorted(times)
    events = [decode_entry(data).event for _, _, data in entries]
    assert sum(isinstance(event, Ticked) for event in events) == MINUTES * 60 + 1
    assert sum(isinstance(event, NodeReached) for event in events) > 500
    assert not any(isinstance(event, CommandRefused) for event in events)


def test_events_become_durable_in_batches_and_all_at_the_end(
    run: tuple[Simulation, Memory],
) -> None:
    commits = run[1].commits
    steps = [b - a for a, b in zip([0, *commits], commits, strict=False)]
    assert max(steps) <= 500 and commits[-1] == len(run[1].entries)


def test_the_record_of_each_robot_is_one_story(run: tuple[Simulation, Memory]) -> None:
    ends: dict[int, int] = {}
    for row in run[1].rows:
        assert row[2] > 0 and row[1] >= ends.get(row[0], 0)
        ends[row[0]] = row[1] + row[2]
    assert max(ends.values()) <= MINUTES * 60 * 10**9
    kinds = {kind for _, kind, _ in run[1].facts}
    assert {"robot", "tote", "order", "load_moved", "units_moved", "stock", "end"} <= kinds
    assert "impossible_action" not in kinds


def test_what_the_gate_refuses_comes_back_as_an_event() -> None:
    record = Memory()
    simulation = Simulation(recipe().scenario()[0], record)
    parked = simulation.robots[0].node
    edge = next(e for e, t in enumerate(simulation.roadmap.edge_tail) if t != parked)
    simulation.send(ExtendBase(robot=0, edges=(edge,)))
    simulation.run(until_ns=10**9)
    events = [decode_entry(data).event for _, _, data in record.entries]
    refused = [event for event in events if isinstance(event, CommandRefused)]
    assert len(refused) == 1 and refused[0].edges == (edge,) and refused[0].reason
    assert not simulation.robots[0].base
