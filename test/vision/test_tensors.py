"""What a model needs before it and says after it, declared; and ONNX files that run."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx_bytes import colours, spots
from pydantic import TypeAdapter, ValidationError

from orchestrator.vision.codes import printed
from orchestrator.vision.model import Picture, Question, ReaderError
from orchestrator.vision.readers.onnx import Onnx
from orchestrator.vision.readers.tensors import meaning, tensor
from orchestrator.vision.readers_file import After, Before, OnnxFile

DAMAGE = Question("inspect_damage", "SKU-07")
LANE = Question("check_lane", "", subject="lane-3")
PICK = Question("verify_pick", "SKU-07:2", ("SKU-06", "SKU-07"))
LABEL = Question("read_label", "parcel-o7", ("parcel-o7", "parcel-o8"))


def after(**declared: Any) -> After:
    return TypeAdapter(After).validate_python(declared)  # type: ignore[no-any-return]


def plain(blue: int, green: int, red: int, height: int = 40, width: int = 60) -> np.ndarray:
    return np.full((height, width, 3), (blue, green, red), np.uint8)


def test_a_picture_becomes_a_tensor_as_declared() -> None:
    image = plain(51, 102, 255)
    rgb = tensor(image, Before(width=8, height=4))
    assert rgb.shape == (3, 4, 8)
    assert rgb.dtype == np.float32
    assert np.allclose(rgb[:, 0, 0], [1.0, 0.4, 0.2])
    bgr = tensor(image, Before(width=8, height=4, layout="NHWC", colour="bgr", dtype="uint8"))
    assert bgr.shape == (4, 8, 3)
    assert bgr[0, 0].tolist() == [51, 102, 255]
    normal = Before(width=2, height=2, mean=(0.5, 0.4, 0.2), std=(0.25, 1, 2), dtype="float16")
    assert np.allclose(tensor(image, normal)[:, 0, 0], [2, 0, 0], atol=1e-3)
    assert tensor(image, Before(width=2, height=2, colour="grey")).shape == (1, 2, 2)


def test_a_letterbox_keeps_the_whole_picture_and_a_crop_its_middle() -> None:
    image = plain(255, 255, 255)
    image[:, :10] = image[:, -10:] = 0
    box = tensor(image, Before(width=30, height=30, fit="letterbox", colour="grey", scale=1))
    assert box[0, 0, 0] == box[0, -1, -1] == 114
    assert box[0, 15, 0] == 0
    crop = tensor(image, Before(width=20, height=20, fit="crop", colour="grey", scale=1))
    assert crop.shape == (1, 20, 20)
    assert crop.min() > 200


@pytest.mark.parametrize("fit", ["stretch", "letterbox", "crop"])
@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (500, 1), (37, 91)])
def test_any_picture_fits(fit: Any, shape: tuple[int, int]) -> None:
    image = plain(1, 2, 3, *shape)
    assert tensor(image, Before(width=17, height=23, fit=fit)).shape == (3, 23, 17)


CLASSES = after(kind="classes", output="y", labels=["intact", "damaged"], softmax=True)


def test_classes() -> None:
    value, also, confidence = meaning({"y": np.array([0.0, 2.0])}, CLASSES, DAMAGE)
    assert (value, also) == ("damaged", ())
    assert confidence == pytest.approx(1 / (1 + np.exp(-2)))
    skus = after(kind="classes", labels=["SKU-06", "SKU-99", ""])
    item = Question("identify_item", "SKU-07", ("SKU-06", "SKU-07"))
    assert meaning({"": np.array([0.7, 0.2, 0.1])}, skus, item)[0] == "SKU-06"
    assert meaning({"": np.array([0.1, 0.8, 0.1])}, skus, item)[0] == "", "nobody knows it"
    assert meaning({"": np.array([0.1, 0.1, 0.8])}, skus, item) == ("", (), 0.0)


BOXES = after(kind="boxes", labels=["SKU-06", "SKU-07"], threshold=0.5)


def found(*rows: tuple[float, float, int]) -> dict[str, np.ndarray]:
    """Boxes 10 wide at x: (x, score, class)."""
    corners = [[x, 0, x + 10, 10] for x, _, _ in rows]
    return {
        "boxes": np.array(corners, np.float32).reshape(-1, 4),
        "scores": np.array([score for _, score, _ in rows], np.float32),
        "classes": np.array([number for _, _, number in rows], np.int64),
    }


def test_boxes_are_counted_once_each() -> None:
    two = found((0, 0.9, 1), (1, 0.8, 1), (50, 0.95, 1), (80, 0.2, 1))
    value, also, confidence = meaning(two, BOXES, PICK)
    assert (value, also) == ("SKU-07:2", ())
    assert confidence == pytest.approx(0.8), "the one at 0.2 may be a third"
    mixed = found((0, 0.9, 1), (50, 0.9, 1), (80, 0.9, 0))
    assert meaning(mixed, BOXES, PICK)[:2] == ("SKU-07:2", ("SKU-06:1",))
    assert meaning(found(), BOXES, PICK) == ("", (), 0.0)
    nearly = meaning(found((0, 0.9, 1), (50, 0.9, 1), (80, 0.49, 1)), BOXES, PICK)
    assert nearly[2] < 0.52, "two or three?"


def test_something_on_the_floor() -> None:
    assert meaning(found((0, 0.7, 0)), BOXES, LANE) == ("blocked", (), pytest.approx(0.7))
    assert meaning(found((0, 0.3, 0)), BOXES, LANE) == ("clear", (), pytest.approx(0.7))
    assert meaning(found(), BOXES, DAMAGE) == ("intact", (), 1.0)


def test_text_counts_with_its_check_digits_alone() -> None:
    text = after(kind="text", output="t", scores="s")
    score = np.array([0.9])
    for said, value in ((printed("parcel-o7"), "parcel-o7"), ("parcel-o7-00", ""), ("", "")):
        array = np.array([said.encode()], np.object_)
        assert meaning({"t": array, "s": score}, text, LABEL)[0] == value


def test_steps_and_characters_are_decoded() -> None:
    said, letters = printed("parcel-o7"), "parcelo7-0123456789"
    labels = list(dict.fromkeys(letters))
    path = [0]
    for letter in said:
        path += [labels.index(letter) + 1] * 2 + [0]
    steps = np.full((len(path), len(labels) + 1), 0.001)
    steps[np.arange(len(path)), path] = 0.97
    steps[1, path[1]] = 0.85
    text = after(kind="text", labels=labels)
    assert meaning({"": steps}, text, LABEL) == ("parcel-o7", (), pytest.approx(0.85))


BROKEN: list[tuple[Any, dict[str, Any], Question]] = [
    (CLASSES, {"y": np.array([1.0, 2.0, 3.0])}, DAMAGE),
    (CLASSES, {"y": np.array([np.nan, 2.0])}, DAMAGE),
    (after(kind="classes", labels=["intact", "damaged"]), {"": np.array([3.0, 9.0])}, DAMAGE),
    (BOXES, found((0, 7.0, 1)), PICK),
    (BOXES, found((0, float("nan"), 1)), LANE),
    (BOXES, found((float("nan"), 0.9, 1)), LANE),
    (BOXES, found((0, 0.9, 5)), PICK),
    (BOXES, {**found((0, 0.9, 1)), "scores": np.zeros(3)}, PICK),
    (BOXES, {**found((0, 0.9, 1)), "boxes": np.zeros(7)}, PICK),
    (after(kind="boxes", format="yolo", labels=["a"]), {"": np.zeros((3, 3))}, LANE),
    (after(kind="text", labels=["a", "b"]), {"": np.zeros(7)}, LABEL),
]


@pytest.mark.parametrize(("declared", "arrays", "question"), BROKEN)
def test_tensors_that_are_not_as_declared_are_no_reading(
    declared: Any, arrays: dict[str, Any], question: Question
) -> None:
    with pytest.raises(ReaderError) as caught:
        meaning(arrays, declared, question)
    assert caught.value.kind == "schema"


# Files


def onnx(path: Path, data: bytes, **declared: Any) -> Onnx:
    path.write_bytes(data)
    return Onnx("mine", OnnxFile.model_validate({"file": path} | declared))


COLOURS: dict[str, Any] = {
    "tasks": ["inspect_damage"],
    "before": {"width": 8, "height": 8},
    "after": {"kind": "classes", "labels": ["intact", "damaged"], "softmax": True},
}
SPOTS: dict[str, Any] = {
    "tasks": ["check_lane"],
    "before": {"width": 16, "height": 16, "colour": "grey"},
    "after": {"kind": "boxes", "format": "yolo", "labels": ["carton"], "overlap": 0.3},
}


def test_a_classifier_from_a_file(tmp_path: Path) -> None:
    reader = onnx(tmp_path / "colours.onnx", colours(), **COLOURS)
    reader = pickle.loads(pickle.dumps(reader))  # as it goes to a worker
    green = reader.look(Picture.of(plain(0, 255, 0)), DAMAGE)
    red = reader.look(Picture.of(plain(0, 0, 255)), DAMAGE)
    grey = reader.look(Picture.of(plain(90, 90, 90)), DAMAGE)
    assert (green.value, red.value) == ("intact", "damaged")
    assert min(green.confidence, red.confidence) > 0.99
    assert grey.confidence < 0.6


def test_a_detector_from_a_file(tmp_path: Path) -> None:
    reader = onnx(tmp_path / "spots.onnx", spots(), **SPOTS)
    dark = plain(8, 8, 8, 160, 160)
    assert reader.look(Picture.of(dark), LANE).value == "clear"
    dark[40:80, 80:120] = 250
    blocked = reader.look(Picture.of(dark), LANE)
    assert (blocked.value, blocked.confidence) == ("blocked", pytest.approx(0.98, abs=0.02))


def test_files_that_can_not_be_used(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    for data, declared, kind, text in (
        (b"nonsense", {}, "broken", "no ONNX model"),
        (colours(), {"sha256": "0" * 64}, "refused", "is not the file"),
        (colours(), {"before": {"width": 9, "height": 8}}, "broken", "can't be run"),
        (colours(), {"before": {"width": 8, "height": 8, "input": "y"}}, "broken", "it has x"),
    ):
        reader = onnx(path, data, **(COLOURS | declared))
        with pytest.raises(ReaderError) as caught:
            reader.look(Picture.of(plain(0, 0, 0)), DAMAGE)
        assert caught.value.kind == kind
        assert text in caught.value.text
    path.unlink()
    with pytest.raises(ReaderError, match="No such file"):
        Onnx("mine", OnnxFile.model_validate({"file": path} | COLOURS)).look(
            Picture.of(plain(0, 0, 0)), DAMAGE
        )


@pytest.mark.parametrize(
    ("declared", "text"),
    [
        ({"tasks": ["read_label"]}, "can't do read_label"),
        ({"after": {"kind": "classes", "labels": ["fine", "bad"]}}, "intact and damaged"),
        ({"before": {"width": 8, "height": 8, "mean": [1, 2]}}, "must hold 1 or 3"),
        ({"before": {"width": 8, "height": 8, "std": [0]}}, "greater than 0"),
    ],
)
def test_declarations_that_make_no_sense(declared: dict[str, Any], text: str) -> None:
    with pytest.raises(ValidationError, match=text):
        OnnxFile.model_validate({"file": "m.onnx"} | COLOURS | declared)
