"""What strangers' bytes are given to: each target takes any bytes, and lets out no error of its own.

Used twice: by `make fuzz`, which looks for bytes that break one, and by the test that gives them those
that once did.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from orchestrator.api.equipment import Equipment
from orchestrator.api.host_desk import HostDesk
from orchestrator.api.host_outbox import HostOutbox
from orchestrator.api.naming import Naming
from orchestrator.api.requests import Requests
from orchestrator.core.messages import (
    Event,
    ExtendBase,
    ItemsReceived,
    NoticesReceived,
    RobotJoined,
)
from orchestrator.core.roadmap import Roadmap
from orchestrator.core.step import step
from orchestrator.core.world import new_world
from orchestrator.host.items import read_items
from orchestrator.host.notices import read_notices
from orchestrator.host.orders import read_orders
from orchestrator.host.records import HostFileError
from orchestrator.host.stock_list import compare, opening_of, read_stock
from orchestrator.layout import LoadedSite, load_site
from orchestrator.vda5050 import model as m
from orchestrator.vda5050.codec import VERSIONS, codec_of
from orchestrator.vda5050.control.control import Control
from orchestrator.vda5050.control.joining import Declared, Rule
from orchestrator.vda5050.errors import RemoteError
from orchestrator.vda5050.quirks import PROFILES

SITE = Path(__file__).parents[2] / "sites" / "jd_small"
TOPICS = ("state", "connection", "factsheet", "visualization", "order", "instantActions")
SECOND_NS = 1_000_000_000
START_NS = 10**18


@cache
def loaded() -> LoadedSite:
    return load_site(SITE)


@cache
def named() -> Naming:
    naming = Naming(loaded().site)
    naming.joined("amr-1")
    return naming


def codec(data: bytes) -> None:
    """The first three bytes choose topic, version and profile."""
    if len(data) < 3:
        return
    topic = TOPICS[data[0] % len(TOPICS)]
    protocol = tuple(VERSIONS)[data[1] % len(VERSIONS)]
    profile = sorted(PROFILES)[data[2] % len(PROFILES)]
    reader = codec_of(protocol, PROFILES[profile])
    try:
        found = reader.decode(topic, data[3:])
    except RemoteError as error:
        assert error.place and error.reason and len(str(error)) < 5000
        return
    if isinstance(found, tuple):
        reader.encode(found[1], found[0])
    elif not isinstance(found, m.Visualization):
        reader.encode(found)


class Master:
    """A master with one vehicle that drives; messages come in one after the other."""

    def __init__(self, protocol: str) -> None:
        site = loaded().site
        self.events: list[Event] = []
        self.reader = codec_of(protocol)
        self.now_ns, self.major = START_NS, protocol[0]
        self.control = Control(
            site,
            [Rule("acme", "amr-*", 0, protocol)],
            [Declared("tote_amr", 1.6, 0.8, 0.9, 0.66, ("pick", "drop"))],
            lambda *_: None,
            self.post,
            run="r",
        )
        start = next(bay.node for bay in site.roadmap.bays if bay.kind == "parking")
        self.say("state", self.state(site.roadmap, start, 1))
        self.now_ns += 6 * SECOND_NS
        self.say("state", self.state(site.roadmap, start, 2))
        edge = site.roadmap.out_edges[start][0]
        self.control.command(self.now_ns, ExtendBase(robot=0, edges=(edge,)))

    def state(self, roadmap: Roadmap, node: int, number: int) -> bytes:
        header = m.Header(
            header_id=number, time_ns=self.now_ns, version="", manufacturer="acme", serial="amr-1"
        )
        x, y = roadmap.node_x_mm[node] / 1000, roadmap.node_y_mm[node] / 1000
        state = m.State(
            header=header, last_node=roadmap.node_ids[node],
            power=m.PowerSupply(charge_percent=80, charging=False),
            position=m.Position(x=x, y=y, theta=0, map_id="map"),
        )  # fmt: skip
        return self.reader.encode(state)

    def post(self, event: Event) -> None:
        self.events.append(event)
        if isinstance(event, RobotJoined):
            self.control.answered(event, taken=True)

    def say(self, topic: str, payload: bytes) -> None:
        self.control.message(self.now_ns, f"uagv/v{self.major}/acme/amr-1/{topic}", payload)


def master(data: bytes) -> None:
    """The first byte chooses the version; messages are divided by zero bytes, and each begins with the
    letter of its topic."""
    if not data:
        return
    whole = Master(tuple(VERSIONS)[data[0] % len(VERSIONS)])
    for part in data[1:].split(b"\0")[:20]:
        if part:
            whole.now_ns += SECOND_NS
            whole.say(TOPICS[part[0] % 4], part[1:])
            whole.control.tick(whole.now_ns)


def _outside(topic: str, data: bytes) -> None:
    """Requests and equipment: what can't be read is told, and nothing is posted."""
    naming = named()
    said: list[Any] = []

    def tell(*words: Any) -> None:
        said.append(words)

    if topic == "equipment/events":
        read: Any = Equipment("s", naming, tell, tell, tell)
    else:
        read = Requests("s", naming, tell, tell, tell, lambda: (0, 0))
    assert read.message(f"lightsout/v1/s/{topic}", data)
    most = 3 if topic == "safety/events" else 1  # what can't be read there is an alarm, and a stop
    assert 1 <= len(said) <= most, "taken, or refused: one of both, once"


def orders(data: bytes) -> None:
    _outside("orders", data)


def commands(data: bytes) -> None:
    _outside("commands", data)


def safety(data: bytes) -> None:
    _outside("safety/events", data)


def equipment(data: bytes) -> None:
    _outside("equipment/events", data)


def host(data: bytes) -> None:
    """The first byte chooses the file."""
    text, site = data[1:].decode("utf-8", "replace"), loaded().site
    try:
        match data[:1]:
            case b"o":
                read_orders(text, "f", site)
            case b"n":
                read_notices(text, "f", site, "inbound")
            case b"i":
                read_items(text, "f")
            case _:
                found, _bad = read_stock(text, "f")
                assert compare(found, found) == []
                opening_of(found, site, "f")
    except HostFileError as error:
        assert " -> " in str(error)


def desk(data: bytes) -> None:
    """A host's messages over topics; the first byte chooses the topic. What is let through, the core
    takes."""
    world = new_world(loaded().site)
    said: list[Any] = []
    outbox = HostOutbox("s", "r", lambda *words: said.append(words), said.append)
    read = HostDesk("s", world, outbox, lambda *words: said.append(words), lambda: 0)
    topic = read.topics()[data[0] % 4 if data else 0]
    assert read.message(topic, data[1:])
    for event in [each for each in said if isinstance(each, ItemsReceived | NoticesReceived)]:
        step(world, 0, event)
    assert said or topic.endswith("acks"), "taken, or refused"


TARGETS: dict[str, Callable[[bytes], None]] = {
    "codec": codec, "master": master, "orders": orders, "commands": commands, "safety": safety,
    "equipment": equipment, "host": host, "desk": desk,
}  # fmt: skip


def seeds(name: str) -> list[bytes]:
    """Good messages to begin with, so that what is near to them is tried."""
    story = Master("2.1")
    state = story.state(loaded().site.roadmap, 0, 3)
    head = {"headerId": 4, "timestamp": "2026-01-01T00:00:00Z", "manufacturer": "acme"}
    head["serialNumber"] = "amr-1"
    node = {"nodeId": "n", "sequenceId": 0, "released": True, "actions": []}
    action = {"actionId": "a", "actionType": "pick", "blockingType": "HARD"}
    action["actionParameters"] = [{"key": "k", "value": 1}]
    place = {"x": 1, "y": 2, "theta": 0, "mapId": "map", "positionInitialized": True}
    kind = {"seriesName": "s", "agvKinematic": "DIFF"}
    loads = {"loadPositions": ["a"], "loadSets": [{"loadType": "t"}]}
    sheet = {"typeSpecification": kind, "physicalParameters": {"speedMax": 1}}
    bodies: list[dict[str, Any]] = [
        {"connectionState": "CONNECTIONBROKEN"},
        {**sheet, "loadSpecification": loads},
        {"agvPosition": place},
        {"orderId": "o", "orderUpdateId": 0, "nodes": [node], "edges": []},
        {"actions": [action]},
    ]
    every = (state, *(json.dumps(head | body).encode() for body in bodies))
    new = Master("3.0").state(loaded().site.roadmap, 0, 3)
    edge, station = (
        loaded().site.roadmap.edge_ids[0].encode(),
        loaded().site.stations[0].id.encode(),
    )
    known: dict[str, list[bytes]] = {
        "codec": [
            *(bytes([topic, version, profile]) + each for topic, each in enumerate(every)
              for version in (0, 1) for profile in (0, 2)),
            bytes([0, 2, 0]) + new,
        ],
        "master": [
            b"\1" + b"\0".join(bytes([topic + 4 * 16]) + each for topic, each in enumerate(every[:4])),
            b"\2\x40" + new,
        ],
        "orders": [
            b'{"type":"OrderReceived","request":"r","order_id":"o","kind":"outbound","due_in_s":60,"lines":[{"sku":"SKU-01","quantity":1}]}',
            b'{"type":"OrderChanged","request":"r","order_id":"o","priority":3}',
        ],
        "commands": [
            b'{"type":"RobotsPaused","request":"r","robot":"amr-1"}',
            b'{"type":"LaneClosed","request":"r","edge":"' + edge + b'"}',
        ],
        "safety": [b'{"type":"EmergencyStopped","zone":"z","nodes":[]}', b'{"type":"ZoneCleared"}'],
        "equipment": [
            b'{"type":"WorkEnded","work":1,"outcome":"ok","quantity":2}',
            b'{"type":"StationFaulted","station":"' + station + b'","capability":"pick"}',
        ],
        "host": [
            b"oorder_id,sku,quantity,time_s\na,SKU-01,1,0\n", b'o[{"order_id":"a","sku":"SKU-01"}]',
            b"nnotice_id,sku,quantity,time_s\na,SKU-01,1,0\n", b"isku,name\nSKU-01,x\n",
            b"stote,sku,quantity,slot\nt,SKU-01,1,slot-1\n",
        ],
        "desk": [
            b'\0{"request":"r","items":[{"sku":"A","weight_g":2}]}',
            b'\1{"request":"r","notices":[{"notice_id":"n","in_s":6,"lines":[{"sku":"SKU-01","quantity":1}]}]}',
            b'\2{"request":"r","totes":[{"tote":"t","sku":"SKU-01","quantity":1,"slot":"s"}]}',
            b'\3{"run":"q","number":1}',
        ],
    }  # fmt: skip
    return known[name]


def kept(name: str) -> list[Path]:
    """Bytes that once broke a target."""
    return sorted((Path(__file__).parent / "kept" / name).glob("*.bin"))


if __name__ == "__main__":
    sys.exit("to fuzz: python test/fuzz/fuzz.py --help")
