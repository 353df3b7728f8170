"""Pictures of the fake world, and the embedded readers that really read them."""

import pickle

import cv2
import numpy as np
import pytest

from orchestrator.vision.model import BLOCKED, CLEAR, DAMAGED, INTACT, Picture, Question, Task
from orchestrator.vision.readers.codes import Codes
from orchestrator.vision.readers.ocr import Ocr
from orchestrator.vision.readers.tags import Tags
from sim.cameras import LEVELS, Scenes, Truth
from sim.cameras.levels import LevelError

SKUS = tuple(f"sku-{number:04d}" for number in range(30))
SCENES = Scenes(seed=4)
ITEMS, FLOORS = SCENES.items(), SCENES.floors()
LETTERS = Ocr()
TRUTHS: list[tuple[Task, str, Truth]] = [
    ("read_label", "tote-0041", Truth(label="tote-0041")),
    ("read_label", "parcel-o7", Truth(label="parcel-o7", beside="parcel-o8")),
    ("verify_pick", "o7", Truth(contents={"sku-0001": 2, "sku-0022": 1}, broken=1)),
    ("inspect_damage", "sku-0001", Truth(contents={"sku-0001": 1}, broken=1)),
    ("check_lane", "aisle-3", Truth(fallen=True)),
]


@pytest.mark.parametrize(("task", "subject", "truth"), TRUTHS)
@pytest.mark.parametrize("level", LEVELS)
def test_the_same_words_give_the_same_bytes(
    task: Task, subject: str, truth: Truth, level: str
) -> None:
    one = SCENES.picture(task, subject, truth, 3, level)
    assert (
        one.data
        == pickle.loads(pickle.dumps(Scenes(4))).picture(task, subject, truth, 3, level).data
    )
    assert one.data != SCENES.picture(task, subject, truth, 4, level).data
    assert one.image().shape == (720, 960, 3)


def test_a_level_that_nobody_knows_is_said() -> None:
    with pytest.raises(LevelError, match="use one of clean, easy"):
        SCENES.picture("check_lane", "aisle-3", Truth(), 0, "impossible")


@pytest.mark.parametrize("identity", ["tote-0041", "parcel-o7"])
def test_clean_and_easy_labels_are_read_from_the_code_and_from_the_letters(identity: str) -> None:
    question = Question("read_label", "tote-9999", frozenset({identity, "tote-0014", "parcel-o1"}))
    for level in ("clean", "easy"):
        picture = SCENES.picture("read_label", identity, Truth(label=identity), 1, level)
        assert Codes().look(picture, question).value == identity
        assert LETTERS.look(picture, question).value == identity


def test_a_tag_leads_to_the_code_beside_it_and_another_ones_tag_is_a_doubt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    question = Question("read_label", "tote-0041")
    picture = SCENES.picture("read_label", "tote-0041", Truth(label="tote-0041"), 1, "normal")
    sure = Tags().look(picture, question)
    assert (sure.value, sure.confidence > 0.9) == ("tote-0041", True)
    monkeypatch.setattr("sim.cameras.labels.tag_of", lambda identity: 5)
    other = SCENES.picture("read_label", "tote-0041", Truth(label="tote-0041"), 1, "normal")
    doubt = Tags().look(other, question)
    assert (doubt.value, doubt.confidence < 0.5) == ("tote-0041", True)


def test_what_is_not_ours_is_not_read() -> None:
    question = Question("read_label", "parcel-o7", frozenset({"parcel-o7"}))
    for number in range(4):
        picture = SCENES.picture("read_label", "parcel-o7", Truth(), number, "easy")
        for reader in (Codes(), Tags()):
            assert reader.look(picture, question).value == ""


def test_two_labels_in_view_are_both_named() -> None:
    truth = Truth(label="tote-0041", beside="tote-0042")
    picture = SCENES.picture("read_label", "tote-0041", truth, 0, "clean")
    found = Codes().look(picture, Question("read_label", "tote-0041"))
    assert {found.value, *found.also} == {"tote-0041", "tote-0042"}
    assert found.confidence < 0.8


@pytest.mark.parametrize("number", range(6))
def test_units_are_counted_or_nothing_is_said(number: int) -> None:
    contents = {SKUS[number]: 1 + number % 3, SKUS[20 + number]: number % 2}
    picture = SCENES.picture("verify_pick", "o7", Truth(contents=contents), number, "easy")
    question = Question("verify_pick", f"{SKUS[number]}:9", SKUS)
    reading = ITEMS.look(picture, question)
    assert reading.value in (f"{SKUS[number]}:{1 + number % 3}", "")
    assert reading.value or "pack" in reading.note or "leads" in reading.note


def test_easy_boxes_are_mostly_counted() -> None:
    read = 0
    for number in range(10):
        truth = Truth(contents={SKUS[number]: 2})
        picture = SCENES.picture("verify_pick", "o7", truth, number, "easy")
        question = Question("verify_pick", f"{SKUS[number]}:1", SKUS)
        read += ITEMS.look(picture, question).value == f"{SKUS[number]}:2"
    assert read >= 8


def test_a_box_that_is_partly_hidden_is_not_counted() -> None:
    truth = Truth(contents={"sku-0001": 2})
    image = SCENES.picture("verify_pick", "o7", truth, 1, "clean").image().copy()
    question = Question("verify_pick", "sku-0001:2", SKUS)
    cv2.fillPoly(image, [np.array([[0, 0], [420, 0], [0, 420]])], (40, 60, 90))
    assert ITEMS.look(Picture.of(image), question).value == ""


def test_a_pack_that_nobody_has_on_file_is_not_taken_for_another() -> None:
    truth = Truth(contents={"other-9": 1})
    picture = SCENES.picture("identify_item", "other-9", truth, 0, "easy")
    assert ITEMS.look(picture, Question("identify_item", "sku-0001", SKUS)).value == ""


@pytest.mark.parametrize(("broken", "wrong"), [(0, DAMAGED), (1, INTACT)])
def test_damage_is_seen_and_never_guessed(broken: int, wrong: str) -> None:
    read = []
    for number in range(8):
        truth = Truth(contents={SKUS[number]: 1}, broken=broken)
        picture = SCENES.picture("inspect_damage", SKUS[number], truth, number, "easy")
        read.append(ITEMS.look(picture, Question("inspect_damage", SKUS[number])).value)
    assert wrong not in read
    assert sum(map(bool, read)) >= 4


def test_a_carton_on_the_lane_is_seen() -> None:
    read = {True: list[str](), False: list[str]()}
    for number in range(8):
        for fallen in (True, False):
            picture = SCENES.picture("check_lane", "aisle-3", Truth(fallen=fallen), number, "easy")
            question = Question("check_lane", "", subject="aisle-3")
            read[fallen].append(FLOORS.look(picture, question).value)
    assert CLEAR not in read[True] and read[True].count(BLOCKED) >= 5
    assert BLOCKED not in read[False] and read[False].count(CLEAR) >= 6


def test_the_picture_of_another_lane_is_no_clear_lane() -> None:
    picture = SCENES.picture("check_lane", "aisle-3", Truth(), 1, "clean")
    other = FLOORS.look(picture, Question("check_lane", "", subject="aisle-4"))
    assert other.value != CLEAR
