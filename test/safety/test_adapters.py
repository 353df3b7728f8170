"""The bridge against real servers of both protocols, over a real broker, to what the building hears."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from mosquitto_process import Mosquitto, free_port, until

from orchestrator.mqtt import MqttLink, Will
from orchestrator.safety import bridge, running
from orchestrator.safety.mapping import MappingError, SafetyFile, read_mapping

needs_opcua = pytest.mark.skipif(
    importlib.util.find_spec("asyncua") is None, reason="no asyncua: pip install lightsout[opcua]"
)
needs_modbus = pytest.mark.skipif(
    importlib.util.find_spec("pymodbus") is None,
    reason="no pymodbus: pip install lightsout[modbus]",
)
STATUS = "lightsout/v1/s/safety/status"
PATIENCE_S = 40  # for a machine that has much else to do
FILE = """\
format: 1
site: s
sources:
  plc: {source}
zones:
  - zone: cell
    nodes: [n1]
    stop: [{{name: e-stop, source: plc, at: "{stop}", stops_when: false}}]
    reset: {{name: reset, source: plc, at: "{reset}"}}
    clear: {{name: clear, source: plc, at: "{clear}"}}
"""


class Heard:
    """What a building hears."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.state = ""

    def message(self, topic: str, payload: bytes) -> None:
        said = json.loads(payload)
        if topic == STATUS:
            self.state = said["state"]
        else:
            self.events.append(said["type"])


def mapping(folder: Path, **places: Any) -> SafetyFile:
    path = folder / "safety.yaml"
    path.write_text(FILE.format(**places))
    return read_mapping(path)


@asynccontextmanager
async def bridged(url: str, file: SafetyFile, heard: Heard) -> AsyncIterator[asyncio.Task[None]]:
    """A bridge on a broker, and who hears it."""
    async with MqttLink(url) as ear, MqttLink(url, will=Will(STATUS, bridge.will())) as link:
        ear.subscribe("lightsout/v1/s/safety/+", 1)
        await ear.wait_up(PATIENCE_S)

        async def listen() -> None:
            async for topic, payload, _ in ear.messages():
                heard.message(topic, payload)

        tasks = [
            asyncio.create_task(listen()),
            asyncio.create_task(running.run(file, link, lambda _: None)),
        ]
        try:
            yield tasks[1]
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def cycle(heard: Heard, write: Any) -> None:
    """Reset, run, stop, reset, run: by the values that a controller holds."""
    await until(lambda: heard.events[-1:] == ["ZoneCleared"], PATIENCE_S)
    await write("reset", True)
    await until(lambda: heard.events[-1:] == ["EmergencyReset"], PATIENCE_S)
    await write("reset", False)
    await write("stop", False)
    await until(lambda: heard.events[-1:] == ["EmergencyStopped"], PATIENCE_S)
    await write("stop", True)
    await until(lambda: heard.events[-1:] == ["ZoneCleared"], PATIENCE_S)
    await write("reset", True)
    await until(lambda: heard.events[-1:] == ["EmergencyReset"], PATIENCE_S)


@needs_opcua
def test_a_controller_by_opc_ua(tmp_path: Path, mosquitto: Mosquitto) -> None:
    from asyncua import Server, ua  # noqa: PLC0415

    url = f"opc.tcp://127.0.0.1:{free_port()}"

    async def story() -> Heard:
        heard = Heard()
        values = {"stop": True, "reset": False, "clear": True}
        server, nodes = Server(), dict[str, Any]()
        await server.init()
        server.set_endpoint(url)
        server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
        index = await server.register_namespace("test")
        for name, value in values.items():
            node = ua.NodeId(name, index)
            nodes[name] = await server.nodes.objects.add_variable(node, name, value)
        await server.start()
        places = {name: f"ns=2;s={name}" for name in values}
        file = mapping(tmp_path, source=f'{{opcua: "{url}", poll_s: 0.05, timeout_s: 5}}', **places)

        async def write(name: str, value: bool) -> None:
            await nodes[name].write_value(value)

        async with bridged(mosquitto.url, file, heard):
            await cycle(heard, write)
            # a value that the server itself does not believe
            await write("reset", False)
            bad = ua.DataValue(ua.Variant(True), ua.StatusCode(ua.StatusCodes.BadSensorFailure))
            before = len(heard.events)
            await nodes["stop"].write_value(bad)
            await until(lambda: heard.events[before:] == ["EmergencyStopped"], PATIENCE_S)
            await write("stop", True)
            await until(lambda: heard.events[-1] == "ZoneCleared", PATIENCE_S)
            await write("reset", True)
            await until(lambda: heard.events[-1] == "EmergencyReset", PATIENCE_S)
            # the controller goes away
            before = len(heard.events)
            await server.stop()
            await until(lambda: heard.events[before:] == ["EmergencyStopped"], PATIENCE_S)
        return heard

    heard = asyncio.run(story())
    assert heard.state == "online"


@needs_modbus
def test_a_controller_by_modbus(tmp_path: Path, mosquitto: Mosquitto) -> None:
    from pymodbus.client import AsyncModbusTcpClient  # noqa: PLC0415
    from pymodbus.datastore import (  # noqa: PLC0415
        ModbusDeviceContext,
        ModbusSequentialDataBlock,
        ModbusServerContext,
    )
    from pymodbus.server import ModbusTcpServer  # noqa: PLC0415

    port = free_port()
    bits = ModbusSequentialDataBlock(1, [False] * 20)
    words = ModbusSequentialDataBlock(1, [0] * 20)
    context = ModbusServerContext(ModbusDeviceContext(co=bits, hr=words), single=True)
    at = {"stop": 3, "reset": 4}

    async def story() -> Heard:
        heard = Heard()
        server = ModbusTcpServer(context, address=("127.0.0.1", port))
        await server.serve_forever(background=True)
        hand = AsyncModbusTcpClient("127.0.0.1", port=port)
        await hand.connect()

        async def write(name: str, value: bool) -> None:
            await hand.write_coil(at[name], value)

        await hand.write_register(7, 1 << 5)
        await write("stop", True)
        source = f'{{modbus: "127.0.0.1:{port}", poll_s: 0.05, timeout_s: 5}}'
        places = {"stop": "coil:3", "reset": "coil:4", "clear": "holding:7.5"}
        async with bridged(mosquitto.url, mapping(tmp_path, source=source, **places), heard):
            await cycle(heard, write)
            before = len(heard.events)
            hand.close()
            await server.shutdown()
            await until(lambda: heard.events[before:] == ["EmergencyStopped"], PATIENCE_S)
            # it comes back, with the reset held down: that is none
            server = ModbusTcpServer(context, address=("127.0.0.1", port))
            await server.serve_forever(background=True)
            hand = AsyncModbusTcpClient("127.0.0.1", port=port)
            await hand.connect()
            await write("reset", True)
            await hand.write_register(7, 1 << 5)
            await write("stop", True)
            await until(lambda: heard.events[-1] == "ZoneCleared", PATIENCE_S)
            await write("reset", False)
            assert "EmergencyReset" not in heard.events[before:]
            hand.close()
            await server.shutdown()
        return heard

    assert asyncio.run(story()).state == "online"


@needs_modbus
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_bridge_that_is_gone_is_offline(
    tmp_path: Path, mosquitto: Mosquitto, number: signal.Signals
) -> None:
    source = f'{{modbus: "127.0.0.1:{free_port()}", poll_s: 0.05, timeout_s: 0.2}}'
    mapping(tmp_path, source=source, stop="coil:0", reset="coil:1", clear="coil:2")

    async def story() -> None:
        heard = Heard()
        program = [sys.executable, "-m", "orchestrator.cli", "safety", "bridge"]
        process = await asyncio.create_subprocess_exec(
            *program, "--config", str(tmp_path / "safety.yaml"), "--mqtt", mosquitto.url
        )

        async def until_it_is(state: str) -> None:
            async with asyncio.timeout(PATIENCE_S):
                async for topic, payload, _ in ear.messages():
                    heard.message(topic, payload)
                    if heard.state == state:
                        return

        async with MqttLink(mosquitto.url) as ear:
            ear.subscribe(STATUS, 1)
            await until_it_is("online")
            process.send_signal(number)
            await until_it_is("offline")
        await process.wait()

    asyncio.run(story())


def test_what_is_not_installed_is_said_before_anything_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "orchestrator.safety.opcua", None)
    file = mapping(
        tmp_path, source='{opcua: "opc.tcp://plc:4840"}', stop="ns=2;s=a", reset="ns=2;s=b",
        clear="ns=2;s=c",
    )  # fmt: skip
    with pytest.raises(MappingError, match=r"lightsout\[opcua\]"):
        running.reader_of(file.sources["plc"], ())
