"""The live driver: real time, real threads, and the same replay as everything else."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from scenes import ring

from orchestrator.core.messages import (
    ActionEnded,
    CloseOrder,
    Command,
    CommandRefused,
    Event,
    ExtendBase,
    ImageRead,
    Line,
    NodeReached,
    OrderReceived,
    RequestInference,
    RobotJoined,
    StartAction,
    StartWork,
    ToteStored,
    WorkEnded,
)
from orchestrator.gate import Gate
from orchestrator.journal import RunReader, RunWriter
from orchestrator.layout import LoadedSite
from orchestrator.live import Live
from sim.replay import replay

Post = Callable[[Event], None]


class Outside:
    """Robots and machines that do everything in a few milliseconds."""

    def __init__(self) -> None:
        self.closed: dict[str, str] = {}
        self.refused = 0
        self.until_s: dict[int, float] = {}  # robots report node by node, in sequence

    def send(self, command: Command, post: Post) -> None:
        later = asyncio.get_running_loop().call_later
        match command:
            case ExtendBase():
                now_s, robot = asyncio.get_running_loop().time(), command.robot
                for edge in command.edges:
                    self.until_s[robot] = max(now_s, self.until_s.get(robot, 0.0)) + 0.004
                    wait_s = self.until_s[robot] - now_s
                    later(wait_s, post, NodeReached(robot=robot, edge=edge))
            case StartAction(kind=kind) if kind != "stop_charging":
                later(0.01, post, ActionEnded(robot=command.robot, action=command.action))
            case StartWork():
                later(0.01, post, WorkEnded(work=command.work, quantity=command.quantity))
            case RequestInference():
                read = ImageRead(request=command.request, outcome="ok", value=command.expected)
                later(0.01, post, read)
            case CloseOrder():
                self.closed[command.order_id] = command.status


def opening(loaded: LoadedSite) -> list[Event]:
    bays = loaded.site.roadmap.bays
    parks = [bay for bay in bays if bay.kind == "parking"][:3]
    slots = [index for index, bay in enumerate(bays) if bay.kind == "slot"]
    events: list[Event] = [
        RobotJoined(robot=i, name=f"amr-{i}", fleet=0, node=bay.node, heading_deg=0,
                    battery_permille=1000)
        for i, bay in enumerate(parks)
    ]  # fmt: skip
    events += [
        ToteStored(tote=f"t{i}", sku=f"SKU-0{i + 1}", quantity=10, bay=slots[i]) for i in range(2)
    ]
    events += [
        OrderReceived(order_id=f"o{i}", kind="outbound", lines=(Line(f"SKU-0{i % 2 + 1}", 1),),
                      due_ns=10**12)
        for i in range(4)
    ]  # fmt: skip
    return events


async def live_run(path: Path) -> Outside:
    loaded = ring(policy={"tick_ms": 100, "replan_gap_ms": 50, "invariants_every": 1})
    writer = RunWriter(path, {"kind": "live"})
    outside = Outside()
    live = Live(loaded, writer, outside)
    task = asyncio.create_task(live.run())
    await asyncio.sleep(0)
    for event in opening(loaded):
        await live.post(event)
    for _ in range(1500):
        await asyncio.sleep(0.02)
        if len(outside.closed) == 4 or task.done():
            break
    task.cancel()
    (ended,) = await asyncio.gather(task, return_exceptions=True)
    assert isinstance(ended, asyncio.CancelledError), ended
    writer.close("closed")
    return outside


def test_orders_are_done_live_and_the_run_replays_command_by_command(tmp_path: Path) -> None:
    path = tmp_path / "live.run"
    outside = asyncio.run(live_run(path))
    assert outside.closed == {f"o{i}": "done" for i in range(4)}
    loaded = ring(policy={"tick_ms": 100, "replan_gap_ms": 50, "invariants_every": 1})
    with RunReader(path) as reader:
        outcome = replay(reader, loaded)
    assert outcome.difference == ""
    assert outcome.events > 50


def test_what_the_gate_refused_before_the_server_was_killed_is_refused_when_it_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a server that is gone when the gate has refused something, before that was in the journal
    monkeypatch.setattr(Gate, "check", lambda _gate, command: f"not so, robot {command.robot}")
    loaded = ring(policy={"tick_ms": 100, "replan_gap_ms": 50, "invariants_every": 1})

    async def first() -> None:
        writer = RunWriter(tmp_path / "live.run", {"kind": "live"})
        live = Live(loaded, writer, Outside())
        task = asyncio.create_task(live.run())
        for event in opening(loaded):
            await live.post(event)
        while not live.core.world.refusals and not task.done():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        writer.close("closed")

    asyncio.run(first())
    with RunReader(tmp_path / "live.run") as reader:
        entries = list(reader.entries())
    kinds = [isinstance(entry.event, CommandRefused) for entry in entries]
    before = entries[: kinds.index(True)]
    # when another one goes on
    writer = RunWriter(tmp_path / "next.run", {"kind": "live"})
    live = Live(loaded, writer, Outside())
    live.restore(before)
    writer.close("closed")
    # then nobody holds what nobody was sent
    assert live.core.world.refusals >= 1
    traffic = live.core.world.traffic
    assert not any(traffic.released[robot.index] for robot in live.core.world.robots)
    with RunReader(tmp_path / "next.run") as reader:
        assert any(isinstance(entry.event, CommandRefused) for entry in reader.entries())
