"""Pictures to tensors and tensors to readings, as vision.yaml declares it, for ONNX and KServe."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from orchestrator.vision.model import BLOCKED, CLEAR, DAMAGED, INTACT, Image, Question, ReaderError
from orchestrator.vision.readers.values import article, identity
from orchestrator.vision.readers_file import After, Before, Boxes, Classes, Text

Array = np.ndarray[Any, np.dtype[Any]]
Meaning = tuple[str, tuple[str, ...], float]  # value, others of its kind, confidence
FOUND_MAX = 1000
NOTHING: Meaning = ("", (), 0.0)
GREY = 114  # beside a letterboxed picture, as detectors are trained


def tensor(image: Image, before: Before) -> Array:
    """One picture, without the batch's dimension."""
    import cv2  # noqa: PLC0415

    fitted = _fitted(np.asarray(image), before)
    if before.colour == "rgb":
        fitted = cv2.cvtColor(fitted, cv2.COLOR_BGR2RGB)
    elif before.colour == "grey":
        fitted = cv2.cvtColor(fitted, cv2.COLOR_BGR2GRAY)[:, :, None]
    if before.dtype != "uint8":
        mean, std = np.array(before.mean, np.float32), np.array(before.std, np.float32)
        fitted = (fitted.astype(np.float32) * np.float32(before.scale) - mean) / std
    if before.layout == "NCHW":
        fitted = fitted.transpose(2, 0, 1)
    return np.ascontiguousarray(fitted, dtype=before.dtype)


def _fitted(image: Array, before: Before) -> Array:
    import cv2  # noqa: PLC0415

    height, width = image.shape[:2]
    across, down = before.width / width, before.height / height
    if before.fit == "stretch":
        return cv2.resize(image, (before.width, before.height), interpolation=cv2.INTER_AREA)
    scale = min(across, down) if before.fit == "letterbox" else max(across, down)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    left, top = (before.width - size[0]) // 2, (before.height - size[1]) // 2
    if before.fit == "crop":
        return image[-top : -top + before.height, -left : -left + before.width]
    whole = np.full((before.height, before.width, 3), GREY, np.uint8)
    whole[top : top + size[1], left : left + size[0]] = image
    return whole


def outputs(after: After) -> tuple[str, ...]:
    """The names of the tensors that are needed; "" is the only one."""
    match after:
        case Boxes(format="separate"):
            return (after.boxes, after.scores, after.classes)
        case Text(scores=scores) if scores:
            return (after.output, scores)
    return (after.output,)


def meaning(found: Mapping[str, Array], after: After, question: Question) -> Meaning:
    """What the tensors of one picture (without the batch's dimension) say. Raises `ReaderError`."""
    try:
        match after:
            case Classes():
                return _of_classes(found[after.output], after, question)
            case Boxes():
                return _of_boxes(*_boxes(found, after), after, question)
            case Text():
                return _of_text(found, after, question)
    except (ValueError, TypeError, IndexError, OverflowError):
        raise ReaderError("schema", "its tensors are not of the shape declared") from None


def _of_classes(scores: Array, after: Classes, question: Question) -> Meaning:
    flat = np.asarray(scores, np.float64).ravel()
    if len(flat) != len(after.labels):
        raise ReaderError("schema", f"{len(flat)} classes, not {len(after.labels)} as declared")
    if after.softmax:
        flat = np.exp(flat - flat.max())
        flat /= flat.sum()
    _shares(flat)
    best = int(flat.argmax())
    value = _label(after.labels[best], question)
    return (value, (), float(flat[best])) if value else NOTHING


def _label(label: str, question: Question) -> str:
    return article(label, question) if question.task == "identify_item" else label


def _boxes(found: Mapping[str, Array], after: Boxes) -> tuple[Array, Array, Array]:
    """Corners [n, 4], scores [n] and classes [n]."""
    if after.format == "separate":
        boxes = np.asarray(found[after.boxes], np.float64).reshape(-1, 4)
        scores = np.asarray(found[after.scores], np.float64).ravel()
        classes = np.asarray(found[after.classes]).ravel().astype(np.int64)
    else:
        table = np.asarray(found[after.output], np.float64)
        columns = 4 + len(after.labels)
        table = table if table.shape[1] == columns else table.T
        if table.shape[1] != columns:
            raise ReaderError("schema", f"no row or column is 4 + {len(after.labels)} long")
        boxes, each = table[:, :4], table[:, 4:]
        classes = each.argmax(axis=1) if len(each) else np.zeros(0, np.int64)
        scores = each.max(axis=1) if len(each) else np.zeros(0)
    if not len(boxes) == len(scores) == len(classes):
        raise ReaderError("schema", "boxes, scores and classes differ in number")
    if not np.isfinite(boxes).all():
        raise ReaderError("schema", "boxes that are no numbers")
    _shares(scores)
    if after.corners == "cxcywh" or after.format == "yolo":
        middle, half = boxes[:, :2], boxes[:, 2:] / 2
        boxes = np.hstack([middle - half, middle + half])
    return boxes, scores, classes


def _shares(scores: Array) -> None:
    if not ((scores >= 0) & (scores <= 1)).all():
        raise ReaderError("schema", "scores beyond 0 to 1 -> are they logits?")


def _of_boxes(
    boxes: Array, scores: Array, classes: Array, after: Boxes, question: Question
) -> Meaning:
    """As sure as the least sure thing that counts, and as the surest that does not is unsure."""
    sure = scores >= after.threshold
    passed = scores[~sure].max(initial=0.0)
    kept = _apart(boxes[sure], scores[sure], classes[sure], after.overlap)
    confidence = float(min(scores[sure][kept].min(initial=1.0), 1.0 - passed))
    if question.task in ("check_lane", "inspect_damage"):
        bad, good = (BLOCKED, CLEAR) if question.task == "check_lane" else (DAMAGED, INTACT)
        return (bad, (), float(scores.max())) if kept else (good, (), confidence)
    counts: dict[str, int] = {}
    for number in classes[sure][kept]:
        if not 0 <= number < len(after.labels):
            raise ReaderError("schema", f"class {number} has no label")
        sku = article(after.labels[number], question)
        counts[sku] = counts.get(sku, 0) + 1
    known = sorted((sku for sku in counts if sku), key=lambda sku: (-counts[sku], sku))
    if not known:
        return NOTHING
    counted = question.task == "verify_pick"
    value, *also = (f"{sku}:{counts[sku]}" if counted else sku for sku in known)
    return value, tuple(also), confidence


def _apart(boxes: Array, scores: Array, classes: Array, overlap: float) -> list[int]:
    """Which boxes count: of two of a class that overlap too much, the surer one."""
    areas = np.prod(np.clip(boxes[:, 2:] - boxes[:, :2], 0, None), axis=1)
    kept: list[int] = []
    for one in np.argsort(-scores, kind="stable")[:FOUND_MAX].tolist():
        for other in kept:
            if classes[one] != classes[other]:
                continue
            top = np.maximum(boxes[one, :2], boxes[other, :2])
            end = np.minimum(boxes[one, 2:], boxes[other, 2:])
            shared = float(np.prod(np.clip(end - top, 0, None)))
            if shared > overlap * (areas[one] + areas[other] - shared):
                break
        else:
            kept.append(one)
    return kept


def _of_text(found: Mapping[str, Array], after: Text, question: Question) -> Meaning:
    said = found[after.output]
    if after.labels:
        text, confidence = _ctc(np.asarray(said, np.float64), after.labels)
    else:
        first = said.ravel()[0] if said.size else b""
        text = first.decode("utf-8", "replace") if isinstance(first, bytes) else str(first)
        score = np.asarray(found[after.scores], np.float64).ravel()[:1] if after.scores else [1.0]
        _shares(np.asarray(score))
        confidence = float(score[0]) if len(score) else 0.0
    read = identity if question.task == "read_label" else article
    value = read(text[:200], question)
    return (value, (), confidence) if value else NOTHING


def _ctc(steps: Array, labels: tuple[str, ...]) -> tuple[str, float]:
    """Greedy decoding: repeats fall together, blanks (0) fall out; as sure as the least sure one."""
    steps = steps.reshape(-1, len(labels) + 1)
    _shares(steps)
    best = steps.argmax(axis=1)
    new = np.concatenate([[True], best[1:] != best[:-1]]) & (best > 0)
    text = "".join(labels[number - 1] for number in best[new])
    return text, float(steps.max(axis=1)[new].min(initial=1.0)) if text else 0.0
