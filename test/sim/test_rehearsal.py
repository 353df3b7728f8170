"""Rehearsals: sites that pass, sites with a planted flaw that must fail with its name, and going on."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import planted
import pytest

from orchestrator import certificate, cli
from orchestrator.layout import load_site
from sim import rehearsal
from sim.rehearsal import Plan, rehearse
from sim.rehearsal.standstill import merged, outside


def rehearsed(
    folder: Path, capsys: pytest.CaptureFixture[str], *more: str
) -> tuple[int, str, dict[str, Any]]:
    code = cli.main(["rehearse", str(folder), "--jobs", "1", *more])
    said = capsys.readouterr().out
    return code, said, certificate.read(certificate.default_path(folder))


@pytest.mark.parametrize(
    ("files", "threshold", "why"),
    [
        (planted.jamming_loop, "deadlocks", r"a one-way loop is full, .*amr-0\d at [abcd] ->"),
        (planted.slow_picking, "on_time", r"pick-\d+ is too slow: pick is at work (9\d|100) %"),
        (planted.few_chargers, "on_time", r"too few chargers: 1 for 4 amr, .* \d ran empty"),
    ],
)
def test_a_planted_flaw_is_named_with_the_moment_to_watch(
    files: Any, threshold: str, why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = planted.put(tmp_path / "flawed", files())
    code, said, made = rehearsed(folder, capsys)
    assert code == 1
    assert made["passed"] is False
    assert threshold in [row["threshold"] for row in made["seeds"][0]["shortfalls"]]
    assert re.search(f"why:   {why}", said), said
    watch = re.search(r"watch: lightsout view (\S+) --at (\d+):(\d\d):(\d\d)", said)
    assert watch is not None, said
    assert Path(watch[1]).is_file()
    hours, minutes, seconds = (int(watch[number]) for number in (2, 3, 4))
    assert 0 < 3600 * hours + 60 * minutes + seconds < 3600 * planted.HOURS
    assert "the rehearsal failed" in certificate.check(folder, made)[0]


def test_a_loop_that_jams_closes_where_the_four_stand(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The circle that is named is a circle of the layout, with a robot of its own at each node."""
    made = rehearsed(planted.put(tmp_path / "jam", planted.jamming_loop()), capsys)[2]
    text = made["seeds"][0]["causes"][0]["text"]
    pairs = re.findall(r"(amr-\d+) at ([abcd])", text)
    assert len({robot for robot, _ in pairs}) == 4
    assert "".join(node for _, node in pairs) in ("abcd", "bcda", "cdab", "dabc")


def test_a_site_without_a_flaw_passes_and_may_be_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = planted.put(tmp_path / "fine", planted.picking())
    hashed = load_site(folder).site.hash
    code, said, made = rehearsed(folder, capsys)
    assert code == 0, said
    assert made["passed"] and "passed: 1 futures" in said
    assert certificate.check(folder, made, load_site(folder).site) == []
    assert load_site(folder).site.hash == hashed  # the certificate is no part of the site
    worst = made["worst"]
    assert worst["clearance"]["m"] > 0 and worst["on_time"]["ratio"] >= 0.9
    assert worst["wait"]["seconds"] > 0
    # its run is kept, to be compared with what happens later
    run = folder / "certificate.runs" / made["seeds"][0]["run"]
    assert cli.main(["compare", str(run), str(run), "--json"]) == 0
    assert cli.main(["verify", str(run), "--json"]) == 0


def test_less_than_asked_is_no_certificate(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = planted.put(tmp_path / "calm", planted.loop())
    _, _, made = rehearsed(folder, capsys, "--hours", "0.2")
    assert certificate.check(folder, made) == ["hours: 0.2 were rehearsed, site.yaml asks for 0.35"]


def test_a_rehearsal_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    folder = planted.put(tmp_path / "calm", planted.loop())
    plan = plan_of(folder, seeds=2)

    class Killed(Exception):
        pass

    def die(_: Any) -> None:
        raise Killed

    with pytest.raises(Killed):
        rehearse(plan, die)
    with plan.results.open("a") as file:
        file.write('{"seed": 1, "cut')  # the line that was being written
    played: list[int] = []
    made = rehearse(plan, lambda row: played.append(row["seed"]))
    assert played == [1]
    assert [row["seed"] for row in made["seeds"]] == [0, 1]
    again = rehearse(plan, lambda row: played.append(row["seed"]))
    assert played == [1]
    assert without(again) == without(made)
    # seed 0 has the site's own faults (it has none), the other has some by chance
    assert [row["faults"] == "none" for row in made["seeds"]] == [True, False]


def test_another_site_is_rehearsed_anew(tmp_path: Path) -> None:
    folder = planted.put(tmp_path / "calm", planted.loop())
    plan = plan_of(folder)
    keys = {plan.key()}
    site = folder / "site.yaml"
    site.write_text(site.read_text() + "# one more line\n")
    keys.add(plan_of(folder).key())
    keys.add(plan_of(folder, hours=0.2).key())
    assert len(keys) == 3


def test_the_demand_of_a_recorded_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its orders come again at their times, whatever the site's demand would have been."""
    run = tmp_path / "yesterday.run"
    folder = planted.put(tmp_path / "busy", planted.loop(per_hour=90))
    cli.main(["run", str(folder), "--hours", "0.3", "--seed", "9", "--record", str(run), "--json"])
    calm = planted.put(tmp_path / "calm", planted.loop(per_hour=1))
    capsys.readouterr()
    _, _, made = rehearsed(calm, capsys, "--from", str(run))
    assert made["demand"]["run"] == "yesterday.run"
    assert orders_of(calm / "certificate.runs" / "seed-0.run") == orders_of(run)
    # a site that lacks what the orders ask for is told so
    other = planted.put(tmp_path / "other", planted.picking())
    assert cli.main(["rehearse", str(other), "--from", str(run)]) == 2
    assert "this site lacks" in capsys.readouterr().err


def test_a_certificate_may_not_become_a_part_of_the_site(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = planted.put(tmp_path / "calm", planted.loop())
    for out in (folder / "other.json", folder / "site.yaml", tmp_path / "nowhere" / "c.json"):
        assert cli.main(["rehearse", str(folder), "--out", str(out)]) == 2
        assert "->" in capsys.readouterr().err


def test_a_future_that_breaks_is_a_shortfall(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: Any) -> None:
        raise RuntimeError("an invariant")

    monkeypatch.setattr(rehearsal.future, "record", breaks)
    made = rehearse(plan_of(planted.put(tmp_path / "calm", planted.loop())))
    assert made["reasons"] == ["seed 0: runs: the run broke: RuntimeError: an invariant"]


def test_time_outside_of_reasons() -> None:
    spans = merged([(5, 7), (0, 2), (1, 3), (7, 8)])
    assert spans == [(0, 3), (5, 8)]
    assert outside(2, 10, spans) == pytest.approx(4e-9)


def plan_of(folder: Path, seeds: int = 1, hours: float = 0.25) -> Plan:
    from sim.recipe import of_site  # noqa: PLC0415

    recipe = of_site(folder, hours=hours)
    wanted = recipe.load().spec.rehearsal
    return Plan(folder, recipe, wanted, seeds, folder / "certificate.json", jobs=1)


def without(made: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in made.items() if key not in ("created", "seal")}


def orders_of(run: Path) -> list[tuple[int, str]]:
    from orchestrator.journal import RunReader  # noqa: PLC0415

    with RunReader(run) as reader:
        return [
            (time_ns, json.dumps(fact))
            for _, time_ns, kind, fact in reader.truth()
            if kind == "order"
        ]
