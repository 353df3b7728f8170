"""Vehicles that others wrote, driven over a real broker; a third party checks every message."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from coaty_hall import EXEMPT, MAKER, Hall, missing, open_hall
from listener import SCHEMAS
from mosquitto_process import Mosquitto, until
from scenes import ring

from orchestrator.core.messages import Line, OrderReceived
from orchestrator.journal import RunReader
from orchestrator.layout import LoadedSite
from orchestrator.vda5050.control import recovering
from orchestrator.vda5050.control.vehicle import Vehicle
from sim.replay import replay

SPEED = 30.0
VEHICLES = [
    {"manufacturer": MAKER, "serial": "agv-*", "fleet": "amr", "protocol": "2.0", "quirks": "coaty"}
]
pytestmark = [
    pytest.mark.skipif(bool(missing()), reason=missing()),
    pytest.mark.skipif(not SCHEMAS.is_dir(), reason=f"no VDA 5050 schemas at {SCHEMAS}"),
]


def site() -> LoadedSite:
    return ring(size=6, vehicles=VEHICLES)


def parks(loaded: LoadedSite, count: int) -> dict[str, int]:
    """Vehicles on parking places."""
    nodes = [bay.node for bay in loaded.site.roadmap.bays if bay.kind == "parking"]
    return {f"agv-{number}": node for number, node in enumerate(nodes[:count])}


def orders(count: int) -> list[OrderReceived]:
    return [
        OrderReceived(
            order_id=f"o{i}", kind="outbound", lines=(Line(f"SKU-0{i % 2 + 1}", 1),), due_ns=10**13
        )
        for i in range(count)
    ]


def driving(hall: Hall) -> list[Vehicle]:
    """Those on the way."""
    vehicles = hall.serving.control.by_robot.values()
    return [v for v in vehicles if v.state is not None and v.state.driving and v.ahead()]


async def pause(hall: Hall) -> None:
    """One stands still, and goes on."""
    await until(lambda: bool(driving(hall)))
    vehicle, control = driving(hall)[0], hall.serving.control
    control.pause(hall.serving.now_ns, vehicle.robot)
    await until(lambda: vehicle.state.paused and not vehicle.state.driving)
    at = vehicle.at
    await asyncio.sleep(10 / SPEED)
    assert vehicle.at == at
    control.pause(hall.serving.now_ns, vehicle.robot, on=False)
    await until(lambda: not vehicle.state.paused)


async def cancel(hall: Hall) -> None:
    """One's order is cancelled on the way; it goes on with a new one from where it is."""
    await until(lambda: bool(driving(hall)))
    vehicle, desk = driving(hall)[0], hall.serving.control.desk
    before = vehicle.errand.id
    desk.now_ns = hall.serving.now_ns
    recovering.clear(desk, vehicle)
    await until(lambda: vehicle.errand is not None and vehicle.errand.id != before)


async def cut(hall: Hall) -> None:
    """One loses its connection, and comes back by itself."""
    vehicle = hall.serving.control.by_robot[0]
    hall.fleet.say(f"cut {vehicle.serial}")
    await until(lambda: vehicle.connection == "CONNECTION_BROKEN")
    states = vehicle.counts.states
    await until(lambda: vehicle.counts.states > states)


async def story(mosquitto: Mosquitto, run: Path) -> Hall:
    loaded = site()
    async with open_hall(loaded, mosquitto.url, run, parks(loaded, 3), speed=SPEED) as hall:
        await until(lambda: len(hall.serving.live.core.world.robots) == 3, 20)
        for order in orders(3):
            hall.serving.live.post_soon(order)
        for happens in (pause, cancel, cut):
            await happens(hall)
        await until(lambda: sum(hall.closed.values()) == 3, 60)
        assert hall.fleet.runs
    return hall


def test_vehicles_of_another_maker(mosquitto: Mosquitto, tmp_path: Path) -> None:
    """Given three of Coaty's vehicles on a ring, when customers order, and one vehicle is paused, one
    has its order cancelled and one loses its connection, then every order is done, and the third party
    finds nothing in either side's messages."""
    run = tmp_path / "live.run"
    hall = asyncio.run(story(mosquitto, run))
    assert hall.listener.problems == [], hall.said
    assert hall.closed == {"done": 3}
    assert hall.bad == [], hall.said
    heard = hall.listener.counts
    assert heard["updates"] > 10 and heard["horizons"] > 10
    assert heard["CONNECTIONBROKEN"] >= 1
    assert heard["startPause"] == heard["stopPause"] == 1 and heard["cancelOrder"] >= 1
    assert set(hall.listener.exempted) <= {*EXEMPT, "instantActions/key"}
    with RunReader(run) as reader:
        assert replay(reader, site()).difference == ""
