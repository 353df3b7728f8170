"""Record, replay, resume and sweep, each on a short run of the demo site."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orchestrator.core.messages import ExtendBase
from orchestrator.core.world import CORE_VERSION
from orchestrator.journal import RunReader
from sim import replay as replaying
from sim.recipe import Recipe, of_site, with_faults
from sim.recorded import record
from sim.replay import replay
from sim.scenario import ScenarioError
from sim.shell import Simulation
from sim.sweep import sweep

SITE = Path(__file__).parents[2] / "sites" / "jd_small"
SECONDS = 120


def recipe(**values: Any) -> Recipe:
    made = of_site(SITE, **({"seed": 7, "hours": SECONDS / 3600} | values))
    return with_faults(made, "default")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    path = tmp_path_factory.mktemp("run") / "a.run"
    return path, record(recipe(), path)


def test_the_replay_gives_the_recorded_commands(run: tuple[Path, dict[str, Any]]) -> None:
    path, figures = run
    with RunReader(path) as reader:
        outcome = replay(reader, recipe().load())
        assert Recipe.of(reader.meta) == recipe()
    assert outcome.difference == ""
    assert outcome.events == figures["events"] and outcome.commands > 100
    assert outcome.journal_hash == figures["journal_hash"]


def test_the_replay_names_the_batch_where_commands_differ(
    run: tuple[Path, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def other(command: Any) -> bytes:
        if isinstance(command, ExtendBase):
            command = ExtendBase(robot=command.robot + 1, edges=command.edges)
        return encode(command)

    encode = replaying.encode
    monkeypatch.setattr(replaying, "encode", other)
    with RunReader(run[0]) as reader:
        difference = replay(reader, recipe().load()).difference
    assert difference.startswith("between events 0 and ")


def test_a_replay_is_watched_from_where_one_wants(run: tuple[Path, dict[str, Any]]) -> None:
    times: list[int] = []
    with RunReader(run[0]) as reader:
        replay(
            reader, recipe().load(), from_ns=60 * 10**9, speed=1e6,
            watch=lambda time_ns, event, world: times.append(time_ns),
        )  # fmt: skip
    assert times[0] >= 60 * 10**9 and times == sorted(times)


class Killed(BaseException):
    """What ends a process without asking."""


@pytest.mark.parametrize("at_s", [1, 47, SECONDS - 1])
def test_a_run_that_died_goes_on_to_the_same_end(
    run: tuple[Path, dict[str, Any]], tmp_path: Path, at_s: int
) -> None:
    def kill(simulation: Simulation) -> None:
        if simulation.clock.now_ns >= at_s * 10**9:
            raise Killed

    path = tmp_path / "b.run"
    with pytest.raises(Killed):
        record(recipe(), path, progress=kill)
    figures = record(recipe(), path, resume=True)
    assert figures["journal_hash"] == run[1]["journal_hash"]
    with RunReader(path) as reader, RunReader(run[0]) as whole:
        assert list(reader.truth()) == list(whole.truth())


def test_another_core_version_does_not_go_on(tmp_path: Path) -> None:
    old = replace(recipe(), core_version=CORE_VERSION + 1)
    with pytest.raises(ScenarioError, match="core version"):
        record(old, tmp_path / "c.run", resume=True)


def test_a_sweep_runs_each_seed_once_and_goes_on_where_it_was(tmp_path: Path) -> None:
    results, reported = tmp_path / "sweep.jsonl", list[int]()
    short = recipe(hours=20 / 3600)

    def note(row: dict[str, Any]) -> None:
        reported.append(row["seed"])

    first = sweep(short, [3], results, 1, note)
    with results.open("a") as file:
        file.write('{"seed": 4, "cut')  # killed while it wrote
        file.write("\n")
    both = sweep(short, [3, 4], results, 1, note)
    assert reported == [3, 4] and [row["seed"] for row in both] == [3, 4]
    assert both[0] == first[0] and not both[0]["findings"]
    assert both[0]["figures"]["journal_hash"] != both[1]["figures"]["journal_hash"]
    assert len({json.loads(line)["key"] for line in results.read_text().splitlines()
                if line.endswith("}")}) == 1  # fmt: skip
