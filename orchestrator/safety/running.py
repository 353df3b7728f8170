"""The bridge as a program: one task for each controller, one link to the broker."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, NoReturn, Protocol

from orchestrator.mqtt.client import MqttLink
from orchestrator.mqtt.trouble import Trouble
from orchestrator.safety.bridge import Bridge, Value
from orchestrator.safety.mapping import MappingError, SafetyFile, SourceFile

TICK_S = 0.1
AGAIN_S = 1.0  # a controller that was lost is tried again after so long


class Reader(Protocol):
    """A connection to a controller."""

    errors: tuple[type[Exception], ...]

    async def __aenter__(self) -> Reader:
        """Connect."""

    async def __aexit__(self, *_: Any) -> None:
        """Let go."""

    async def read(self) -> dict[str, Value]:
        """All values."""


def reader_of(source: SourceFile, places: tuple[str, ...]) -> Reader:
    """By its protocol. Raises `MappingError` where the extra is not installed."""
    extra = "opcua" if source.opcua else "modbus"
    try:
        if source.opcua:
            from orchestrator.safety.opcua import OpcUa  # noqa: PLC0415

            return OpcUa(source.opcua, places, source.timeout_s)
        from orchestrator.safety.modbus import Modbus  # noqa: PLC0415

        return Modbus(source.modbus, source.device, places, source.timeout_s)
    except ImportError as error:
        text = f"{extra} needs {error.name}, which is not installed"
        raise MappingError(f"{text} -> pip install 'lightsout[{extra}]'") from error


async def run(mapping: SafetyFile, link: MqttLink, say: Callable[[str], None]) -> NoReturn:
    """Until cancelled. `link` must have `bridge.will` as its last will at the status topic."""
    bridge = Bridge(mapping, link.publish, say)
    link.on_up = lambda: bridge.up(time.monotonic_ns())

    def down(trouble: Trouble) -> None:
        say(f"broker: {trouble}")
        bridge.down(time.monotonic_ns(), str(trouble))

    link.on_down, link.on_trouble = down, down
    link.subscribe(bridge.link_topic, 1)
    for name, source in mapping.sources.items():
        reader_of(source, mapping.places(name))  # what is missing is said before anything runs
    if link.connected:  # already
        bridge.up(time.monotonic_ns())
    async with asyncio.TaskGroup() as tasks:
        for name in mapping.sources:
            tasks.create_task(_follow(bridge, mapping, name))
        tasks.create_task(_listen(bridge, link))
        while True:
            bridge.tick(time.monotonic_ns())
            await asyncio.sleep(TICK_S)


async def _listen(bridge: Bridge, link: MqttLink) -> None:
    async for topic, payload, _ in link.messages():
        bridge.message(time.monotonic_ns(), topic, payload)


async def _follow(bridge: Bridge, mapping: SafetyFile, name: str) -> None:
    """One controller, for ever: a read that takes too long or fails loses it."""
    source, places = mapping.sources[name], mapping.places(name)
    while True:
        reader = reader_of(source, places)
        try:
            async with asyncio.timeout(source.timeout_s + 1):
                await reader.__aenter__()
            while True:
                async with asyncio.timeout(source.timeout_s):
                    values = await reader.read()
                bridge.read(time.monotonic_ns(), name, values)
                await asyncio.sleep(source.poll_s)
        except reader.errors as error:
            bridge.lost(time.monotonic_ns(), name, str(error) or type(error).__name__)
        finally:
            await _let_go(reader)
        await asyncio.sleep(AGAIN_S)


async def _let_go(reader: Reader) -> None:
    try:
        async with asyncio.timeout(1):
            await reader.__aexit__(None, None, None)
    except reader.errors:
        return
