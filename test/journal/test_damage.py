"""Damage is noticed or harmless, and what can be proved is brought out."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from orchestrator.core.messages import encode
from orchestrator.journal import RunFileError, RunReader, RunWriter, salvage

PAGE = 4096


def content(path: Path) -> tuple[object, ...]:
    """Everything that is decoded from a run."""
    with RunReader(path) as run:
        run.check()
        return (
            list(run.entry_bytes()), list(run.batches()), list(run.truth()),
            run.motion().tobytes(), run.motion(10**8, 2 * 10**8).tobytes(), run.meta,
            run.time_range_ns, run.last_durable(), list(run.snapshots()),
        )  # fmt: skip


def require_true_prefix(toy, path: Path, out: Path) -> int:
    """Salvage; what comes out is whole in itself and a beginning of the toy run."""
    out.unlink(missing_ok=True)
    report = salvage(path, out)
    with RunReader(out) as run:
        run.check()
        found = list(run.entry_bytes())
        assert run.meta["status"] == "salvaged" and run.journal_hash == report.journal_hash
    assert found == [toy.event(seq) for seq in range(len(found))]
    assert report.events == len(found)
    return len(found)


def test_a_flipped_byte_is_noticed_or_harmless(toy, write, tmp_path: Path) -> None:
    path = write()
    data, whole = path.read_bytes(), content(path)
    chance = random.Random(1)
    places = [*range(0, 108, 3), *(chance.randrange(len(data)) for _ in range(200))]
    noticed = saved = 0
    for at in places:
        path.write_bytes(
            data[:at] + bytes([data[at] ^ (1 << chance.randrange(8))]) + data[at + 1 :]
        )
        try:
            assert content(path) == whole, f"byte {at} changed what is read, and nobody noticed"
        except RunFileError as error:
            noticed += 1
            assert str(error).startswith(f"{path}: ") and " -> " in str(error)
            saved += require_true_prefix(toy, path, tmp_path / "out.run")
    assert noticed > len(places) // 2, "most bytes mean something"
    assert saved > noticed * toy.EVENTS // 3, "a single byte costs half the run on average"


def test_every_byte_of_page_headers(toy, write, tmp_path: Path) -> None:
    """Where a count or a pointer hides rows, no checksum of a row can tell."""
    path = write(events=100)
    data, whole = path.read_bytes(), content(path)
    for page in range(0, len(data), PAGE):
        start = page + (100 if page == 0 else 0)
        for at in range(start, start + 10):
            path.write_bytes(data[:at] + bytes([data[at] ^ 0x01]) + data[at + 1 :])
            try:
                assert content(path) == whole, f"byte {at - page} of page {page // PAGE}"
            except RunFileError:
                continue


def test_a_schema_that_is_no_text(toy, write, tmp_path: Path) -> None:
    """SQLite quotes it in its own message, which is then no UTF-8."""
    path = write()
    data = path.read_bytes()
    for by in range(0, 60, 7):
        at = data.index(b"CREATE TABLE journal") + by
        path.write_bytes(data[:at] + bytes([data[at] ^ 0x80]) + data[at + 1 :])
        with pytest.raises(RunFileError, match="damaged") as caught:
            content(path)
        assert "\n" not in str(caught.value)
        assert require_true_prefix(toy, path, tmp_path / "out.run") == toy.EVENTS


@pytest.mark.parametrize("wiped", [16, 100, PAGE])
def test_a_wiped_header_is_refused_and_nothing_is_lost(
    toy, write, tmp_path: Path, wiped: int
) -> None:
    path = write()
    data = path.read_bytes()
    path.write_bytes(bytes(wiped) + data[wiped:])
    with pytest.raises(RunFileError, match="salvage"):
        RunReader(path)
    report = salvage(path, tmp_path / "out.run")
    assert report.events == toy.EVENTS and not report.lost
    assert report.motion_batches == report.truth_batches == toy.EVENTS // toy.BATCH
    saved = RunReader(tmp_path / "out.run")
    saved.check()
    assert saved.meta["site"] == toy.META["site"] and saved.meta["books"] == {"orders": toy.EVENTS}


def test_a_hole_leaves_the_prefix_and_names_the_rest(toy, write, tmp_path: Path) -> None:
    path = write()
    with RunReader(path) as run:
        payloads = [row[5] for row in run._rows("journal", "ORDER BY batch")]
    data = bytearray(path.read_bytes())
    at = data.index(payloads[10][:40])
    data[at : at + 40] = bytes(40)
    path.write_bytes(data)
    with pytest.raises(RunFileError, match="journal"), RunReader(path) as run:
        run.check()
    report = salvage(path, tmp_path / "out.run")
    assert report.events == 200 and report.time_to_ns == 199_000_000
    assert report.stray_batches == 9 and report.stray_ranges[0] == (220, 239)
    assert report.lost == ("events 200 to 219",)
    with RunReader(tmp_path / "out.run") as saved:
        saved.check()
        assert len(saved.motion()) == toy.EVENTS and len(list(saved.truth())) == toy.EVENTS // 5
        assert "books" not in saved.meta, "they tell of an end that the journal hasn't"
        strays = list(saved._query("SELECT first_seq, note FROM stray"))
    assert len(strays) == 9 and "gap" in strays[0][1]


def test_a_salvaged_run_goes_on(toy, write, tmp_path: Path) -> None:
    path, out = write(), tmp_path / "out.run"
    whole = RunReader(path).journal_hash
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // PAGE // 2 * PAGE])  # half a file
    salvage(path, out)
    writer = RunWriter(out, toy.META, resume=True)
    writer.restart_ground_truth()
    toy.feed(writer)
    writer.close("closed")
    with RunReader(out) as run:
        run.check()
        assert run.journal_hash == whole and len(run.motion()) == toy.EVENTS


def test_a_file_cut_anywhere(toy, write, tmp_path: Path) -> None:
    path = write()
    data = path.read_bytes()
    chance = random.Random(2)
    for length in [1, 99, 4095, 4097, *(chance.randrange(len(data)) for _ in range(30))]:
        path.write_bytes(data[:length])
        with pytest.raises(RunFileError):
            content(path)
        require_true_prefix(toy, path, tmp_path / "out.run")


def test_salvage_reads_the_log_even_without_its_header(toy, tmp_path: Path) -> None:
    living, path = tmp_path / "living.run", tmp_path / "dead.run"
    writer = RunWriter(living, toy.META)
    toy.feed(writer)
    writer.commit()
    log = bytearray(Path(f"{living}-wal").read_bytes())
    for lost in (0, 20, len(log) // 2):  # header, salts, a frame in the middle
        shutil.copy(living, path)
        broken = log[:lost] + bytes(8) + log[lost + 8 :]
        Path(f"{path}-wal").write_bytes(broken)
        Path(f"{path}-shm").unlink(missing_ok=True)
        assert require_true_prefix(toy, path, tmp_path / "out.run") >= toy.EVENTS // 2 - 20
        if lost < 32:
            assert require_true_prefix(toy, path, tmp_path / "out.run") == toy.EVENTS
    writer.abandon()


def test_rows_beyond_a_page_come_back(toy, tmp_path: Path) -> None:
    """Overflow chains: one batch of a megabyte."""
    path, chance = tmp_path / "a.run", random.Random(4)
    writer = RunWriter(path, {"big": chance.randbytes(50_000).hex()})
    entries = [encode([seq, seq, chance.randbytes(10_000)]) for seq in range(100)]
    for seq, entry in enumerate(entries):
        writer.append(entry, seq, seq)
    writer.close("closed")
    path.write_bytes(bytes(PAGE) + path.read_bytes()[PAGE:])
    report = salvage(path, tmp_path / "out.run")
    assert report.events == 100 and "big" in report.meta
    assert list(RunReader(tmp_path / "out.run").entry_bytes()) == entries


def test_salvage_of_nothing(write, tmp_path: Path) -> None:
    out = tmp_path / "out.run"
    noise = tmp_path / "noise"
    for data in (b"", b"hello", random.Random(0).randbytes(100_000)):
        noise.write_bytes(data)
        out.unlink(missing_ok=True)
        report = salvage(noise, out)
        assert (report.events, report.motion_batches, report.meta) == (0, 0, ())
    path = write()
    for source, target in ((tmp_path / "missing", out), (tmp_path, out), (path, path)):
        with pytest.raises(RunFileError):
            salvage(source, target)
