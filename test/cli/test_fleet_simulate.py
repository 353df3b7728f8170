"""`lightsout fleet simulate`: vehicles on a real broker, and what is refused before any connects."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orchestrator.cli import main
from orchestrator.commands.virtual_fleet import VirtualFleet
from orchestrator.journal import RunReader, RunWriter
from orchestrator.mqtt.broker import EmbeddedBroker
from orchestrator.mqtt.client import MqttLink
from orchestrator.vda5050.codec import codec_of
from orchestrator.vda5050.model import Connection, Edge, Header, Node, Order, State
from sim.recipe import of_site
from sim.vehicle.mischief import Reconnects, WireFaults
from sim.vehicle.yard import Yard

JD_SMALL = Path(__file__).parents[2] / "sites" / "jd_small"
CODEC = codec_of("2.1")


class Master:
    """What a listener on the broker knows of each vehicle."""

    def __init__(self, link: MqttLink) -> None:
        self.link = link
        self.states: dict[str, State] = {}
        self.connections: dict[str, list[str]] = {}
        self.sheets: set[str] = set()
        link.subscribe("uagv/v2/+/+/+", 1)

    async def listen(self) -> None:
        async for topic, payload, _ in self.link.messages():
            _, _, _, serial, name = topic.split("/")
            if name == "factsheet":
                self.sheets.add(serial)
            elif name in ("state", "connection"):
                message = CODEC.decode(name, payload)
                if isinstance(message, State):
                    self.states[serial] = message
                elif isinstance(message, Connection):
                    self.connections.setdefault(serial, []).append(message.connection)

    async def until(self, true: Callable[[], bool], what: str) -> None:
        for _ in range(1000):
            if true():
                return
            await asyncio.sleep(0.01)
        raise AssertionError(f"never: {what}: {self.states.keys()}, {self.connections}")


def order_of(yard: Yard, robot: int) -> Order:
    """Along two edges from where it stands."""
    agent = yard.agents[robot]
    roadmap, node = agent.ways.roadmap, agent.robot.node
    nodes = [Node(id=roadmap.node_ids[node], sequence=0, released=True)]
    edges: list[Edge] = []
    for number in range(2):
        edge = roadmap.out_edges[node][0]
        start, node = node, roadmap.edge_head[edge]
        ends = {"start": roadmap.node_ids[start], "end": roadmap.node_ids[node]}
        edges.append(
            Edge(id=roadmap.edge_ids[edge], sequence=2 * number + 1, released=True, **ends)
        )
        nodes.append(Node(id=ends["end"], sequence=2 * number + 2, released=True))
    return Order(id="o1", update=0, nodes=tuple(nodes), edges=tuple(edges))


async def played(path: Path) -> tuple[Master, Order]:
    """Four vehicles, one order, and everybody's connection lost once."""
    recipe = of_site(JD_SMALL, hours=1.0, fleets={"tote_amr": 4, "sorter": 0})
    scenario, _ = recipe.scenario()
    writer = RunWriter(path, recipe.meta())
    async with EmbeddedBroker() as broker, MqttLink(broker.url) as link:
        master = Master(link)
        listener = asyncio.create_task(master.listen())
        await link.wait_up(5)
        faults = WireFaults(format=1, reconnects=Reconnects(share=1.0, after_s=90))

        def make(**options: Any) -> MqttLink:
            return MqttLink(broker.url, **options)

        virtual = VirtualFleet(make, faults, seed=1, speed=30.0)
        yard = Yard(scenario, virtual.publish, virtual.utc_ns, record=writer)
        order = order_of(yard, 2)
        fleet = asyncio.create_task(virtual.play(yard, writer, None))
        await master.until(lambda: len(master.states) == 4, "all are there")
        assert len(master.sheets) == 4
        header = Header(
            header_id=0, time_ns=virtual.utc_ns(), version="2.1.0", manufacturer="lightsout",
            serial="tote_amr-03",
        )  # fmt: skip
        topic = "uagv/v2/lightsout/tote_amr-03/order"
        link.publish(topic, CODEC.encode(order, header))
        last = order.nodes[-1].id
        await master.until(lambda: master.states["tote_amr-03"].last_node == last, "it arrives")
        await master.until(
            lambda: all(row.count("ONLINE") == 2 for row in master.connections.values()),
            "all are back",
        )
        fleet.cancel()
        await asyncio.gather(fleet, return_exceptions=True)
        await master.until(
            lambda: all(row[-1] == "OFFLINE" for row in master.connections.values()), "sign off"
        )
        listener.cancel()
    writer.close("closed")
    return master, order


def test_vehicles_drive_over_a_broker_and_come_back_when_they_lose_it(tmp_path: Path) -> None:
    """Given vehicles on a broker, when one gets an order and all lose their connections, then the order
    is driven, all come back by themselves, sign off at the end, and what they drove is recorded."""
    path = tmp_path / "floor.run"
    master, order = asyncio.run(played(path))
    state = master.states["tote_amr-03"]
    assert state.order_id == "o1" and not state.nodes and state.errors == ()
    with RunReader(path) as reader:
        assert set(reader.motion()["robot"]) == {2}
        assert len(list(reader.truth("robot"))) == 4
    assert order.nodes[0].id != order.nodes[-1].id


@pytest.mark.parametrize(
    ("more", "what"),
    [
        ([], "--mqtt"),
        (["--mqtt", "mqtt://h", "--processes", "2"], "--no-equipment"),
        (["--mqtt", "mqtt://h", "--processes", "0"], "1 to 64"),
        (["--mqtt", "mqtt://h", "--robots", "5000"], "room for"),
        (["--mqtt", "http://h"], "neither mqtt nor mqtts"),
        (["--mqtt", "mqtt://h", "--faults", "FILE"], "does"),
        (
            ["--mqtt", "mqtt://h", "--processes", "2", "--no-equipment", "--record", "x.run"],
            "one process",
        ),
    ],
)
def test_what_can_not_be_played_is_said_at_once(
    more: list[str], what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "wire.yaml"
    file.write_text("format: 1\nvehicles: [{serial: x, does: dance}]\n")
    given = [str(file) if each == "FILE" else each for each in more]
    assert main(["fleet", "simulate", str(JD_SMALL), *given]) == 2
    assert what in capsys.readouterr().err


def test_a_broker_that_is_not_there_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["fleet", "simulate", str(JD_SMALL), "--mqtt", "mqtt://127.0.0.1:1"]
    assert main([*words, "--hours", "0.0006"]) == 0
    said = capsys.readouterr().err
    assert said.count("broker: ") == 1 and "127.0.0.1:1" in said
