"""Frames, playhead and indices by themselves."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.journal import MOTION
from orchestrator.web import picture, poses
from orchestrator.web.frames import pack_motion, unpack_motion
from orchestrator.web.ledger import Ledger, OrderRow
from orchestrator.web.playhead import Playhead
from orchestrator.web.run import WatchedRun

S = 10**9


def opened(path: Path) -> WatchedRun:
    """A run, wholly read."""
    run = WatchedRun(path)

    async def read() -> None:
        while not run.closed:
            await run.refresh()
            assert not run.error

    asyncio.run(read())
    return run


def test_a_frame_says_the_same_when_read() -> None:
    row = (7, 3 * S + 5, S // 2, 1.5, -2.25, 0.5, -0.75, 1.25, -0.5, 0.0)
    rows = np.array([row], MOTION)
    head, back = unpack_motion(pack_motion(rows, S, 4 * S, reset=True, generation=9))
    assert head == {"reset": True, "from_s": 1.0, "to_s": 4.0, "generation": 9}
    assert back[0]["robot"] == 7
    assert back[0]["t0_ns"] == pytest.approx(row[1], abs=2)
    for name in MOTION.names or ():
        assert back[0][name] == pytest.approx(rows[0][name])


@given(st.binary(max_size=200))
def test_what_is_no_frame_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="frame"):
        unpack_motion(data)


@pytest.mark.parametrize("t_s", [0, 19, 20, 41, 59, 60, 91, 300, 600])
def test_checkpoints_change_nothing(
    run_file: Path, monkeypatch: pytest.MonkeyPatch, t_s: int
) -> None:
    plain = opened(run_file)
    monkeypatch.setattr(picture, "CHECKPOINT_NS", 1)
    monkeypatch.setattr(poses, "CHECKPOINT_NS", 1)
    dense = opened(run_file)
    assert len(dense.pictures._marks) > len(plain.pictures._marks)
    assert len(dense.poses._marks) > len(plain.poses._marks)
    assert plain.pictures.at(t_s * S) == dense.pictures.at(t_s * S)
    assert (plain.poses.at(t_s * S) == dense.poses.at(t_s * S)).all()


def test_pieces_come_once(run_file: Path) -> None:
    run = opened(run_file)
    whole = run.poses.begun(-1, 600 * S)
    parts = [run.poses.begun(t * S - 1, (t + 7) * S - 1) for t in range(0, 610, 7)]
    assert len(whole) == 60
    assert (np.concatenate(parts) == whole).all()


@dataclass
class Line:
    """A timeline that stands still."""

    edge_ns: int = 100 * S
    live: bool = False
    pace: float = 10.0
    stride_ns: int = 20 * S


def test_the_playhead_plays_and_stops_at_the_end() -> None:
    head, line = Playhead(), Line()
    head.set_speed(20)
    head.advance(0.0, line)
    head.advance(2.0, line)
    assert head.t_ns == 40 * S
    head.advance(9.0, line)
    assert head.t_ns == 100 * S
    assert not head.playing


def test_speed_has_bounds() -> None:
    head = Playhead()
    head.set_speed(1e9)
    assert head.speed == 60
    head.set_speed(-1)
    assert head.speed > 0


def test_following_keeps_behind_a_writer_in_bursts() -> None:
    head, line = Playhead(), Line(live=True)
    head.follow(line)
    starved = 0
    for tenth in range(1, 600):  # a minute: 20 s are written every 2 s
        if tenth % 20 == 0:
            line.edge_ns += 20 * S
        head.advance(tenth / 10, line)
        starved += head.t_ns == line.edge_ns
    assert starved == 0
    assert line.edge_ns - head.t_ns < 80 * S


def test_who_lost_the_writer_jumps() -> None:
    head, line = Playhead(), Line(live=True)
    head.follow(line)
    head.jumped = False
    line.edge_ns += 5000 * S
    head.advance(0.1, line)
    assert head.jumped
    assert line.edge_ns - head.t_ns < 60 * S


def test_a_robot_that_joins_late_is_not_there_before(run_file: Path) -> None:
    run = opened(run_file)
    known = len(run.robots)
    late = {**run.robots[0], "robot": known, "joined_ns": 40 * S}
    run.pictures.robots.append(late)
    run.poses.start(run.robots)
    assert run.robots_at(39 * S) == known and run.robots_at(40 * S) == known + 1
    piece = run.poses.at(10 * S)[known]
    assert (piece["t0_ns"], piece["dt_ns"]) == (40 * S, 0), "the page draws nothing before t0"
    assert run.poses.at(50 * S)[known]["x_m"] == late["x_m"]
    assert known not in run.poses.moving(10 * S) and known not in run.poses.moving(50 * S)


def test_orders_that_were_set_aside_stay_in_the_list() -> None:
    """Given one order set aside and many done after it, then the list has it beside the last done."""
    ledger = Ledger()
    for i in range(10):
        status = "quarantined" if i == 0 else "done"
        row = OrderRow(f"order-{i}", "outbound", [], i * S, 0)
        row.closed_ns, row.status = (20 + i) * S, status
        ledger.orders[row.id] = row
        ledger.closed.append(row)
        ledger.closings_ns.append(row.closed_ns)
    assert [row.id for row in ledger.at(40 * S, 3)] == ["order-0", "order-7", "order-8", "order-9"]
    assert {row.id for row in ledger.at(20 * S, 3)} == {f"order-{i}" for i in range(10)}
