"""From the journal's commits to the outbox: nothing leaves before what it follows from is durable."""

from __future__ import annotations

import hashlib
import json
import uuid
from pathlib import Path
from typing import Any

from orchestrator.host.confirmations import Follower
from orchestrator.host.outbox import FileOutbox, Outbox
from sim.recorder import Recorder
from sim.scenario import Scenario
from sim.surroundings import MotionRow


def new_run_id() -> str:
    """Of a run that begins: no other run has it."""
    return uuid.uuid4().hex[:16]


def run_id_of(meta: dict[str, Any]) -> str:
    """The id in a run file; of files without one, from what else tells them from others."""
    made = [meta.get("created"), meta.get("recipe")]
    old = hashlib.sha256(json.dumps(made, sort_keys=True).encode()).hexdigest()[:16]
    return str(meta.get("run_id", old))


def follower_of(meta: dict[str, Any], scenario: Scenario) -> Follower | None:
    """Makes the run's messages; None where it has no outbox."""
    chosen = meta.get("outbox")
    if not chosen:
        return None
    trust = meta["recipe"]["trust"] if meta["recipe"]["stock_name"] else ""
    return Follower(chosen["snapshot_minutes"], scenario.differences, trust)


def outbox_of(meta: dict[str, Any]) -> FileOutbox:
    """The folder that the run was given. Raises `HostFileError`."""
    return FileOutbox(Path(meta["outbox"]["folder"]), run_id_of(meta))


class Delivering:
    """A recorder that delivers after each commit."""

    def __init__(self, record: Recorder, follower: Follower, outbox: Outbox) -> None:
        self._record, self._follower, self._outbox = record, follower, outbox
        self.count = 0  # messages put

    def append(self, entry: bytes, time_ns: int, seq: int) -> None:
        """sim.shell.Recorder"""
        self._record.append(entry, time_ns, seq)

    def command(self, encoded: bytes) -> None:
        """sim.shell.Recorder"""
        self._record.command(encoded)

    def motion(self, row: MotionRow) -> None:
        """sim.shell.Recorder"""
        self._record.motion(row)

    def truth(self, time_ns: int, kind: str, payload: dict[str, Any]) -> None:
        """sim.shell.Recorder"""
        self._record.truth(time_ns, kind, payload)

    def commit(self) -> None:
        """sim.shell.Recorder"""
        self._record.commit()
        self.deliver()

    def deliver(self) -> None:
        """What follows from events that are durable."""
        self.count += self._outbox.deliver(self._follower.take(), self._follower.seq)
