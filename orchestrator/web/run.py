"""One run file under observation: its indices, and what can be asked of them."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from itertools import pairwise
from pathlib import Path
from typing import Any

from orchestrator.journal import RunFileError
from orchestrator.layout import LayoutError, LoadedSite
from orchestrator.web import floor
from orchestrator.web.picture import PictureIndex
from orchestrator.web.poses import PoseIndex
from orchestrator.web.reports import ReportIndex
from orchestrator.web.shapes import RunInfo
from orchestrator.web.tail import (
    ROWS_MAX,
    Batches,
    check_is_run,
    connection,
    entries_of,
    facts_of,
    motion_of,
)

MOTION_LAG_NS = 6 * 10**9  # a lane is recorded when it has been driven
STALLED_S = 30.0
Signature = tuple[int, int]


class WatchedRun:
    """Follows a run file while it grows. One thread of asyncio changes it; anybody reads it."""

    def __init__(self, path: Path) -> None:
        self.path, self.name = path, path.stem
        self.error = ""
        self.generation = 0  # counts up when the file was replaced or begun anew
        self.loaded: LoadedSite | None = None
        self.drawing: dict[str, Any] | None = None
        self._signature: Signature | None = None
        self._busy = asyncio.Lock()
        self._reset({})

    def _reset(self, meta: dict[str, Any]) -> None:
        self.meta = meta
        self.pictures = PictureIndex(Batches(self.path, "truth", facts_of))
        self.poses = PoseIndex(Batches(self.path, "motion", motion_of))
        self.reports = ReportIndex(Batches(self.path, "journal", entries_of))
        self.caught_up = False
        self.growth: deque[tuple[float, int]] = deque(maxlen=16)  # when, newest time
        self.generation += 1

    # --- what can be asked --------------------------------------------------------------------

    @property
    def closed(self) -> bool:
        """Nothing will be added, and everything was read."""
        return self.meta.get("status") != "open" and self.caught_up

    @property
    def edge_ns(self) -> int:
        """The newest time for which everything is known."""
        tables: list[Batches[Any]] = [self.pictures.batches, self.reports.batches]
        if self.closed:
            tables.append(self.poses.batches)
        newest = max((table.latest_ns[-1] for table in tables if len(table)), default=0)
        # A commit holds all tables: what was true by then is in it, but for lanes under way.
        return newest if self.closed else max(0, newest - MOTION_LAG_NS)

    @property
    def live(self) -> bool:
        """Is somebody writing? (A writer that died leaves its run open.)"""
        if self.meta.get("status") != "open" or self.error:
            return False
        return bool(self.growth) and time.monotonic() - self.growth[-1][0] < STALLED_S

    @property
    def pace(self) -> float:
        """Simulated seconds that are written per second."""
        if len(self.growth) < 2:
            return 1.0
        (t0, n0), (t1, n1) = self.growth[0], self.growth[-1]
        return max(0.0, (n1 - n0) / 1e9 / max(1e-3, t1 - t0))

    @property
    def stride_ns(self) -> int:
        """The longest recent jump of the newest time: that far behind, playing can't starve."""
        times = [n for _, n in self.growth]
        return max((b - a for a, b in pairwise(times)), default=0)

    @property
    def robots(self) -> list[dict[str, Any]]:
        """`robot` facts by index."""
        return self.pictures.robots

    def robots_at(self, t_ns: int) -> int:
        """How many robots there were at a time."""
        return sum(fact["joined_ns"] <= t_ns for fact in self.robots)

    def info(self) -> RunInfo:
        """For the page's head."""
        recipe = self.meta.get("recipe") or {}
        status = str(self.meta.get("status", "unknown"))
        origin = (self.meta.get("forked_from") or [{}])[-1]
        return RunInfo(
            name=self.name,
            site=str(recipe.get("name", self.name)),
            status="damaged" if self.error else status,
            live=self.live,
            from_s=0.0,
            to_s=self.edge_ns / 1e9,
            seed=recipe.get("seed"),
            hours=recipe.get("hours"),
            robots=len(self.robots),
            created=str(self.meta.get("created", "")),
            faults=bool(recipe.get("faults")),
            forked_from=str(origin.get("run", "")),
            forked_s=origin.get("at_s"),
            figures=self.meta.get("figures") or {},
            error=self.error,
        )

    # --- following ------------------------------------------------------------------------------

    async def refresh(self) -> None:
        """Read what is new, a bounded piece at a time. Never raises: what is wrong is in `error`."""
        if self._busy.locked() or self.closed:
            return
        async with self._busy:
            try:
                await self._refresh()
                self.error = ""
            except RunFileError as error:
                self.error = f"{error.what} -> {error.mend}"
            except (LayoutError, ValueError, KeyError, OSError) as error:
                self.error = f"can't be shown: {error}"

    async def _refresh(self) -> None:
        signature = await asyncio.to_thread(_signature, self.path)
        if self._signature is None or signature != self._signature:
            meta = await asyncio.to_thread(check_is_run, self.path)
            self._signature = signature
            self._reset(meta)
            self.loaded = await asyncio.to_thread(floor.load, meta)
            self.drawing = floor.drawing(self.loaded)
        news = await asyncio.to_thread(self._read)
        if news is None:  # begun anew (--resume rewrites motion and truth)
            self._reset(self.meta)
            return
        status, truth, motion, journal = news
        await self._take_in(truth, motion, journal)
        self.caught_up = max(len(truth), len(motion), len(journal)) < ROWS_MAX
        if (truth or motion) and self.caught_up:
            self.growth.append((time.monotonic(), self.edge_ns))
        if status != self.meta.get("status") and self.caught_up:
            self.meta = await asyncio.to_thread(check_is_run, self.path)

    async def _take_in(self, truth: list[Any], motion: list[Any], journal: list[Any]) -> None:
        for batch in truth:
            self.pictures.add(*batch)
            await asyncio.sleep(0)
        self.poses.start(self.pictures.robots)
        for batch in motion:
            self.poses.add(*batch)
            await asyncio.sleep(0)
        for batch in journal:
            self.reports.add(*batch)
            await asyncio.sleep(0)

    def _read(self) -> tuple[str, list[Any], list[Any], list[Any]] | None:
        truth = self.pictures.batches
        with connection(self.path) as opened:
            opened.execute("BEGIN")  # all tables and the status as of one moment
            row = opened.execute("SELECT value FROM meta WHERE key = 'status'").fetchone()
            status = str(row[0].decode()).strip('"') if row else "open"
            newest = opened.execute("SELECT max(batch) FROM truth").fetchone()[0] or 0
            if len(truth) and newest < truth.numbers[-1]:
                return None
            news = (
                truth.news(opened),
                self.poses.batches.news(opened),
                self.reports.batches.news(opened),
            )
        return status, *news


def _signature(path: Path) -> Signature:
    try:
        found = path.stat()
    except OSError as error:
        raise RunFileError(path, "is gone", "record it again") from error
    return found.st_dev, found.st_ino
