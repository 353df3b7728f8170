"""Robots that the core knows from before a restart, and that have not been heard of since."""

from __future__ import annotations

from typing import NamedTuple

from orchestrator.core.messages import (
    BackOut,
    Command,
    ExtendBase,
    RecoverRobot,
    RecoveryFailed,
    RobotFaulted,
    StartAction,
    TrimBase,
)
from orchestrator.vda5050.control.sending import SECOND_NS, Desk

SILENT = "robot_silent"


class Known(NamedTuple):
    """One of them."""

    robot: int
    fleet: int
    at: int  # node
    base: tuple[int, ...]  # edges that it holds
    action: StartAction | None
    faulted: str  # kind, "" if it is well
    paused: bool = False
    backing: bool = False
    recover: RecoverRobot | None = None
    recover_by_ns: int = 0
    trim: tuple[int, ...] = ()


class Absent:
    """What they are commanded is kept until they are heard; who never is, has fallen silent."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._known: dict[str, Known] = {}
        self._names: dict[int, str] = {}  # by robot
        self._silent_ns = -1  # by then they must be heard

    def restore(self, robots: dict[str, Known]) -> None:
        """Before any message."""
        self._known = dict(robots)
        self._names = {known.robot: name for name, known in robots.items()}

    def heard(self, name: str) -> Known | None:
        """It is there: no longer one of these."""
        return self._known.pop(name, None)

    def pause(self, robot: int, *, on: bool) -> None:
        """It is to stand still, or may go on."""
        name = self._names.get(robot, "")
        if name in self._known:
            self._known[name] = self._known[name]._replace(paused=on)

    def command(self, command: Command) -> None:
        """Something that a robot is to do."""
        name = self._names.get(getattr(command, "robot", -1), "")
        known = self._known.get(name)
        if known is None:
            return
        match command:
            case ExtendBase():
                known = known._replace(base=known.base + command.edges)
            case StartAction():
                known = known._replace(action=command)
            case TrimBase():
                known = known._replace(trim=command.edges)
            case BackOut() if not known.faulted:  # else the core asks again when it is well
                known = known._replace(backing=True)
            case RecoverRobot():
                wait_ns = int(self._desk.limits.recover_s * SECOND_NS)
                by_ns = 0 if command.maintenance else self._desk.now_ns + wait_ns
                known = known._replace(recover=command, recover_by_ns=by_ns)
        self._known[name] = known

    def tick(self) -> None:
        """About once a second."""
        now_ns, limits = self._desk.now_ns, self._desk.limits
        if self._silent_ns < 0:
            self._silent_ns = now_ns + int(limits.idle_silence_s * SECOND_NS)
        for name, known in self._known.items():
            if known.recover is not None and 0 < known.recover_by_ns <= now_ns:
                self._known[name] = known._replace(recover_by_ns=0)
                self._desk.post(RecoveryFailed(robot=known.robot, attempt=known.recover.attempt))
            elif not known.faulted and now_ns >= self._silent_ns:
                self._known[name] = known._replace(faulted=SILENT, backing=False)
                reason = f"not heard for {limits.idle_silence_s:g} s since the master was restarted"
                self._desk.alarm(name, f"{SILENT}: {reason}")
                self._desk.post(RobotFaulted(robot=known.robot, reason=reason, kind=SILENT))
