"""Pictures that readers compare with: the face of each SKU, each lane when it is empty."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from orchestrator.vision.model import Image, Picture

SUFFIXES = (".png", ".jpg")
KEPT = 500


class References(Protocol):
    """Where they come from. Can be sent to another process."""

    def find(self, name: str) -> Image | None:
        """The picture of this name; None: there is none."""
        ...


@dataclass(slots=True)
class Folder:
    """One file each: `NAME.png` or `NAME.jpg`."""

    path: Path
    _kept: OrderedDict[str, Image | None] = field(default_factory=OrderedDict, repr=False)

    def find(self, name: str) -> Image | None:
        """Raises `PictureError` where the file is none."""
        if name not in self._kept:
            self._kept[name] = self._read(name)
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return self._kept[name]

    def _read(self, name: str) -> Image | None:
        if not name or name.startswith(".") or "/" in name or "\\" in name:
            return None
        for suffix in SUFFIXES:
            path = self.path / f"{name}{suffix}"
            if path.is_file():
                return Picture(path.read_bytes()).image()
        return None
