"""A robot exists from the moment it joined: its footprint counts from then on, and only then."""

from __future__ import annotations

import pytest

from sim.verification import Verdict, verify
from sim.verification.memory import MemoryRun


def story(joined_s: float, leaves_s: float) -> MemoryRun:
    """r0 stands at the origin and drives away for 2 s; r1 joins where it stood; r2 is far off."""
    run = MemoryRun(meta={"books": {"totes": {}, "orders": {}}})
    run.robot(0, (0.0, 0.0, 0.0))
    run.robot(2, (50.0, 0.0, 0.0))
    run.move(0, (leaves_s, 2.0), (0.0, 0.0, 0.0), a=1.0)
    run.move(0, (leaves_s + 2.0, 2.0), (2.0, 0.0, 0.0), v=2.0, a=-1.0)
    run.robot(1, (0.0, 0.0, 0.0), joined_s=joined_s)
    run.fact(30, "stock")
    run.fact(30, "end")
    return run


def found(verdict: Verdict) -> list[tuple[str, float]]:
    rows = verdict.findings.as_json()["rows"]
    return [(row["kind"], row["time_s"]) for row in rows]


def test_where_one_left_another_may_join() -> None:
    verdict = verify(story(joined_s=10.4, leaves_s=5.0))
    assert found(verdict) == []
    assert verdict.figures["contact"]["clearance_m"] == 3.0


def test_who_joins_inside_another_touches_it_from_then_on() -> None:
    verdict = verify(story(joined_s=10.4, leaves_s=12.0))
    assert found(verdict) == [("contact", 10.4)]


def test_a_late_robot_alone_is_measured_too() -> None:
    run = story(joined_s=10.4, leaves_s=5.0)
    run.facts = [fact for fact in run.facts if fact[2].get("name") != "r2"]
    verdict = verify(run)
    assert found(verdict) == [] and verdict.figures["contact"]["clearance_m"] == 3.0


def test_nobody_moves_before_it_joined() -> None:
    run = story(joined_s=20.0, leaves_s=5.0)
    run.move(1, (19.0, 2.0), (0.0, 0.0, 0.0), a=-0.1)
    run.move(1, (21.0, 2.0), (-0.2, 0.0, 0.0), v=-0.2, a=0.1)
    rows = verify(run).findings.as_json()["rows"]
    assert [row["kind"] for row in rows] == ["overlap"]
    assert rows[0]["text"] == "begins 1.000000 s before it joined"


@pytest.mark.parametrize("window_s", [3, 7, 50])
def test_looking_at_a_stretch_at_a_time_finds_the_same(
    window_s: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Robots that drive, turn, stand and join across the edges of the stretches, three of them into
    each other."""

    def crowd() -> MemoryRun:
        run = story(joined_s=10.4, leaves_s=12.3)
        run.robot(3, (-10.0, 0.2, 0.0))
        run.move(3, (0.5, 2.0), (-10.0, 0.2, 0.0), a=0.5)
        run.move(3, (2.5, 8.5), (-9.0, 0.2, 0.0), v=1.0)
        run.move(3, (11.0, 2.0), (-0.5, 0.2, 0.0), v=1.0, a=-0.5)
        run.move(3, (20.0, 3.0), (0.5, 0.2, 0.0), omega=0.3)
        return run

    whole = verify(crowd())
    monkeypatch.setattr("sim.verification.stretches.STRETCH_NS", window_s * 10**9)
    pieces = verify(crowd())
    assert pieces.findings.as_json() == whole.findings.as_json()
    assert pieces.figures["motion"] == whole.figures["motion"]
    rows = [v.figures["contact"]["contact_rows"] for v in (pieces, whole)]
    assert rows[0] == rows[1] and len(rows[0]) == 3
