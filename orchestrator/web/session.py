"""One viewer's WebSocket. Nothing is queued for a slow viewer: each round sends what is missing up to
now, and a viewer that fell behind gets the present instead of the backlog."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any, Protocol

from orchestrator.journal import RunFileError
from orchestrator.web.figures import kpi
from orchestrator.web.frames import pack_motion
from orchestrator.web.playhead import Playhead
from orchestrator.web.run import WatchedRun

ROUND_S = 0.2
TICK_S = 0.5
AHEAD_S = 1.0  # motion is sent so much real time ahead of need
BEHIND_S = 2.5  # a round that took longer than this makes the viewer jump to the present
SEND_TIMEOUT_S = 20.0
COMMAND_BYTES_MAX = 1024
CLOSED_SHOWN = 150
CHANGES_MAX = 400
MARKS_MAX = 500


class Socket(Protocol):
    """The two ways to send."""

    async def send_text(self, data: str) -> None:
        """JSON."""

    async def send_bytes(self, data: bytes) -> None:
        """A motion frame."""


class BadCommand(ValueError):
    """The viewer sent something that is no command."""


class Session:
    """Cursor and sender of one connection."""

    def __init__(self, run: WatchedRun, socket: Socket) -> None:
        self.run, self.socket = run, socket
        self.head = Playhead()
        self.wake = asyncio.Event()
        self._sent_ns = self._told_ns = 0
        self._generation = -1  # of the run
        self._seeks = 0
        self._batches = 0
        self._marks = -1
        self._tick_s = 0.0

    # --- commands -----------------------------------------------------------------------------

    def command(self, text: str) -> None:
        """Obey. Raises `BadCommand` with a message for the viewer."""
        if len(text) > COMMAND_BYTES_MAX:
            raise BadCommand(f"a command has at most {COMMAND_BYTES_MAX} bytes")
        try:
            message = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise BadCommand("a command is a JSON object") from error
        if not isinstance(message, dict):
            raise BadCommand("a command is a JSON object")
        match message.get("cmd"):
            case "play":
                if self.head.t_ns >= self.run.edge_ns and not self.run.live:
                    self.head.seek(0, self.run)
                self.head.playing = True
            case "pause":
                self.head.playing = self.head.following = False
            case "seek":
                self.head.seek(_number(message, "t_s"), self.run)
                self._seeks = int(_number(message, "id", 0)) & 0xFFFFFFFF
            case "speed":
                self.head.set_speed(_number(message, "x"))
            case "live":
                self.head.follow(self.run)
            case _:
                raise BadCommand("cmd is one of play, pause, seek, speed, live")
        self._tick_s = 0.0
        self.wake.set()

    # --- sending ------------------------------------------------------------------------------

    async def serve(self) -> None:
        """Send, until cancelled or the viewer is gone."""
        last = time.monotonic()
        while True:
            now = time.monotonic()
            if now - last > BEHIND_S:
                self.head.jumped = True
            last = now
            try:
                await asyncio.wait_for(self._round(now), SEND_TIMEOUT_S)
            except RunFileError as error:
                await self._json({"type": "error", "fatal": True, "message": str(error.what)})
                return
            try:
                await asyncio.wait_for(self.wake.wait(), ROUND_S)
                await asyncio.sleep(0.01)  # one answer for a burst of commands
            except TimeoutError:
                pass
            self.wake.clear()

    async def _round(self, now_s: float) -> None:
        if self.run.loaded is None or (self.run.error and not len(self.run.pictures.batches)):
            await self._json({"type": "error", "fatal": True, "message": self.run.error})
            return
        if self._generation != self.run.generation:
            await self._hello()
        self.head.advance(now_s, self.run)
        if self.head.jumped:
            await self._reset()
        else:
            await self._more()
        if now_s - self._tick_s >= TICK_S:
            self._tick_s = now_s
            await self._tick()

    async def _hello(self) -> None:
        while not len(self.run.pictures.batches) and not self.run.error:
            await self._json({"type": "waiting", "run": self.run.info().model_dump()})
            await asyncio.sleep(ROUND_S)
        if self._generation >= 0 or self.run.live:
            self.head.follow(self.run)
        self._generation, self._marks, self.head.jumped = self.run.generation, -1, True
        robots = [
            {key: row[key] for key in ("robot", "name", "fleet", "footprint")}
            for row in self.run.robots
        ]
        info = self.run.info().model_dump()
        await self._json({"type": "hello", "run": info, "robots": robots})

    def _horizon_ns(self) -> int:
        ahead = round(AHEAD_S * max(self.head.rate, 0.5) * 1e9)
        return min(self.run.edge_ns, self.head.t_ns + ahead)

    async def _reset(self) -> None:
        """Everything as of now."""
        self.head.jumped = False
        t_ns = self.head.t_ns
        picture, poses = await asyncio.to_thread(
            lambda: (self.run.pictures.at(t_ns), self.run.poses.at(t_ns))
        )
        ledger = self.run.pictures.ledger
        rows = [row.shown(t_ns).model_dump() for row in ledger.at(t_ns, CLOSED_SHOWN)]
        loads = [picture.row(t_ns, load) for load in picture.place]
        await self._json(
            {"type": "reset", "t_s": t_ns / 1e9, "loads": loads, "orders": rows, "id": self._seeks}
        )
        frame = pack_motion(poses, t_ns, t_ns, reset=True, generation=self._seeks)
        await self.socket.send_bytes(frame)
        self._sent_ns = self._told_ns = t_ns
        self._batches = len(self.run.poses.batches)
        self._tick_s = 0.0
        await self._more()

    async def _more(self) -> None:
        """Motion and loads up to the horizon."""
        to_ns, sent = self._horizon_ns(), self._sent_ns
        first, self._batches = self._batches, len(self.run.poses.batches)
        if first < self._batches:
            late = await asyncio.to_thread(self.run.poses.late, first, sent, self.head.t_ns)
            if len(late):
                await self.socket.send_bytes(pack_motion(late, sent, sent, generation=self._seeks))
        if to_ns <= sent:
            return
        rows, changes = await asyncio.to_thread(self._between, sent, to_ns)
        self._sent_ns = to_ns
        if changes:
            await self._json({"type": "loads", "loads": changes})
        await self.socket.send_bytes(pack_motion(rows, sent, to_ns, generation=self._seeks))

    def _between(self, from_ns: int, to_ns: int) -> tuple[Any, list[Any]]:
        changes = []
        facts = list(self.run.pictures.facts(from_ns, to_ns))
        picture = self.run.pictures.at(from_ns) if facts else None
        for time_ns, kind, fact in facts:
            assert picture is not None
            load = picture.take(kind, fact)
            if load:
                changes.append(picture.row(time_ns, load))
        return self.run.poses.begun(from_ns, to_ns), changes

    async def _tick(self) -> None:
        """Clock, figures, orders that changed, faults."""
        run, head, ledger = self.run, self.head, self.run.pictures.ledger
        t_ns = head.t_ns
        picture_busy = await asyncio.to_thread(busy, run, t_ns)
        rows = ledger.changed_between(self._told_ns, t_ns)[-CHANGES_MAX:]
        self._told_ns = t_ns
        ended = sum(span.to_s is not None for span in ledger.faults)
        marks = None
        if (len(ledger.faults) + ended) != self._marks:
            self._marks = len(ledger.faults) + ended
            marks = [span.model_dump() for span in ledger.faults[-MARKS_MAX:]]
        await self._json({
            "type": "tick",
            "t_s": t_ns / 1e9,
            "to_s": run.edge_ns / 1e9,
            "speed": head.speed,
            "rate": head.rate,
            "playing": head.playing,
            "following": head.following,
            "live": run.live,
            "status": "damaged" if run.error else str(run.meta.get("status", "open")),
            "error": run.error,
            "kpi": kpi(ledger, t_ns, len(picture_busy), run.robots_at(t_ns)).model_dump(),
            "orders": [row.shown(t_ns).model_dump() for row in rows],
            "faults": [span.model_dump() for span in ledger.faults_at(t_ns)],
            "marks": marks,
        })  # fmt: skip

    async def _json(self, message: dict[str, Any]) -> None:
        await self.socket.send_text(json.dumps(message, separators=(",", ":")))


def busy(run: WatchedRun, t_ns: int) -> set[str]:
    """Robots that drive, turn or carry."""
    names = {run.robots[robot]["name"] for robot in run.poses.moving(t_ns)}
    for place in run.pictures.at(t_ns).place.values():
        if place.startswith("robot:"):
            names.add(place[6:])
    return names


def _number(message: dict[str, Any], key: str, default: float | None = None) -> float:
    value = message.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e12:
        raise BadCommand(f"{message.get('cmd')} needs a number {key!r}")
    return float(value)
