"""Which runs there are: one file, or the *.run files of a folder. Names are looked up, never joined
to a path."""

from __future__ import annotations

import asyncio
from pathlib import Path

from orchestrator.web.run import WatchedRun

OPEN_MAX = 8
POLL_S = 0.25


class Library:
    """Runs by name, opened when first asked for; the longest unused one is let go at the bound."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._open: dict[str, WatchedRun] = {}

    def names(self) -> list[str]:
        """Newest first."""
        return list(self._files())

    def _files(self) -> dict[str, Path]:
        if not self.path.is_dir():
            return {self.path.stem: self.path}
        files = [file for file in self.path.glob("*.run") if file.is_file()]
        files.sort(key=lambda file: file.stat().st_mtime, reverse=True)
        return {file.stem: file for file in files}

    async def get(self, name: str = "") -> WatchedRun:
        """A run by its name; without one, the newest. Raises KeyError."""
        files = self._files()
        if not name:
            if not files:
                raise KeyError("no run")
            name = next(iter(files))
        run = self._open.pop(name, None)
        if run is None:
            run = WatchedRun(files[name])
            while len(self._open) >= OPEN_MAX:
                self._open.pop(next(iter(self._open)))
        self._open[name] = run
        if run.loaded is None:
            await run.refresh()
        return run

    async def watch(self) -> None:
        """Follow all open runs, for ever."""
        while True:
            for run in list(self._open.values()):
                await run.refresh()
            behind = any(not (r.caught_up or r.error) for r in self._open.values())
            await asyncio.sleep(0.01 if behind else POLL_S)
