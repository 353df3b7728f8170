"""What counts as right, and what is a doubt."""

import pickle

import numpy as np
import pytest

from orchestrator.vision.judging import Opinion, Rule, judge, outcome_of
from orchestrator.vision.model import Picture, PictureError, Question, ReaderError, Reading, Task

KNOWN = ("tote-0041", "tote-0042")
LABEL = Question("read_label", "tote-0041", KNOWN)
RULE = Rule(threshold=0.8)


def read(value: str, confidence: float = 0.95, model: str = "codes", *also: str) -> Reading:
    return Reading(value, confidence, model, also=also)


@pytest.mark.parametrize(
    ("task", "expected", "value", "outcome"),
    [
        ("read_label", "tote-0041", "tote-0041", "ok"),
        ("read_label", "tote-0041", "tote-0042", "misread"),
        ("read_label", "tote-0041", "tote-9999", "unreadable"),  # nobody knows it
        ("read_label", "tote-0041", "", "unreadable"),
        ("identify_item", "tote-0041", "tote-0042", "mismatch"),
        ("verify_pick", "tote-0041:3", "tote-0041:3", "ok"),
        ("verify_pick", "tote-0041:3", "tote-0041:2", "mismatch"),
        ("verify_pick", "tote-0041:3", "tote-0042:3", "mismatch"),
        ("verify_pick", "tote-0041:3", "tote-7777:3", "unreadable"),
        ("verify_pick", "tote-0041:3", "tote-0041:many", "unreadable"),
        ("verify_pick", "tote-0041:3", "3", "unreadable"),
        ("inspect_damage", "a", "intact", "ok"),
        ("inspect_damage", "a", "damaged", "damaged"),
        ("inspect_damage", "a", "a", "unreadable"),
        ("check_lane", "", "clear", "ok"),
        ("check_lane", "", "blocked", "blocked"),
        ("check_lane", "", "", "unreadable"),
    ],
)
def test_what_a_value_means(task: Task, expected: str, value: str, outcome: str) -> None:
    assert outcome_of(Question(task, expected, KNOWN), value) == outcome


def test_the_first_that_is_sure_ends_it() -> None:
    assert judge(LABEL, [read("tote-0041")], RULE) == Opinion(
        "ok", "tote-0041", 0.95, "codes", True
    )
    assert judge(LABEL, [read("")], RULE) == Opinion("unreadable")
    assert judge(LABEL, [read(""), read("tote-0042", 0.9, "ocr")], RULE).outcome == "misread"


def test_one_that_is_not_sure_is_a_doubt_that_another_may_end() -> None:
    weak = read("tote-0041", 0.5)
    assert judge(LABEL, [weak], RULE) == Opinion("doubtful", "tote-0041", 0.5, "codes")
    assert judge(LABEL, [weak, read("tote-0041", 0.9, "ocr")], RULE).outcome == "ok"
    assert judge(LABEL, [weak], Rule(0.8, {"codes": 0.4})).outcome == "ok"


def test_readers_that_contradict_each_other_are_a_doubt_for_good() -> None:
    readings = [read("tote-0042", 0.3), read("tote-0041", 0.99, "ocr")]
    assert judge(LABEL, readings, RULE) == Opinion("doubtful", settled=True)


def test_a_second_label_in_the_picture_is_a_doubt_unless_nobody_knows_it() -> None:
    assert judge(LABEL, [read("tote-0041", 0.99, "codes", "tote-0042")], RULE).outcome == "doubtful"
    assert judge(LABEL, [read("tote-0041", 0.99, "codes", "other")], RULE).outcome == "ok"


def test_two_must_agree_where_the_rule_says_so() -> None:
    rule = Rule(0.8, agree=2)
    one, same, two = read("tote-0041"), read("tote-0041"), read("tote-0041", 0.9, "vlm")
    assert judge(LABEL, [one], rule).outcome == "doubtful"
    assert judge(LABEL, [one, same], rule).outcome == "doubtful"  # the same reader twice
    assert judge(LABEL, [one, two], rule).outcome == "ok"


def test_a_picture_goes_to_another_process_as_its_bytes() -> None:
    picture = Picture.of(np.full((40, 60, 3), 200, np.uint8))
    assert picture.image().shape == (40, 60, 3)
    copy = pickle.loads(pickle.dumps(picture))
    assert copy.data == picture.data and copy.sha256 == picture.sha256
    assert picture.media_type == "image/jpeg"
    with pytest.raises(ValueError, match="read-only"):
        picture.image()[0, 0] = 0
    error = pickle.loads(pickle.dumps(ReaderError("broken", "no model")))
    assert (error.kind, error.text) == ("broken", "no model")


@pytest.mark.parametrize("data", [b"", b"hello", b"\x89PNG\r\n\x1a\n" + b"\x00" * 40])
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(PictureError, match="->"):
        Picture(data).image()


@pytest.mark.parametrize(("height", "width"), [(1, 5000), (5000, 1), (10, 330)])
def test_a_picture_that_no_camera_takes_is_refused(height: int, width: int) -> None:
    """As a broken reader it would count against whoever reads for all cameras."""
    slender = Picture.of(np.full((height, width, 3), 200, np.uint8))
    for decoded in (slender.image, slender.grey):
        with pytest.raises(PictureError, match="32 times as long as wide"):
            decoded()


def test_a_picture_cut_short_or_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Picture.of(np.full((40, 60, 3), 200, np.uint8)).data
    monkeypatch.setattr("orchestrator.vision.model.PIXELS_MAX", 2000)
    with pytest.raises(PictureError, match="60 x 40 pixels"):
        Picture(whole).image()
    monkeypatch.setattr("orchestrator.vision.model.BYTES_MAX", 10)
    with pytest.raises(PictureError, match="at most 10"):
        Picture(whole).image()
