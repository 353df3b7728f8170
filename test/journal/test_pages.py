"""The page walker meets garbage and never stumbles; what it knows, it reads as SQLite does."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from orchestrator.journal import pages
from orchestrator.journal.format import TABLES, pack, unpack
from orchestrator.journal.salvage import _walk

SIZE = 512


@st.composite
def leafy_pages(draw: st.DrawFn) -> bytes:
    """Garbage that begins like a table leaf, so that the walker goes into it."""
    out = b""
    for number in range(draw(st.integers(1, 4))):
        body = draw(st.binary(max_size=120)) * draw(st.integers(1, 6))
        cells = draw(st.lists(st.integers(0, 600), max_size=12))
        head = b"\x0d\0\0" + len(cells).to_bytes(2, "big") + b"\0\0\0"
        head += b"".join(cell.to_bytes(2, "big") for cell in cells)
        page = (bytes(100) if number == 0 else b"") + head + body
        out += page[:SIZE].ljust(SIZE, draw(st.sampled_from([b"\0", b"\xff", b"\x81", b"\x05"])))
    return out


def nothing_found(main: bytes, log: bytes) -> bool:
    found = {name: {} for name in TABLES}
    _walk(found, main, log)
    return not any(found.values())


@given(st.binary(max_size=5000), st.binary(max_size=5000))
@example(b"\x0d" * 9000, b"\x37\x7f\x06\x82" + bytes(5000))
@settings(max_examples=150, deadline=None)
def test_random_bytes(main: bytes, log: bytes) -> None:
    assert nothing_found(main, log)


@given(leafy_pages(), st.integers(0, 100))
@settings(max_examples=150, deadline=None)
def test_pages_that_look_right(data: bytes, cut: int) -> None:
    for _, columns in pages.rows(data[: len(data) - cut], SIZE):
        assert columns
    assert nothing_found(data, b"\x37\x7f\x06\x82\0\0\0\0\0\0\x02\0" + bytes(20) + data)


@given(st.binary(max_size=300))
@settings(max_examples=100, deadline=None)
def test_damaged_payloads_raise_only_value_errors(data: bytes) -> None:
    for payload in (data, pack([data])[: len(data)]):
        try:
            assert isinstance(list(unpack(payload)), list)
        except ValueError:
            continue


def test_a_cut_or_followed_payload_is_none() -> None:
    payload = pack([b"one" * 50, b"two", bytes(1000)])
    for end in range(len(payload)):
        with pytest.raises(ValueError, match="damaged"):
            list(unpack(payload[:end]))
    with pytest.raises(ValueError, match="damaged"):
        list(unpack(payload + b"x"))


def test_every_length_around_the_overflow_limits(tmp_path: Path) -> None:
    rows = [(bytes([length % 251]) * length, None, 1.5) for length in range(380, 1700)]
    assert_walked(tmp_path / "db", rows, 512)


@given(st.lists(st.binary(max_size=50), max_size=20))
@settings(max_examples=50, deadline=None)
def test_payloads_come_back(entries: list[bytes]) -> None:
    assert list(unpack(pack(entries))) == entries


VALUES = st.one_of(
    st.none(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False),
    st.text(alphabet="aeé漢", max_size=30), st.binary(max_size=9000),
)  # fmt: skip


@given(
    rows=st.lists(st.tuples(VALUES, VALUES, VALUES), min_size=1, max_size=25),
    size=st.sampled_from([512, 1024, 4096]),
)
@settings(max_examples=60, deadline=None)
def test_the_walker_reads_what_sqlite_wrote(
    rows: list[tuple[object, ...]], size: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert_walked(tmp_path_factory.mktemp("pages") / "db", rows, size)


def assert_walked(path: Path, rows: list[tuple[object, ...]], size: int) -> None:
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA page_size={size}")
    connection.execute("CREATE TABLE t(a, b, c)")
    connection.executemany("INSERT INTO t VALUES(?, ?, ?)", rows)
    connection.commit()
    expected = connection.execute("SELECT rowid, a, b, c FROM t ORDER BY rowid").fetchall()
    connection.close()
    found = {rowid: columns for rowid, columns in pages.rows(path.read_bytes(), size)
             if len(columns) == 3}  # fmt: skip
    assert [(rowid, *columns) for rowid, columns in sorted(found.items())] == expected
