"""A controller by Modbus TCP: its bits and words are read in blocks, a few times a second."""

from __future__ import annotations

import logging
from itertools import pairwise
from types import TracebackType

from pymodbus import ModbusException
from pymodbus.client import AsyncModbusTcpClient

from orchestrator.safety.bridge import Value
from orchestrator.safety.mapping import modbus_place

BLOCK = 32  # places that are so near to each other are read together


class Modbus:
    """`async with Modbus("host:502", 1, places, timeout_s) as source: await source.read()`; raises
    OSError, TimeoutError or `ModbusException` where that is not possible."""

    errors: tuple[type[Exception], ...] = (OSError, TimeoutError, ModbusException, ConnectionError)

    def __init__(
        self, address: str, device: int, places: tuple[str, ...], timeout_s: float
    ) -> None:
        logging.getLogger("pymodbus").setLevel(logging.CRITICAL)  # what is wrong is told by us
        host, port = address.rsplit(":", 1)
        self._address, self._device = address, device
        self._client = AsyncModbusTcpClient(
            host, port=int(port), timeout=timeout_s, retries=0, reconnect_delay=0
        )
        self._places = {place: modbus_place(place) for place in places}
        self._blocks = _blocks(sorted({place[:2] for place in self._places.values()}))

    async def __aenter__(self) -> Modbus:
        if not await self._client.connect():
            raise ConnectionError(f"no connection to {self._address}")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.close()

    async def read(self) -> dict[str, Value]:
        """By place. All of a device or nothing: one that refuses a block is as good as lost."""
        known: dict[tuple[str, int], bool | int] = {}
        for table, first, count in self._blocks:
            for offset, value in enumerate(await self._block(table, first, count)):
                known[table, first + offset] = value
        return {place: _part(known[where[:2]], where[2]) for place, where in self._places.items()}

    async def _block(self, table: str, first: int, count: int) -> list[bool | int]:
        client = self._client
        ask = {
            "coil": client.read_coils,
            "discrete": client.read_discrete_inputs,
            "holding": client.read_holding_registers,
            "input": client.read_input_registers,
        }[table]
        answer = await ask(first, count=count, device_id=self._device)
        if answer.isError():
            raise ModbusException(f"{table}:{first} to {first + count - 1}: {answer}")
        found = list(answer.bits if table in ("coil", "discrete") else answer.registers)
        if len(found) < count:
            raise ModbusException(f"{table}:{first}: {len(found)} values instead of {count}")
        return found[:count]


def _part(value: bool | int, bit: int) -> Value:
    return value if bit < 0 else bool(value >> bit & 1)


def _blocks(places: list[tuple[str, int]]) -> list[tuple[str, int, int]]:
    """Table, first address, count: neighbours together."""
    found = [(table, at, 1) for table, at in places[:1]]
    for (before, _), (table, at) in pairwise(places):
        _, first, _ = found[-1]
        if table == before and at - first < BLOCK:
            found[-1] = (table, first, at - first + 1)
        else:
            found.append((table, at, 1))
    return found
