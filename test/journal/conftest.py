"""A small, deterministic run that any test can write, kill, damage and compare."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from orchestrator.core.messages import Entry, NodeReached, StartAction, Ticked, encode
from orchestrator.journal import RunWriter

EVENTS = 400
BATCH = 20
META = {"site": {"site.yaml": "name: toy\n" * 300}, "seed": 7, "arguments": ["--hours", "1"]}


def event(seq: int) -> bytes:
    """Canonical bytes of the toy run's event `seq`."""
    fact = Ticked() if seq % 10 == 0 else NodeReached(robot=seq % 7, edge=seq * 7919 % 1000)
    return encode(Entry(seq * 1_000_000, seq, fact))


def feed(writer: RunWriter, events: int = EVENTS, batch: int = BATCH, start: int = 0) -> None:
    """Make the toy run, from the beginning, and commit each `batch` events."""
    for seq in range(start, events):
        if seq and seq % batch == 0:
            writer.commit()
        time_ns = seq * 1_000_000
        writer.append(event(seq), time_ns, seq)
        if seq % 3 == 0:
            writer.command(encode(StartAction(robot=seq % 7, action=seq, kind="pick")))
        angle = math.sin(seq)
        writer.motion((seq % 7, time_ns, 500_000, seq * 0.1, angle, angle, 0.0, 1.0, 0.0, 0.0))
        if seq % 5 == 0:
            writer.truth(time_ns, "unit", {"sku": f"sku-{seq}", "place": [seq, angle]})


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """A whole closed run under a name."""

    def make(name: str = "a.run", events: int = EVENTS, batch: int = BATCH) -> Path:
        path = tmp_path / name
        writer = RunWriter(path, META)
        feed(writer, events, batch)
        writer.close("closed", books={"orders": events}, figures={"speed": 1.5})
        return path

    return make


@pytest.fixture(scope="session")
def toy() -> ModuleType:
    """This module, for tests (and their child processes, by its file)."""
    return sys.modules[__name__]
