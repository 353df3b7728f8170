"""What is kept on disk between runs: computed once, damaged never, bounded always."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from planners import cache


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LIGHTSOUT_CACHE", str(tmp_path / "kept"))
    return tmp_path / "kept"


def counted(value: object = "value"):
    calls: list[int] = []
    return calls, lambda: (calls.append(1), value)[1]


def test_the_cache_computes_once(folder: Path) -> None:
    calls, compute = counted()
    assert [cache.cached("kind", b"key", compute) for _ in range(3)] == ["value"] * 3
    assert len(calls) == 1 and len(list(folder.iterdir())) == 1
    cache.cached("kind", b"other", compute)
    cache.cached("other", b"key", compute)
    assert len(calls) == 3


@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "foreign"])
def test_a_damaged_cache_is_computed_anew(folder: Path, damage: str) -> None:
    calls, compute = counted()
    cache.cached("kind", b"key", compute)
    (file,) = folder.iterdir()
    blob = bytearray(file.read_bytes())
    blob[-3] ^= 1
    file.write_bytes(
        {"cut": file.read_bytes()[:-1], "flip": bytes(blob), "empty": b"", "foreign": b"x" * 99}[
            damage
        ]
    )
    with pytest.warns(RuntimeWarning, match="computed again"):
        assert cache.cached("kind", b"key", compute) == "value" and len(calls) == 2
    assert cache.cached("kind", b"key", compute) == "value" and len(calls) == 2


def test_where_nothing_can_be_written_nothing_is_kept(folder: Path) -> None:
    folder.write_text("a file, no folder")
    calls, compute = counted()
    assert cache.cached("kind", b"key", compute) == cache.cached("kind", b"key", compute) == "value"
    assert len(calls) == 2


def test_what_was_not_used_for_longest_makes_room(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "BYTES_MAX", 3500)
    values = {key: bytes([at]) * 1000 for at, key in enumerate((b"a", b"b", b"c"))}
    for at, (key, value) in enumerate(values.items()):
        cache.cached("kind", key, lambda value=value: value)
        newest = max(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns)
        os.utime(newest, ns=(at, at))
    (folder / ".part-left-behind").write_bytes(b"x" * 100)
    os.utime(folder / ".part-left-behind", ns=(0, 0))
    (folder / "not-ours.txt").write_text("stays")
    calls, compute = counted(values[b"a"])
    cache.cached("kind", b"a", compute)
    assert not calls, "all three are there, and this one was used just now"
    cache.cached("kind", b"d", lambda: b"d" * 1000)
    assert not (folder / ".part-left-behind").exists() and (folder / "not-ours.txt").exists()
    for key, again in ((b"a", 0), (b"c", 0), (b"b", 1)):
        calls, compute = counted(values[key])
        assert cache.cached("kind", key, compute) == values[key] and len(calls) == again
    assert sum(path.stat().st_size for path in folder.glob("*.bin")) <= 3500


def test_what_is_too_large_is_not_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "BYTES_MAX", 100)
    calls, compute = counted("x" * 200)
    assert [cache.cached("kind", b"key", compute) for _ in range(2)] == ["x" * 200] * 2
    assert len(calls) == 2


@pytest.mark.parametrize(
    ("own", "base", "says"),
    [
        ("/own", "/base", "/own"),
        ("", "/base", "/base/lightsout"),
        ("", "relative", "/a-home/.cache/lightsout"),
        ("", "", "/a-home/.cache/lightsout"),
    ],
)
def test_where_it_lies(monkeypatch: pytest.MonkeyPatch, own: str, base: str, says: str) -> None:
    for name, value in (("LIGHTSOUT_CACHE", own), ("XDG_CACHE_HOME", base), ("HOME", "/a-home")):
        monkeypatch.setenv(name, value)
    assert str(cache.directory()) == says
