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
    LaneClosed,
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
from orchestrator.gate.poses import Poses
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


class Nowhere:
    """A record that nobody reads."""

    def append(self, entry: bytes, time_ns: int, seq: int) -> None: ...

    def command(self, encoded: bytes) -> None: ...

    def commit(self) -> None: ...


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


def test_what_a_killed_server_had_released_is_checked_again_before_it_is_sent_again(
    tmp_path: Path,
) -> None:
    # given a journal that ends while somebody holds a way, and a lane of it is closed
    asyncio.run(live_run(tmp_path / "live.run"))
    loaded = ring(policy={"tick_ms": 100, "replan_gap_ms": 50, "invariants_every": 1})
    with RunReader(tmp_path / "live.run") as reader:
        entries = list(reader.entries())
    body = ((0.3, 0.2), (-0.3, 0.2), (-0.3, -0.2), (0.3, -0.2))
    held: list[list[int]] = []  # by entry: who holds two edges at least
    live = Live(loaded, Nowhere(), Outside())

    def folded(_event: Event, _commands: list[Command]) -> None:
        bases = enumerate(live.core.world.traffic.released)
        held.append([robot for robot, base in bases if len(base) > 1])

    live.restore(entries, folded)
    count = max(number for number, robots in enumerate(held) if robots) + 1
    robot = held[count - 1][0]
    poses = Poses(loaded.site.roadmap, [body, body], 0.05)
    live = Live(loaded, Nowhere(), Outside(), poses=poses)
    live.restore(entries[:count])
    released = live.core.world.traffic.released
    first, second = [move.edge for move in released[robot]][:2]
    assert live.may_drive(robot, (first, second)) == ""
    # when it would be sent that again, then it is told why not
    assert "not let through" in live.may_drive(1 - robot, (first,))
    roadmap = loaded.site.roadmap
    head = roadmap.edge_head[second]
    poses.other(
        "a stranger", -1, roadmap.node_x_mm[head] / 1000, roadmap.node_y_mm[head] / 1000, 0.0
    )
    assert "a stranger" in live.may_drive(robot, (first, second))
    poses.gone("a stranger")
    live.core.handle(entries[count - 1].time_ns, LaneClosed(edge=second))
    assert "is closed" in live.may_drive(robot, (first, second))
    # and what is given back is let through no more, nor what would lie behind it
    live.given_back(CommandRefused(robot=robot, reason="closed", edges=(second,)))
    assert "not let through" in live.may_drive(robot, (second,))
