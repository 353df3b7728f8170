"""From readings to an outcome: pure, and the only place that says what counts as right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from orchestrator.vision.model import BLOCKED, CLEAR, DAMAGED, INTACT, Outcome, Question, Reading

COUNT_MAX = 100_000


@dataclass(frozen=True, slots=True)
class Rule:
    """When a reading counts: from which confidence on, and how many readers must say the same."""

    threshold: float = 0.8
    by_model: Mapping[str, float] = field(default_factory=dict)
    agree: int = 1

    def counts(self, reading: Reading) -> bool:
        """Is the reader sure enough?"""
        return reading.confidence >= self.by_model.get(reading.model, self.threshold)


@dataclass(frozen=True, slots=True)
class Opinion:
    """What the readings so far come to. `settled`: another reader could not make it better."""

    outcome: Outcome
    value: str = ""
    confidence: float = 0.0
    model: str = ""
    settled: bool = False


NOTHING = Opinion("unreadable")


def outcome_of(question: Question, value: str) -> Outcome:
    """What one value means. What nobody knows counts as nothing: an id must be known."""
    match question.task:
        case "read_label":
            return _named(question, value, "misread")
        case "identify_item":
            return _named(question, value, "mismatch")
        case "verify_pick":
            return _counted(question, value)
        case "inspect_damage":
            return {INTACT: "ok", DAMAGED: "damaged"}.get(value, "unreadable")  # type: ignore[return-value]
        case "check_lane":
            return {CLEAR: "ok", BLOCKED: "blocked"}.get(value, "unreadable")  # type: ignore[return-value]


def judge(question: Question, readings: Sequence[Reading], rule: Rule) -> Opinion:
    """All readings of a picture, in the sequence they came. Two that differ are a doubt for good,
    however sure either is; so is a second known label in the picture."""
    means = [(reading, outcome_of(question, reading.value)) for reading in readings]
    said = [(reading, outcome) for reading, outcome in means if outcome != "unreadable"]
    if any(_second(question, reading) for reading in readings):
        return Opinion("doubtful", settled=True)
    if not said:
        return NOTHING
    if len({reading.value for reading, _ in said}) > 1:
        return Opinion("doubtful", settled=True)
    sure = {reading.model: (reading, outcome) for reading, outcome in said if rule.counts(reading)}
    best, outcome = max(sure.values() or said, key=lambda pair: pair[0].confidence)
    if outcome == "ok" and any(reading.damaged for reading, _ in said):
        outcome = "damaged"
    if len(sure) < max(1, rule.agree):
        return Opinion("doubtful", best.value, best.confidence, best.model)
    return Opinion(outcome, best.value, best.confidence, best.model, settled=True)


def _named(question: Question, value: str, other: Outcome) -> Outcome:
    if not value:
        return "unreadable"
    if value == question.expected:
        return "ok"
    return other if value in question.known else "unreadable"


def _counted(question: Question, value: str) -> Outcome:
    sku, mark, count = value.rpartition(":")
    if not mark or not (count.isascii() and count.isdigit()) or int(count) > COUNT_MAX:
        return "unreadable"
    expected, _, number = question.expected.rpartition(":")
    if sku != expected and sku not in question.known:
        return "unreadable"
    return "ok" if sku == expected and str(int(count)) == number else "mismatch"


def _second(question: Question, reading: Reading) -> bool:
    others = (outcome_of(question, value) for value in reading.also if value != reading.value)
    return any(outcome != "unreadable" for outcome in others)
