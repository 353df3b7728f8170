"""A process dies at any instant, a log is cut at any byte: the run goes on to the same end."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from orchestrator.journal import ResumeDiverged, RunReader, RunWriter
from orchestrator.journal import writer as writing

ROOT = Path(__file__).parents[2]
LONG = 8_000

CHILD = """
import importlib.util, sys, time
from pathlib import Path
from orchestrator.journal import RunWriter
spec = importlib.util.spec_from_file_location("toy", sys.argv[1])
toy = importlib.util.module_from_spec(spec)
spec.loader.exec_module(toy)
writer = RunWriter(Path(sys.argv[2]), toy.META, resume=sys.argv[3] == "resume")
commit = writer.commit
writer.commit = lambda: (commit(), time.sleep(0.001))  # 400 of them: never done before 0.4 s
print("begun", flush=True)
toy.feed(writer, int(sys.argv[4]))
writer.close("closed")
"""


def child(toy, path: Path, mode: str, events: int = LONG) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", CHILD, toy.__file__, str(path), mode, str(events)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)


def ending(path: Path) -> tuple[object, ...]:
    """All that two runs must have in common."""
    with RunReader(path) as run:
        run.check()
        motion, truth = run.motion().tobytes(), list(run.truth())
        return run.journal_hash, run.last_durable(), motion, truth


def resume(toy, path: Path, events: int) -> int:
    writer = RunWriter(path, toy.META, resume=True)
    toy.feed(writer, events)
    writer.close("closed", books={"orders": events}, figures={"speed": 1.5})
    return writer.prefix_entries


def test_killed_at_random_instants(toy, write, tmp_path: Path) -> None:
    whole = ending(write("whole.run", events=LONG))
    path, chance, durable = tmp_path / "killed.run", random.Random(11), [0]
    mode = "new"
    for _ in range(7):
        process = child(toy, path, mode)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(chance.uniform(0.0, 0.35))
        os.kill(process.pid, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL, "the writer must not have come to its end"
        process.stdout.close()
        mode = "resume"
        with RunReader(path) as run:
            run.check()
            durable.append(run.count)
    assert durable == sorted(durable) and 0 < durable[-1] < LONG
    assert all(count % toy.BATCH == 0 for count in durable), "each ends at a commit"
    assert resume(toy, path, LONG) == durable[-1]
    assert ending(path) == whole
    assert not list(tmp_path.glob("killed.run?*")), "one file, once closed"


def opened(toy, tmp_path: Path) -> Path:
    """A run whose process is gone without a close: main file and log."""
    living = tmp_path / "living.run"
    writer = RunWriter(living, toy.META)
    toy.feed(writer)
    writer.commit()
    path = tmp_path / "dead.run"
    for end in ("", "-wal"):
        shutil.copy(f"{living}{end}", f"{path}{end}")
    writer.abandon()
    return path


def frames(log: bytes) -> list[int]:
    return list(range(32, len(log) + 1, 4096 + 24))


@pytest.mark.parametrize("folded", [False, True])
def test_a_log_cut_anywhere_leaves_a_true_beginning(
    toy, tmp_path: Path, monkeypatch, folded: bool
) -> None:
    if folded:
        monkeypatch.setattr(writing, "WAL_BYTES_MAX", 150_000)
    path = opened(toy, tmp_path)
    main, log = path.read_bytes(), Path(f"{path}-wal").read_bytes()
    edges = frames(log)
    chance = random.Random(3)
    cuts = {0, 1, 31, len(log)} | {edge + by for edge in edges for by in (-1, 0, 1)}
    cuts |= {chance.randrange(len(log)) for _ in range(100)}
    expected = [toy.event(seq) for seq in range(toy.EVENTS)]
    reached = set()
    for cut in sorted(cut for cut in cuts if cut <= len(log)):
        path.write_bytes(main)
        Path(f"{path}-wal").write_bytes(log[:cut])
        Path(f"{path}-shm").unlink(missing_ok=True)
        with RunReader(path) as run:
            run.check()
            found = list(run.entry_bytes())
            assert len(run.motion()) == len(found)
            assert len(list(run.truth())) == -(-len(found) // 5)
        assert found == expected[: len(found)] and len(found) % toy.BATCH == 0
        reached.add(len(found))
    assert max(reached) == toy.EVENTS
    assert len(reached) >= (3 if folded else toy.EVENTS // toy.BATCH + 1), "every commit was hit"


def test_after_a_cut_the_run_goes_on(toy, write, tmp_path: Path) -> None:
    whole = ending(write("whole.run"))
    path = opened(toy, tmp_path)
    main, log = path.read_bytes(), Path(f"{path}-wal").read_bytes()
    chance = random.Random(5)
    for cut in [0, len(log), *(chance.randrange(len(log)) for _ in range(12))]:
        path.write_bytes(main)
        Path(f"{path}-wal").write_bytes(log[:cut])
        resume(toy, path, toy.EVENTS)
        assert ending(path) == whole


def test_a_flipped_byte_in_the_log_ends_it_there(toy, write, tmp_path: Path) -> None:
    whole = ending(write("whole.run"))
    path = opened(toy, tmp_path)
    main, log = path.read_bytes(), Path(f"{path}-wal").read_bytes()
    chance = random.Random(6)
    for at in [5, 20, *(chance.randrange(len(log)) for _ in range(12))]:
        path.write_bytes(main)
        Path(f"{path}-wal").write_bytes(log[:at] + bytes([log[at] ^ 0x10]) + log[at + 1 :])
        assert resume(toy, path, toy.EVENTS) % toy.BATCH == 0
        assert ending(path) == whole


def test_a_resumed_run_that_goes_another_way_is_stopped(toy, tmp_path: Path) -> None:
    path = opened(toy, tmp_path)
    before = RunReader(path).motion()
    writer = RunWriter(path, toy.META, resume=True)
    toy.feed(writer, 100)
    with pytest.raises(ResumeDiverged, match="event 100 differs"):
        writer.append(toy.event(101), 0, 100)
    writer.abandon()
    with RunReader(path) as run:
        run.check()
        assert run.count == toy.EVENTS, "nothing durable is lost"
        assert np.array_equal(run.motion(), before)


def test_other_commands_or_ground_truth_are_noticed(toy, tmp_path: Path) -> None:
    path = opened(toy, tmp_path)
    writer = RunWriter(path, toy.META, resume=True)
    writer.command(b"one too many")
    toy.feed(writer)
    with pytest.raises(ResumeDiverged, match="commands"):
        writer.append(toy.event(toy.EVENTS), 0, toy.EVENTS)
    writer.abandon()
    writer = RunWriter(path, toy.META, resume=True)
    writer.truth(0, "unit", {})
    with pytest.raises(ResumeDiverged, match="ground truth"):
        toy.feed(writer)
        writer.commit()
    writer.abandon()


def test_a_live_run_that_was_ended_in_order_goes_on(toy, tmp_path: Path) -> None:
    path = tmp_path / "live.run"
    writer = RunWriter(path, toy.META | {"live": True})
    toy.feed(writer, 100)
    writer.close("closed", books={"orders": 1}, figures={"speed": 1.0})
    writer = RunWriter(path, {}, resume=True)
    with RunReader(path) as reader:
        assert reader.open and not {"books", "figures", "totals"} & set(reader.meta)
    toy.feed(writer, 150)
    writer.close("closed", books={"orders": 2})
    with RunReader(path) as reader:
        reader.check()
        assert reader.meta["books"] == {"orders": 2} and reader.meta["totals"]["events"] == 150


def test_a_resumed_run_must_come_as_far_as_it_was(toy, tmp_path: Path) -> None:
    path = opened(toy, tmp_path)
    writer = RunWriter(path, toy.META, resume=True)
    toy.feed(writer, 300)
    with pytest.raises(ResumeDiverged, match="before event 300"):
        writer.close("closed")
    writer.abandon()
    assert RunReader(path).meta["status"] == "open"


def test_ground_truth_can_be_restarted(toy, write, tmp_path: Path) -> None:
    whole = ending(write("whole.run"))
    path = opened(toy, tmp_path)
    writer = RunWriter(path, toy.META, resume=True)
    writer.restart_ground_truth()
    toy.feed(writer)
    writer.close("closed")
    assert ending(path) == whole


def test_an_unfinished_run_says_so(toy, tmp_path: Path) -> None:
    with RunReader(opened(toy, tmp_path)) as run, pytest.raises(Exception, match="--resume"):
        run.require_finished()
