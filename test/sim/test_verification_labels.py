"""What left the building had its label read: from hand-made ground truth and cameras' answers."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from sim.verification import Verdict, verify
from sim.verification.labels import read_kinds
from sim.verification.memory import MemoryRun

FLOW = """\
flow:
  outbound:
    pack: {do: work, needs: pack, then: [label]}
    label: {do: work, needs: label, then: [scan]}
    scan: {do: inspect, needs: scan, then: [sort]}
    sort: {do: carry, needs: parcel}
  express:
    label: {do: work, needs: label, then: [sort]}
    sort: {do: carry, needs: parcel}
  counted:
    label: {do: work, needs: label, then: [recheck, inspect]}
    recheck: {do: inspect, needs: recheck}
    inspect: {do: inspect, needs: inspect, task: inspect_damage}
"""


class ImageRead(SimpleNamespace):
    """As the journal's."""


@pytest.fixture
def run() -> MemoryRun:
    """A parcel that is packed at 50 s and handed out at 90 s; what its label is, tests say."""
    made = MemoryRun(meta={"books": {"totes": {}, "orders": {}}})
    made.meta["recipe"] = {"files": {"site.yaml": FLOW}}
    made.robot(0, (0.0, 0.0, 0.0))
    row = {"sku": "A", "quantity": 2, "place": "slot:A"}
    made.fact(0, "tote", tote="t", **row)
    made.meta["books"]["totes"]["t"] = row | {"quantity": 0}
    fact = {"order_id": "one", "kind": "outbound", "lines": [["A", 2]], "due_ns": 600 * 10**9}
    made.fact(1, "order", **fact)
    made.fact(49, "units_moved", sku="A", quantity=2, tote="t", order_id="one")
    parcel: dict[str, Any] = {"parcel": "p", "order_id": "one", "contents": {"A": 2}}
    made.fact(50, "parcel_packed", station="s", **parcel)
    made.fact(90, "parcel_delivered", station="s", **parcel)
    made.fact(90, "load_moved", load="p", **{"from": "station:s", "to": "gone"})
    made.fact(91, "order_closed", order_id="one", status="done", reason="")
    made.meta["books"]["orders"]["one"] = {"status": "done", "reason": "", "kind": "outbound"}
    made.fact(900, "end")
    return made


def printed(run: MemoryRun, at_s: float, says: str = "p") -> None:
    run.fact(at_s, "labelled", load="p", says=says, why="" if says == "p" else "torn")


def scanned(
    run: MemoryRun, number: int, at_s: float, outcome: str = "ok", value: str = "p"
) -> None:
    """Looked at, and answered two seconds later."""
    run.fact(at_s, "looked", request=number, subject="p")
    event = ImageRead(request=number, outcome=outcome, value=value if outcome == "ok" else "")
    run.events.append(SimpleNamespace(time_ns=round((at_s + 2) * 1e9), seq=number, event=event))


def told(verdict: Verdict) -> list[str]:
    return [row.text for row in verdict.findings.rows if row.kind == "unread label"]


def test_a_label_that_was_read_is_all_that_is_wanted(run: MemoryRun) -> None:
    printed(run, 60)
    scanned(run, 1, 62, "unreadable")
    scanned(run, 2, 66)
    verdict = verify(run)
    assert verdict.clean, verdict.findings.rows
    assert verdict.figures["labels"] == {"checked": 1, "torn_but_read": 0, "unread": 0}


def test_a_torn_label_that_a_camera_read_is_counted_and_one_that_none_read_is_wrong(
    run: MemoryRun,
) -> None:
    printed(run, 60, "")
    scanned(run, 1, 62)
    verdict = verify(run)
    assert verdict.clean and verdict.figures["labels"]["torn_but_read"] == 1
    run.events.clear()
    verdict = verify(run)
    assert told(verdict) == ["leaves, and its label (torn) is in no picture since its print"]
    assert (verdict.figures["wrong"], verdict.figures["finished_right"]) == (1, 0)


def test_what_was_read_before_the_last_print_counts_for_nothing(run: MemoryRun) -> None:
    printed(run, 60)
    scanned(run, 1, 62)
    printed(run, 70)
    verdict = verify(run)
    assert told(verdict) == ["leaves, and its label (right) is in no picture since its print"]
    assert verdict.figures["wrong"] == 0, "what it says is right, if by luck"


@pytest.mark.parametrize(
    ("outcome", "value"), [("unreadable", ""), ("doubtful", ""), ("ok", "q"), ("ok", "")]
)
def test_the_last_picture_decides(run: MemoryRun, outcome: str, value: str) -> None:
    printed(run, 60)
    scanned(run, 1, 62)
    scanned(run, 2, 70, outcome, value)
    verdict = verify(run)
    assert told(verdict) == [f"leaves, and its label (right) is {outcome} in its last picture"]


def test_what_is_read_when_it_has_left_is_too_late(run: MemoryRun) -> None:
    printed(run, 60)
    scanned(run, 1, 89)
    assert told(verify(run))


def test_a_wrong_label_is_wrong_whoever_read_it(run: MemoryRun) -> None:
    printed(run, 60, "q")
    scanned(run, 1, 62)
    verdict = verify(run)
    assert verdict.findings.counts == {"wrong order": 1} and verdict.figures["wrong"] == 1


def test_a_record_without_pictures_tells_by_what_was_read(run: MemoryRun) -> None:
    printed(run, 60)
    scanned(run, 1, 62)
    run.facts = [fact for fact in run.facts if fact[1] != "looked"]
    assert verify(run).clean


def test_only_where_a_camera_reads_labels_behind_the_printer() -> None:
    meta = {"recipe": {"files": {"site.yaml": FLOW}}}
    assert read_kinds(meta) == {"outbound"}
    assert read_kinds(meta | {"building": True}) == read_kinds({}) == set()
