"""What is written is read, and what isn't a run is refused in one line."""

from __future__ import annotations

import hashlib
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from orchestrator.core.messages import decode_entry
from orchestrator.journal import MOTION, RunFileError, RunReader, RunWriter, salvage
from orchestrator.journal import writer as writing


def refused(path: Path, *words: str) -> None:
    """Opening says which file, what is wrong and the mend, in one line."""
    with pytest.raises(RunFileError) as caught:
        RunReader(path)
    text = str(caught.value)
    assert text.startswith(f"{path}: ") and " -> " in text and "\n" not in text
    assert all(word in text for word in words), text


def test_everything_comes_back(toy, write) -> None:
    path = write()
    assert [p.name for p in path.parent.iterdir()] == ["a.run"], "one file, once closed"
    with RunReader(path) as run:
        run.check()
        run.require_finished()
        assert list(run.entry_bytes()) == [toy.event(seq) for seq in range(toy.EVENTS)]
        assert list(run.entries())[17] == decode_entry(toy.event(17))
        assert run.journal_hash == hashlib.sha256(b"".join(run.entry_bytes())).hexdigest()
        assert run.meta["site"] == toy.META["site"] and run.meta["status"] == "closed"
        assert run.meta["books"] == {"orders": toy.EVENTS}
        assert len(run.motion()) == toy.EVENTS and run.motion().dtype == MOTION
        facts = list(run.truth("unit"))
        assert [fact[0] for fact in facts] == list(range(toy.EVENTS // 5))
        assert facts[3][3]["sku"] == "sku-15" and not list(run.truth("other"))
        last = run.last_durable()
        assert (last.seq, last.commands) == (toy.EVENTS - 1, (toy.EVENTS + 2) // 3)
        assert last.chain.hex() == run.journal_hash
        assert run.time_range_ns == (0, (toy.EVENTS - 1) * 1_000_000)


@pytest.mark.parametrize("start", [0, 1, 19, 20, 21, 399, 400, 1000])
def test_reading_from_an_event_on(toy, write, start: int) -> None:
    with RunReader(write()) as run:
        expected = [toy.event(seq) for seq in range(start, toy.EVENTS)]
        if start <= toy.EVENTS:
            assert list(run.entry_bytes(start)) == expected
        assert [fact[0] for fact in run.truth(from_seq=start)] == list(range(start, 80))


def test_motion_of_a_span(write) -> None:
    with RunReader(write()) as run:
        everything, part = run.motion(), run.motion(100_000_000, 110_000_000)
    ends = everything["t0_ns"] + everything["dt_ns"]
    touches = (ends >= 100_000_000) & (everything["t0_ns"] <= 110_000_000)
    assert 0 < len(part) < 20
    assert np.array_equal(part, everything[touches])


def test_the_hash_does_not_depend_on_the_batches(write) -> None:
    runs = [RunReader(write(f"{batch}.run", batch=batch)) for batch in (1, 7, 20, 1000)]
    assert len({run.journal_hash for run in runs}) == 1
    assert len({run.last_durable() for run in runs}) == 1
    other = RunReader(write("other.run", events=399))
    assert other.journal_hash != runs[0].journal_hash


def test_motion_may_come_as_an_array(toy, tmp_path: Path) -> None:
    rows = np.array([(1, 2, 3, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)] * 3, MOTION)
    writer = RunWriter(tmp_path / "a.run", {})
    writer.motion(rows)
    writer.close("closed")
    assert np.array_equal(RunReader(tmp_path / "a.run").motion(), rows)


def test_snapshots(toy, tmp_path: Path) -> None:
    writer = RunWriter(tmp_path / "a.run", {})
    toy.feed(writer, 50)
    writer.snapshot(49_000_000, b"state")
    writer.close("closed")
    assert list(RunReader(tmp_path / "a.run").snapshots()) == [(49_000_000, 50, b"state")]


def test_an_open_run_is_read_while_it_grows_and_becomes_one_file(toy, tmp_path: Path) -> None:
    path = tmp_path / "a.run"
    writer = RunWriter(path, toy.META)
    toy.feed(writer, 100)
    follower = RunReader(path)
    assert follower.count == 80 and len(follower.motion()) == 80
    with pytest.raises(RunFileError, match="still being written"):
        follower.require_finished()
    with pytest.raises(RunFileError, match="still being written"):
        salvage(path, tmp_path / "out.run")
    writer.commit()
    assert follower.count == 100 and len(follower.motion()) == 100
    writer.close("closed")  # although somebody reads
    follower.refresh()
    follower.check()
    assert follower.meta["status"] == "closed"
    follower.close()
    assert [p.name for p in tmp_path.iterdir()] == ["a.run"]


def test_a_reader_in_the_middle_of_a_query(toy, tmp_path: Path, monkeypatch) -> None:
    """The log can't be folded then; who reads last does it."""
    monkeypatch.setattr(writing, "CLOSE_WAIT_MS", 20)
    path = tmp_path / "a.run"
    writer = RunWriter(path, toy.META)
    toy.feed(writer)
    writer.commit()
    reader = RunReader(path)
    entries = reader.entry_bytes()
    next(entries)
    writer.close("closed")
    assert path.with_name("a.run-wal").stat().st_size
    assert len(list(entries)) == toy.EVENTS - 1
    reader.close()
    assert [p.name for p in tmp_path.iterdir()] == ["a.run"]
    with RunReader(path) as run:
        run.check()
        run.require_finished()


def test_the_log_is_folded_whole_at_its_bound(toy, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(writing, "WAL_BYTES_MAX", 100_000)
    path = tmp_path / "a.run"
    writer = RunWriter(path, toy.META)
    sizes = []
    for start in range(0, 400, 20):
        toy.feed(writer, start + 20, start=start)
        writer.commit()
        sizes.append(path.with_name("a.run-wal").stat().st_size)
    assert max(sizes) < 200_000 and 0 in sizes
    writer.close("closed")
    RunReader(path).check()


def test_one_writer_at_a_time(toy, tmp_path: Path) -> None:
    path = tmp_path / "a.run"
    writer = RunWriter(path, toy.META)
    toy.feed(writer, 40)
    for resume in (False, True):
        with pytest.raises(RunFileError, match="is being written by process"):
            RunWriter(path, toy.META, resume=resume)
    code = "import sys; from pathlib import Path; from orchestrator.journal import *\n"
    code += "try: RunWriter(Path(sys.argv[1]), {}, resume=True)\n"
    code += "except RunFileError as error: print(error)\n"
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code, path], cwd=root, capture_output=True, text=True, check=True
    )
    assert "is being written by process" in done.stdout
    toy.feed(writer, start=40)
    writer.close("closed")
    RunReader(path).check()


def test_a_finished_run_is_not_resumed_and_leaves_no_lock(write) -> None:
    path = write()
    for name, words in (("a.run", "is complete"), ("missing.run", "does not exist")):
        with pytest.raises(RunFileError, match=words):
            RunWriter(path.with_name(name), {}, resume=True)
    assert [p.name for p in path.parent.iterdir()] == ["a.run"]


def test_a_run_replaces_a_run_and_nothing_else(write, tmp_path: Path) -> None:
    letter = tmp_path / "letter.txt"
    letter.write_text("Dear customer, " * 20)
    with pytest.raises(RunFileError, match="no \\(whole\\) run file"):
        RunWriter(letter, {})
    assert letter.read_text().startswith("Dear")
    before = RunReader(write()).journal_hash
    assert RunReader(write(events=10)).journal_hash != before


def test_what_is_no_run(tmp_path: Path) -> None:
    refused(tmp_path / "missing.run", "does not exist")
    refused(tmp_path, "folder")
    path = tmp_path / "a.run"
    path.touch()
    refused(path, "empty")
    path.write_bytes(b"time_s,order\n" * 100)
    refused(path, "no run file")
    path.write_bytes(b"SQLite format 3\0")
    refused(path, "damaged", "salvage")
    path.unlink()
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE meta(key, value)")
    connection.close()
    refused(path, "no run")


def test_a_newer_and_an_impossible_version(write) -> None:
    path = write()
    for version, word in ((2, "update"), (2**31 - 1, "update"), (0, "damaged"), (-1, "damaged")):
        connection = sqlite3.connect(path)
        connection.execute(f"PRAGMA user_version={version}")
        connection.close()
        refused(path, word)


def test_a_vanished_row_is_noticed(write) -> None:
    """A row that is gone breaks no checksum; the totals written at the end tell."""
    for table in ("journal", "motion", "truth", "meta"):
        path = write(f"{table}.run")
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute(f"DELETE FROM {table} WHERE rowid = (SELECT max(rowid) FROM {table})")
        connection.close()
        with pytest.raises(RunFileError, match="damaged"):
            RunReader(path).check()
        if table == "journal":
            with pytest.raises(RunFileError, match="events 380 to 399 are missing"):
                list(RunReader(path).entries())
