"""What if: a fork is its parent up to a moment, byte by byte, and another run behind it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from whole_ring import tug_files

from orchestrator.answers import Answers
from orchestrator.core.messages import (
    OrderReceived,
    PolicyChanged,
    RobotFaulted,
    RobotJoined,
    RobotRetired,
    decode_entry,
)
from orchestrator.journal import RunReader, RunWriter
from orchestrator.layout import LayoutError
from sim import network
from sim.fork import Fork, check, full, setting
from sim.forked_demand import names, through
from sim.forking import fork
from sim.parent import ForkDiverged
from sim.recipe import Recipe, of_site, with_faults
from sim.recorded import record
from sim.replay import replay
from sim.scenario import ScenarioError
from sim.shell import Simulation
from sim.verification import verify

SITE = Path(__file__).parents[2] / "sites" / "jd_small"
SECONDS, AT = 300, 120.0


def recipe(**values: Any) -> Recipe:
    made = of_site(SITE, **({"seed": 7, "hours": SECONDS / 3600} | values))
    return with_faults(made, "default")


@pytest.fixture(scope="module")
def parent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of few robots: there are places for more."""
    path = tmp_path_factory.mktemp("parent") / "a.run"
    record(recipe(fleets={"tote_amr": 6, "sorter": 4}), path)
    return path


def whole(path: Path) -> dict[str, Any]:
    """Everything that two equal runs have in common."""
    with RunReader(path) as reader:
        last = reader.last_durable()
        return {
            "events": list(reader.entry_bytes()),
            "chains": (last.chain, last.commands, last.commands_chain),
            "motion": reader.motion().tobytes(),
            "truth": list(reader.truth_bytes()),
            "books": reader.meta["books"],
        }


def events(path: Path, kind: type, *, behind: bool = False) -> list[Any]:
    with RunReader(path) as reader:
        entries = [entry for entry in reader.entries() if isinstance(entry.event, kind)]
    return [e.event for e in entries if not behind or e.time_ns > AT * 1e9]


def facts(path: Path, kind: str) -> list[tuple[float, dict[str, Any]]]:
    with RunReader(path) as reader:
        return [(time_ns / 1e9, fact) for _, time_ns, _, fact in reader.truth(kind)]


def clean(path: Path) -> None:
    """Verified, and every command comes again."""
    with RunReader(path) as reader:
        verdict = verify(reader)
        assert verdict.clean, verdict.findings.as_json()
        assert replay(reader, Recipe.of(reader.meta).load()).difference == ""


def test_without_changes_a_fork_is_its_parent_to_the_last_byte(
    parent: Path, tmp_path: Path
) -> None:
    figures = fork(parent, Fork(AT), tmp_path / "b.run")
    mine, theirs = whole(tmp_path / "b.run"), whole(parent)
    assert mine == theirs and len(mine["events"]) == figures["events"]
    with RunReader(tmp_path / "b.run") as reader:
        line = reader.meta["forked_from"]
        chains = {first + len(rows): chain.hex() for first, rows, chain, *_ in reader.batches()}
        assert line[0]["events"] < figures["events"] == max(chains)
    assert [row["run"] for row in line] == ["a.run"] and line[0]["at_s"] == AT


def test_the_beginning_is_not_planned_again(
    parent: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = Counter[str]()

    def counted(name: str) -> Any:
        compute = getattr(Answers, name)

        def call(self: Answers, request: Any) -> Any:
            calls[name] += 1
            return compute(self, request)

        return call

    for name in ("paths", "assignment"):
        monkeypatch.setattr(Answers, name, counted(name))
    fork(parent, Fork(SECONDS - 1.0), tmp_path / "b.run")
    with RunReader(parent) as reader:
        planned = Counter(type(entry.event).__name__ for entry in reader.entries())
    assert planned["PathsPlanned"] > 100
    assert calls["paths"] <= 5 and calls["assignment"] <= 2


def test_robots_join_at_the_moment_and_not_before(parent: Path, tmp_path: Path) -> None:
    path = tmp_path / "b.run"
    figures = fork(parent, Fork(AT, fleets={"tote_amr": 20, "sorter": 2}), path)
    assert figures["robots"] == 32
    joined = [(at, fact["name"]) for at, fact in facts(path, "robot") if at > 0]
    assert len(joined) == 22 and {at for at, _ in joined} == {AT}
    assert joined[0][1] == "sorter-05" and joined[-1][1] == "tote_amr-26"
    carried = {fact["to"] for at, fact in facts(path, "load_moved") if fact["to"][:6] == "robot:"}
    assert carried & {f"robot:{name}" for _, name in joined}
    before, after = events(parent, OrderReceived), events(path, OrderReceived)
    assert {o.order_id for o in before} == {o.order_id for o in after}
    clean(path)


def test_robots_that_find_no_place_are_refused_with_the_number_there_is(
    parent: Path, tmp_path: Path
) -> None:
    path = tmp_path / "b.run"
    with pytest.raises(ScenarioError, match=r"at 120 s there are places left for \d+ .*take \d+"):
        fork(parent, Fork(AT, fleets={"tote_amr": 500}), path)
    assert list(tmp_path.iterdir()) == []


def test_robots_retire_when_they_are_free(parent: Path, tmp_path: Path) -> None:
    path = tmp_path / "b.run"
    fork(parent, Fork(AT, fleets={"sorter": -3}), path)
    retired = [event.robot for event in events(path, RobotRetired)]
    names = {fact["robot"]: fact["name"] for _, fact in facts(path, "robot")}
    off = {fact["robot"]: at for at, fact in facts(path, "robot_retired")}
    assert len(retired) == 3 and set(off) <= {names[robot] for robot in retired} and off
    for at, fact in facts(path, "load_moved"):
        name = fact["to"].removeprefix("robot:")
        assert at < off.get(name, 1e9), "who is switched off takes nothing"
    clean(path)
    with pytest.raises(ScenarioError, match="4 robots of it are in service at 120 s"):
        fork(parent, Fork(AT, fleets={"sorter": -5}), path)


def test_settings_are_journalled_where_the_core_must_know_them(
    parent: Path, tmp_path: Path
) -> None:
    path = tmp_path / "b.run"
    settings = {"lookahead": 6, "policy.park_after_ms": 9000, "simulation.success.pick": 0.0}
    fork(parent, Fork(AT, settings=settings), path)
    changed = {event.key: event.value for event in events(path, PolicyChanged)}
    assert changed == {"lookahead": 6, "park_after_ms": 9000}
    before, after = (sum(at > AT + 30 for at, _ in facts(p, "units_moved")) for p in (parent, path))
    assert before > 3 and after == 0, "no arm grasps anything any more"
    ((at, fact),) = facts(path, "forked")
    assert at == AT and fact["changes"] == {"settings": settings}
    clean(path)


def test_faults_end_where_a_fork_ends_them(tmp_path: Path) -> None:
    made = replace(recipe(), faults="format: 1\nrobot_dies: {per_robot_hour: 20}\n")
    record(made, tmp_path / "a.run")
    assert events(tmp_path / "a.run", RobotFaulted, behind=True)
    fork(tmp_path / "a.run", Fork(AT, faults=""), tmp_path / "b.run")
    late = [at for at, _ in facts(tmp_path / "b.run", "fault") if at > AT]
    assert all(at < AT + 10 for at in late), "at most who was dying already"


BREAKING = """format: 1
robot_dies: {per_robot_hour: 30}
machine_down: {per_hour: 60}
charger_dies: {per_hour: 60}
item_dropped: {share: 0.5}
answer_lost: {share: 0.2}
message_late: {share: 0.5, delay_s: [1, 2]}
"""


def test_faults_begin_where_a_fork_begins_them(tmp_path: Path) -> None:
    record(replace(recipe(), faults=""), tmp_path / "a.run")
    change = Fork(AT, faults=BREAKING, settings={"assignment": "nearest", "soon_free": False})
    figures = fork(tmp_path / "a.run", change, tmp_path / "b.run")
    assert facts(tmp_path / "a.run", "fault") == [] and figures["late_messages"] > 100
    struck = Counter(fact["kind"] for at, fact in facts(tmp_path / "b.run", "fault") if at > AT)
    assert {"robot_dies", "machine_down", "charger_dies"} <= set(struck)
    assert all(at > AT for at, _ in facts(tmp_path / "b.run", "fault"))
    changed = {event.key: event.value for event in events(tmp_path / "b.run", PolicyChanged)}
    assert changed == {"assignment": "nearest", "soon_free": False}
    clean(tmp_path / "b.run")


def test_a_centre_with_every_stage_is_forked(tmp_path: Path) -> None:
    # given a ring with pallets, returns, tuggers and trucks that are five minutes late
    late = "format: 1\ntruck_late: {share: 1, delay_minutes: [5, 5]}\n"
    made = Recipe(
        "ring", tug_files(policy={"invariants_every": 1000}), seed=3, hours=0.6, faults=late
    )
    record(made, tmp_path / "a.run")
    # when from the thirtieth minute on they are in time, more is asked, and a tugger retires
    fork(
        tmp_path / "a.run",
        Fork(1795.0, faults="", demand=2.0, fleets={"tug": -1}),
        tmp_path / "b.run",
    )
    # then the same trucks come, each in time, and all of it can be verified
    before, after = (facts(tmp_path / f"{n}.run", "truck_docked") for n in ("a", "b"))
    assert [f["truck"] for _, f in before] == [f["truck"] for _, f in after][: len(before)]
    delays = [(f["departs_ns"] - f["scheduled_ns"]) / 60e9 for _, f in after]
    assert delays[0] == 5.0 and len(delays) >= 2 and set(delays[1:]) == {0.0}
    kinds = {o.kind for o in events(tmp_path / "b.run", OrderReceived) if o.order_id[0] == "t"}
    assert "outbound" in kinds
    clean(tmp_path / "b.run")


def test_demand_is_laid_over_or_thinned_out() -> None:
    made, _ = replace(recipe(), hours=4.0).scenario()
    at = Fork(7200.0)

    def orders(*forks: Fork) -> list[tuple[int, OrderReceived]]:
        return through(made, forks).orders

    assert orders(at) == made.orders
    known = set(made.orders)
    before = [pair for pair in made.orders if pair[0] <= at.at_ns]
    for factor in (1.5, 3.5):
        more = orders(replace(at, demand=factor))
        assert known <= set(more) and more[: len(before)] == before
        assert [t for t, _ in more] == sorted(t for t, _ in more)
        assert len({o.order_id for _, o in more}) == len(more)
        loads = [o.load for _, o in more if o.load]
        assert len(set(loads)) == len(loads)
        late, base = len(more) - len(before), len(made.orders) - len(before)
        assert abs(late / base - factor) < 0.15 * factor
    fewer = orders(replace(at, demand=0.5))
    assert set(fewer) < known and fewer[: len(before)] == before
    assert 0.35 < (len(fewer) - len(before)) / (len(made.orders) - len(before)) < 0.65
    assert orders(replace(at, demand=0.0)) == before
    other = orders(replace(at, settings={"simulation.demand.outbound.orders_per_hour": 0}))
    assert {o.kind for t, o in other if t > at.at_ns} == {"inbound", "returns"}


def test_a_fork_between_others_changes_none_of_their_chance() -> None:
    late = Fork(200.0, demand=2.0)
    assert names([late, Fork(200.0)]) == ["t200", "t200#2"]
    made, _ = recipe().scenario()
    assert through(made, [Fork(100.0), late]).orders == through(made, [late]).orders


def test_a_fork_of_a_fork_keeps_what_its_parent_changed(parent: Path, tmp_path: Path) -> None:
    one, two, three = (tmp_path / f"{name}.run" for name in "bcd")
    fork(parent, Fork(AT, demand=2.0, settings={"lookahead": 3}), one)
    fork(one, Fork(200.0), two)
    fork(one, Fork(60.0), three)  # before its parent's own: that one still comes
    assert whole(two) == whole(one) == whole(three)
    with RunReader(two) as reader:
        assert [row["run"] for row in reader.meta["forked_from"]] == ["a.run", "b.run"]
        assert [row["at_s"] for row in Recipe.of(reader.meta).forks] == [AT, 200.0]
    fork(one, Fork(200.0, settings={"lookahead": 5}), two)
    assert [event.value for event in events(two, PolicyChanged)] == [3, 5]
    clean(two)


def test_a_fork_that_died_is_resumed_to_the_same_end(parent: Path, tmp_path: Path) -> None:
    change = Fork(AT, fleets={"tote_amr": 3, "sorter": -1}, demand=1.5, settings={"horizon": 8})
    fork(parent, change, tmp_path / "whole.run")

    def stop(simulation: Simulation) -> None:
        if simulation.clock.now_ns > 200 * 10**9:
            raise KeyboardInterrupt

    path = tmp_path / "died.run"
    with pytest.raises(KeyboardInterrupt):
        fork(parent, change, path, progress=stop)
    with RunReader(path) as reader:
        made = Recipe.of(reader.meta)
        assert reader.open and reader.count > 500
    record(made, path, resume=True)
    assert whole(path) == whole(tmp_path / "whole.run")


def test_a_beginning_that_comes_out_otherwise_stops_the_fork(
    parent: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network, "MS_NS", 1_000_001)
    with pytest.raises(ForkDiverged, match=r"event \d+ at [\d.]+ s is another one -> fork it with"):
        fork(parent, Fork(AT), tmp_path / "b.run")
    assert list(tmp_path.iterdir()) == []


def test_what_was_not_simulated_can_not_be_forked(parent: Path, tmp_path: Path) -> None:
    live = tmp_path / "live.run"
    RunWriter(live, {"site": "somewhere"}).close("closed")
    with pytest.raises(ScenarioError, match="was not simulated: a live run follows from no recipe"):
        fork(live, Fork(AT), tmp_path / "b.run")
    with pytest.raises(ScenarioError, match="is the run that is forked"):
        fork(parent, Fork(AT), parent)


def test_a_run_under_way_is_forked_where_it_is_durable(tmp_path: Path) -> None:
    def stop(simulation: Simulation) -> None:
        if simulation.clock.now_ns > 200 * 10**9:
            raise KeyboardInterrupt

    path = tmp_path / "a.run"
    with pytest.raises(KeyboardInterrupt):
        record(recipe(), path, progress=stop)
    with pytest.raises(ScenarioError, match=r"is recorded up to 1\d\d\.\d+ s so far"):
        fork(path, Fork(250.0), tmp_path / "b.run")
    fork(path, Fork(AT), tmp_path / "b.run")
    with RunReader(path) as reader, RunReader(tmp_path / "b.run") as other:
        mine = list(other.entry_bytes())
        theirs = list(reader.entry_bytes())
    assert mine[: len(theirs)] == theirs and len(mine) > len(theirs)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (Fork(SECONDS), "the run lasts 300 s -> fork before its end"),
        (Fork(AT, fleets={"drone": 1}), "unknown fleet 'drone' -> this site has tote_amr"),
        (Fork(AT, demand=100.0), "--demand x100 -> write x0 to x20"),
        (Fork(AT, settings={"lookahed": 5}), "unknown key -> did you mean|can't be set"),
        (Fork(AT, settings={"policy.lookahed": 5}), "did you mean policy.lookahead"),
        (Fork(AT, settings={"lookahead": 0}), "policy.lookahead=0: Input should be greater"),
        (Fork(AT, settings={"simulation.success.pikc": 1}), "did you mean simulation.success.pick"),
        (Fork(AT, settings={"simulation.success.pick": 2}), "less than or equal to 1"),
        (Fork(AT, settings={"stock.totes": 9}), "stock.totes: can't be set at a fork"),
        (Fork(AT, settings={"simulation.demand.outbound.rate": 2}), "unknown key"),
    ],
)
def test_a_fork_that_makes_no_sense_is_refused_with_the_mend(change: Fork, text: str) -> None:
    with pytest.raises(ScenarioError, match=text):
        check(recipe().load(), [change], SECONDS / 3600)


def test_what_the_simulation_does_not_hand_on_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = recipe().load()
    monkeypatch.setattr("sim.fork.FAULTS_THAT_CHANGE", ("format", "robot_dies"))
    with pytest.raises(ScenarioError, match="--faults: robot_slips is drawn when a run begins"):
        check(loaded, [Fork(AT, faults="")], 1.0, recipe().scenario()[0].options.faults)
    monkeypatch.setattr("sim.fork.SIMULATION_THAT_CHANGES", ("demand",))
    with pytest.raises(
        ScenarioError, match=r"--set simulation.success.pick: is read when a run beg"
    ):
        check(loaded, [Fork(AT, settings={"simulation.success.pick": 0.5})], 1.0)
    with pytest.raises(ScenarioError, match=r"--set simulation.trucks: is read when a run begins"):
        check(loaded, [Fork(AT, settings={"simulation.trucks": {}})], 1.0)


def test_other_refusals() -> None:
    loaded = recipe().load()
    with pytest.raises(LayoutError, match="pick_fails"):
        broken = Fork(AT, faults="format: 1\npick_fails: {share: 7}")
        check(loaded, [broken], 1.0)
    with pytest.raises(ScenarioError, match="a competition's tasks are no demand"):
        check(loaded, [Fork(AT, demand=2.0)], 1.0, competition=True)
    assert setting("simulation.service_s.pick=[4, 0.1]") == ("simulation.service_s.pick", [4, 0.1])
    for text in ("lookahead", "=3", "a=", "a=[1"):
        with pytest.raises(ScenarioError, match="->"):
            setting(text)
    assert full("lookahead") == "policy.lookahead" and full("simulation.x") == "simulation.x"


def test_every_event_of_a_joined_robot_lies_behind_its_joining(
    parent: Path, tmp_path: Path
) -> None:
    path = tmp_path / "b.run"
    fork(parent, Fork(AT, fleets={"tote_amr": 3}), path)
    known: set[int] = set()
    with RunReader(path) as reader:
        for data in reader.entry_bytes():
            entry = decode_entry(data)
            if isinstance(entry.event, RobotJoined):
                known.add(entry.event.robot)
            assert getattr(entry.event, "robot", 0) in known or not known
        motion = reader.motion()
    late = motion[motion["robot"] >= 10]
    assert len(late) and late["t0_ns"].min() > AT * 1e9
