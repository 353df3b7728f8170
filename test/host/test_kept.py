"""What a host keeps of what it was told: in sequence, once, there before it is acknowledged."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from orchestrator.host.kept import Kept
from orchestrator.host.records import HostFileError


def message(number: int, run: str = "r1") -> dict[str, Any]:
    return {"number": number, "run": run, "key": f"{run}:{number:010}-order-done-o/{number}"}


def files(folder: Path) -> list[int]:
    return [json.loads(p.read_text())["number"] for p in sorted(folder.glob("[0-9]*.json"))]


def test_whatever_the_sequence_they_are_kept_in_theirs(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    kept.begin("r1")
    numbers = [*range(1, 30), *range(5, 15)]
    random.Random(3).shuffle(numbers)
    told = [each["number"] for number in numbers for each in kept.take(message(number))]
    assert told == list(range(1, 30)) == files(tmp_path) and kept.number == 29
    assert (tmp_path / "0000000007-order-done-o_7.json").exists()


def test_it_goes_on_where_it_was_and_a_gap_is_not_acknowledged(tmp_path: Path) -> None:
    first = Kept(tmp_path)
    first.begin("r1")
    first.take(message(1))
    first.take(message(3))  # in memory alone
    again = Kept(tmp_path)
    assert (again.run, again.number) == ("r1", 1) and files(tmp_path) == [1]
    again.begin("r1")
    assert [each["number"] for each in again.take(message(2))] == [2]


def test_what_is_no_message_of_the_run_is_left_out(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    assert kept.take(message(1)) == [], "before the run is known"
    kept.begin("r1")
    for odd in ({"number": "1", "run": "r1"}, {}, message(1, "r0"), message(0)):
        assert kept.take(odd) == []
    with pytest.raises(HostFileError, match=r"another run .* -> name another folder"):
        kept.begin("r2")


@pytest.mark.parametrize("text", ["", "{}", '{"run": "r1", "number": "x"}'])
def test_a_damaged_cursor_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "cursor.json").write_text(text)
    with pytest.raises(HostFileError, match=r"cursor.json: is damaged: .* -> delete it"):
        Kept(tmp_path)


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(HostFileError, match="can't be written"):
        Kept(tmp_path / "file" / "out")
