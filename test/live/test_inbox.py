"""Events wait in their sequence and none is lost; what the safety controllers say overtakes them."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from scenes import ring

from orchestrator import live as driver
from orchestrator.core.messages import (
    Command,
    EmergencyReset,
    EmergencyStopped,
    Event,
    NoteTaken,
    RobotJoined,
    RunStarted,
    Ticked,
    ZoneCleared,
)
from orchestrator.core.request_messages import PauseRobot
from orchestrator.inbox import Inbox
from orchestrator.journal import RunReader, RunWriter
from orchestrator.live import Live


def notes(count: int) -> list[Event]:
    return [NoteTaken(subject="s", text=str(number)) for number in range(count)]


class Outside:
    """Remembers how long the journal was when robots were told to stand."""

    def __init__(self) -> None:
        self.live: Live | None = None
        self.paused_after: list[int] = []

    def send(self, command: Command, post: Callable[[Event], None]) -> None:
        assert self.live is not None
        if isinstance(command, PauseRobot):
            self.paused_after.append(self.live.core.seq)


def run(path: Path, *bursts: list[Event]) -> tuple[list[Event], Outside]:
    """The journal, when each of these lists was posted at once."""

    async def main() -> Outside:
        writer, outside = RunWriter(path, {"kind": "live"}), Outside()
        live = outside.live = Live(ring(), writer, outside)
        task: asyncio.Task[None] | None = None
        for events in bursts:
            for event in events:
                live.post_soon(event)
            task = task or asyncio.create_task(live.run())
            while len(live.inbox) or not live.core.seq:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        assert task is not None
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        writer.close("closed")
        return outside

    outside = asyncio.run(main())
    with RunReader(path) as reader:
        return [entry.event for entry in reader.entries()], outside


def said(events: list[Event]) -> list[Event]:
    """Without the driver's own."""
    return [event for event in events if not isinstance(event, RunStarted | Ticked)]


def test_none_is_lost_where_there_are_more_than_go_into_a_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driver, "BATCH_MAX", 3)
    monkeypatch.setattr(driver, "INBOX_MAX", 5)
    events = notes(20)
    assert said(run(tmp_path / "live.run", events)[0]) == events


def test_a_stop_overtakes_what_waits_and_is_obeyed_before_anything_else(tmp_path: Path) -> None:
    node = next(bay.node for bay in ring().site.roadmap.bays if bay.kind == "parking")
    joined = RobotJoined(
        robot=0, name="amr-0", fleet=0, node=node, heading_deg=0, battery_permille=1000
    )
    ends: list[Event] = [EmergencyReset(), ZoneCleared()]
    found, outside = run(
        tmp_path / "live.run", [joined], [*notes(50), *ends, EmergencyStopped(), *notes(9)]
    )
    # what the controllers said is in their sequence, before everybody else's words
    assert said(found) == [joined, *ends, EmergencyStopped(), *notes(50), *notes(9)]
    # and the robot was told to stand before the next event was handled
    assert outside.paused_after == [found.index(EmergencyStopped()) + 1]


def test_who_can_wait_waits_while_it_is_full() -> None:
    async def main() -> list[Event]:
        inbox = Inbox(3)
        for note in notes(3):
            inbox.put(note)
        waits = asyncio.create_task(inbox.room())
        await asyncio.sleep(0)
        assert not waits.done()
        inbox.put(EmergencyStopped())
        found = [inbox.next(), inbox.next()]
        await waits
        return [event for event in found if event is not None]

    assert asyncio.run(main()) == [EmergencyStopped(), notes(1)[0]]
