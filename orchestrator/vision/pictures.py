"""Pictures beside the run, by SHA-256: what a camera saw can be looked at, and read again."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from orchestrator.vision.model import Picture

BYTES_MAX = 2 * 2**30
SUFFIXES = (".jpg", ".png")
GOOD, BAD = "ok", "bad"  # folders: pictures of bad outcomes go last


class PicturesError(ValueError):
    """The folder can't be used."""


class Pictures:
    """A folder of pictures, bounded in bytes: at the bound the oldest go, those of good outcomes
    first. The same picture lies there once. One process writes."""

    def __init__(self, folder: Path, bytes_max: int = BYTES_MAX) -> None:
        """Raises `PicturesError`."""
        self._folder, self._most = folder, bytes_max
        self._sizes: dict[str, dict[Path, int]] = {GOOD: {}, BAD: {}}  # the oldest first
        for kind, sizes in self._sizes.items():
            try:
                (folder / kind).mkdir(parents=True, exist_ok=True)
                files = [(path.stat(), path) for path in (folder / kind).iterdir()]
            except OSError as error:
                text = f"{folder}: no folder for pictures ({error.strerror}) -> name another one"
                raise PicturesError(text) from error
            for status, path in sorted(files, key=lambda pair: (pair[0].st_mtime_ns, pair[1])):
                if path.suffix in SUFFIXES:
                    sizes[path] = status.st_size
                else:
                    path.unlink(missing_ok=True)  # half written
        self._bytes = sum(size for sizes in self._sizes.values() for size in sizes.values())
        self._trim()

    @property
    def bytes(self) -> int:
        """All pictures together."""
        return self._bytes

    def __len__(self) -> int:
        return sum(map(len, self._sizes.values()))

    def __contains__(self, name: object) -> bool:
        return any(
            self._path(kind, str(name), f"image/{form}") in self._sizes[kind]
            for kind in (GOOD, BAD)
            for form in ("png", "jpeg")
        )

    def keep(self, picture: Picture, *, bad: bool) -> str:
        """Put it there and return its name. A picture that has a bad outcome once stays one of
        those. Raises `OSError` when the disk is full."""
        kind = BAD if bad else GOOD
        path = self._path(kind, picture.sha256, picture.media_type)
        twin = self._path(GOOD if bad else BAD, picture.sha256, picture.media_type)
        if path in self._sizes[kind] or (not bad and twin in self._sizes[BAD]):
            return picture.sha256
        if twin in self._sizes[GOOD]:
            self._remove(GOOD, twin)
        half = path.with_suffix(".part")
        half.write_bytes(picture.data)
        os.replace(half, path)
        self._sizes[kind][path] = len(picture.data)
        self._bytes += len(picture.data)
        self._trim()
        return picture.sha256

    def _path(self, kind: str, name: str, media_type: str) -> Path:
        return self._folder / kind / f"{name}{'.png' if media_type == 'image/png' else '.jpg'}"

    def _remove(self, kind: str, path: Path) -> None:
        self._bytes -= self._sizes[kind].pop(path)
        path.unlink(missing_ok=True)

    def _trim(self) -> None:
        while self._bytes > self._most:
            kind = GOOD if self._sizes[GOOD] else BAD
            self._remove(kind, next(iter(self._sizes[kind])))


def find(folder: Path, name: str) -> Picture | None:
    """The picture of this name; None where it is not there (any more) or not what its name says."""
    if len(name) != 64 or not set(name) <= set("0123456789abcdef"):
        return None
    for kind in (BAD, GOOD):
        for suffix in SUFFIXES:
            with suppress(OSError):
                data = (folder / kind / f"{name}{suffix}").read_bytes()
                if sha256(data).hexdigest() == name:
                    return Picture(data)
    return None


def names(folder: Path) -> Iterator[str]:
    """All names there."""
    for kind in (BAD, GOOD):
        for path in sorted((folder / kind).glob("*")):
            if path.suffix in SUFFIXES:
                yield path.stem


def folder_of(run: Path) -> Path:
    """Where the pictures of a run lie."""
    return run.with_name(f"{run.name}.pictures")
