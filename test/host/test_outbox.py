"""The outbox: each message once, whole, in sequence, whatever dies in between."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orchestrator.host.outbox import CURSOR, SENT, FileOutbox, Outgoing
from orchestrator.host.records import HostFileError


def message(seq: int, subject: str = "a", kind: str = "order-done") -> Outgoing:
    return Outgoing(seq, kind, subject, seq * 10**9, {"order_id": subject})


def test_a_message_is_a_file_with_its_key(tmp_path: Path) -> None:
    outbox = FileOutbox(tmp_path / "out", "r1")
    assert outbox.deliver([message(7), message(7, "b")], 9) == 2
    paths = outbox.pending()
    assert [path.name for path in paths] == [
        "0000000007-order-done-a.json", "0000000007-order-done-b.json",
    ]  # fmt: skip
    content = json.loads(paths[0].read_text())
    assert content == {
        "key": "r1:0000000007-order-done-a", "run": "r1", "seq": 7, "kind": "order-done",
        "time_s": 7.0, "order_id": "a",
    }  # fmt: skip
    assert json.loads((tmp_path / "out" / CURSOR).read_text()) == {"run": "r1", "seq": 9}
    assert not list((tmp_path / "out").glob(".*.part"))


def test_what_was_put_is_not_put_again(tmp_path: Path) -> None:
    """Given an outbox that died before its cursor moved on, when the same messages are made again,
    then those that are there, or were acknowledged, are left out, and the others are put."""
    folder = tmp_path / "out"
    outbox = FileOutbox(folder, "r1")
    outbox.deliver([message(1), message(2), message(3)], 3)
    outbox.acknowledge("0000000002-order-done-a.json")
    (folder / CURSOR).write_text('{"run": "r1", "seq": 0}')
    (folder / "0000000003-order-done-a.json").unlink()
    (folder / ".0000000003-order-done-a.json.part").write_text("half a mess")
    again = FileOutbox(folder, "r1")
    assert again.deliver([message(n) for n in range(1, 6)], 5) == 3
    assert [p.name[:10] for p in again.pending()] == [f"{n:010}" for n in (1, 3, 4, 5)]
    assert json.loads((folder / "0000000003-order-done-a.json").read_text())["seq"] == 3
    assert again.deliver([message(n) for n in range(1, 6)], 5) == 0
    assert (folder / SENT / "0000000002-order-done-a.json").exists()


def test_behind_the_cursor_nothing_is_put_even_if_the_host_deleted_it(tmp_path: Path) -> None:
    outbox = FileOutbox(tmp_path, "r1")
    outbox.deliver([message(1)], 1)
    outbox.pending()[0].unlink()
    assert FileOutbox(tmp_path, "r1").deliver([message(1)], 1) == 0


def test_names_are_safe_and_tell_subjects_apart(tmp_path: Path) -> None:
    subjects = ["../../etc/passwd", "..\\..\\x", "a/1", "a_1", "a 1", "ä" * 500, "", "a" * 300]
    outbox = FileOutbox(tmp_path / "out", "r1")
    assert outbox.deliver([message(1, subject) for subject in subjects], 1) == len(subjects)
    assert len(outbox.pending()) == len(subjects)
    assert {path.parent for path in outbox.pending()} == {tmp_path / "out"}


def test_an_outbox_belongs_to_one_run(tmp_path: Path) -> None:
    FileOutbox(tmp_path, "r1").deliver([message(1)], 1)
    with pytest.raises(HostFileError, match=r"another run .* -> name another folder"):
        FileOutbox(tmp_path, "r2")
    (tmp_path / CURSOR).unlink()
    with pytest.raises(HostFileError, match="messages of another run"):
        FileOutbox(tmp_path, "r2")
    assert FileOutbox(tmp_path, "r1").deliver([message(1), message(2)], 2) == 1


def test_a_damaged_cursor_and_a_folder_that_is_none(tmp_path: Path) -> None:
    (tmp_path / CURSOR).write_text("{")
    with pytest.raises(HostFileError, match=r"is damaged: .* -> delete it"):
        FileOutbox(tmp_path, "r1")
    (tmp_path / "file").write_text("x")
    with pytest.raises(HostFileError, match="can't be written"):
        FileOutbox(tmp_path / "file", "r1")
