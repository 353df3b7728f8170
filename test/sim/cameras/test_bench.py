"""What is measured, and what simulations make of it."""

import json
import pickle
from collections import Counter
from pathlib import Path

import cv2
import pytest

from orchestrator.cli import main
from orchestrator.vision.codes import printed
from orchestrator.vision.model import TASKS
from sim.cameras import LEVELS, rates
from sim.cameras.cases import STATION, known_ids, known_skus, labels, like, others, stations
from sim.cameras.dice import dice
from sim.cameras.measure import Bench
from sim.cameras.tally import upper


@pytest.mark.slow
def test_bench_vision_reads_what_it_renders(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sheet, counts = tmp_path / "sheet.png", tmp_path / "counts.json"
    words = ["bench", "vision", "--labels", "6", "--others", "2", "--processes", "1", "--json"]
    words += ["--seconds", "0.2", "--sheet", str(sheet), "--calibrate", str(counts)]
    assert main(words) == 0
    said = json.loads(capsys.readouterr().out)
    found = said["read_label"]["backends"]
    assert list(found) == ["codes", "tags", "ocr", "chain"]
    for row in found.values():
        assert row["right"] + row["wrong"] + row["none"] == 6
    assert found["chain"]["right"] >= found["codes"]["right"] >= 2
    assert found["chain"]["false_accepts"] == 0
    assert said["first_stage"]["per_second"] > 1
    assert set(json.loads(counts.read_text())["counts"]) == {
        "read_label", "verify_pick", "identify_item", "inspect_damage", "check_lane",
    }  # fmt: skip
    assert cv2.imread(str(sheet)).shape[1] > 1000


def test_bench_vision_says_where_it_can_not_write(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "vision", "--sheet", "/nowhere/at/all.png"]) != 0
    assert "make it first" in capsys.readouterr().err


def test_a_quarter_of_the_questions_expects_another_id_that_is_alike() -> None:
    asked = labels(0, 400)
    wrong = [case for case in asked if case.kind == "other"]
    assert 70 <= len(wrong) <= 130
    for case in wrong:
        assert case.bad and case.question.expected in known_ids()
        assert case.truth.label != case.question.expected
    assert {case.level for case in asked} == set(LEVELS)


def test_ids_that_are_alike_are_printed_with_other_check_digits() -> None:
    for identity in ("tote-0041", "parcel-o7", "parcel-o9999", "tote-1111"):
        for number in range(50):
            other = like(identity, dice(number))
            assert other != identity and other in known_ids()
            assert printed(other)[-2:] != printed(identity)[-2:]


def test_what_is_wrong_in_a_box_is_wrong_in_the_question() -> None:
    for case in others(0, 120):
        if case.task == "verify_pick":
            fits = case.right == case.question.expected
            assert fits == (case.kind in ("same", "broken"))
            assert case.bad == (case.kind != "same")
            assert all(count >= 0 for count in case.truth.contents.values())
        if case.kind == "stranger":
            assert any(sku not in known_skus() for sku in case.truth.contents)


def test_another_process_asks_the_same() -> None:
    asked = labels(3, 8) + others(3, 8)
    data = pickle.dumps(asked)
    assert pickle.loads(data) == asked and len(data) < 10_000


def test_the_bound_is_that_of_clopper_and_pearson() -> None:
    assert upper(0, 300) == pytest.approx(1 - 0.05 ** (1 / 300))
    assert upper(0, 300) == pytest.approx(3 / 300, rel=0.01)  # the rule of three
    assert upper(1, 100) == pytest.approx(0.0466, abs=0.0002)
    assert upper(5, 5) == upper(0, 0) == 1.0


def test_an_error_that_was_never_seen_still_has_its_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = {"read_label": {"easy": {"same": {"ok": 95, "unreadable": 5}}}}
    monkeypatch.setattr(rates, "measured", lambda: {"counts": counts})
    rates.rates.cache_clear()
    found = rates.rates("read_label", "easy")
    assert sum(found.values()) == pytest.approx(1)
    assert found["misread"] == pytest.approx(upper(0, 100))
    assert found["unreadable"] == pytest.approx(upper(5, 100))
    assert 0.8 < found["ok"] < 0.95
    with pytest.raises(rates.RatesError, match="hard, same"):
        rates.rates("read_label", "hard")
    rates.rates.cache_clear()


def test_the_calibration_has_every_level_of_every_task() -> None:
    for task, fits in rates.FITS.items():
        for level in LEVELS:
            found = rates.rates(task, level)
            assert sum(found.values()) == pytest.approx(1)
            assert all(0 < share < 1 for share in found.values()), (task, level, fits)
    assert rates.rates("read_label", "easy")["ok"] > 0.9
    assert rates.rates("read_label", "easy", "other")["ok"] < 0.05
    broken = rates.rates("verify_pick", "easy", "broken")
    assert broken["damaged"] > 0 and broken["ok"] > 0


def test_what_stations_see_keeps_its_level_on_the_way_to_another_process() -> None:
    made = stations(7, 2)
    assert Counter(case.task for case in made) == dict.fromkeys(TASKS, 2)
    assert {case.level for case in made} == {STATION}
    assert pickle.loads(pickle.dumps(made)) == made


def test_the_chain_alone_comes_to_the_same() -> None:
    one, other = Bench(0), Bench(0)
    for case in stations(0, 2):
        alone, all_of_them = one.measure(case, chain_alone=True), other.measure(case)
        assert (alone.outcome, alone.value) == (all_of_them.outcome, all_of_them.value)
        assert not alone.said and all_of_them.said
