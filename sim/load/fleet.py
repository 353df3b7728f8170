"""The cheap vehicles in real time: a socket for each, one loop for all."""

from __future__ import annotations

import contextlib
import heapq
import itertools
import math
import select
import socket
import time
from array import array
from dataclasses import dataclass, field

from orchestrator.vda5050.codec import codec_of
from orchestrator.vda5050.model import Connection, Factsheet, Header, SupportedAction
from orchestrator.vda5050.topics import topic
from sim.load import packets
from sim.load.hall import MAKER, SPEED_MPS, Start
from sim.load.vehicle import LoadVehicle, stamp_of

KEEPALIVE_S = 0  # 0: the broker never asks
READ_BYTES = 1 << 16
OPEN_AT_ONCE = 200  # connections that wait for the broker's answer
BEAT, ARRIVE = 0, 1


@dataclass(slots=True)
class Log:
    """What the fleet saw: times are of the machine's monotonic clock, in s."""

    state_vehicle: array[int] = field(default_factory=lambda: array("q"))
    state_header: array[int] = field(default_factory=lambda: array("q"))
    state_s: array[float] = field(default_factory=lambda: array("d"))
    order_vehicle: array[int] = field(default_factory=lambda: array("q"))
    order_header: array[int] = field(default_factory=lambda: array("q"))
    order_s: array[float] = field(default_factory=lambda: array("d"))


class Line:
    """One vehicle's connection."""

    __slots__ = ("number", "pending", "rest", "sock", "state_topic", "stuck", "vehicle")

    def __init__(self, number: int, start: Start, sock: socket.socket) -> None:
        self.number, self.sock = number, sock
        self.vehicle = LoadVehicle(start)
        self.rest = b""
        self.pending = bytearray()
        self.stuck = False
        self.state_topic = topic("2", MAKER, start.serial, "state").encode()


class LoadFleet:
    """Vehicles on one broker; `run_until` lets them live."""

    def __init__(self, address: tuple[str, int], starts: tuple[Start, ...], hz: float) -> None:
        self._address, self._period_s = address, 1.0 / hz
        self._epoll = select.epoll()
        self._lines: dict[int, Line] = {}
        self._due: list[tuple[float, int, int, Line]] = []
        self._count = itertools.count()
        self._mute = False
        self.beats = self.beats_driving = 0
        self.log = Log()
        for first in range(0, len(starts), OPEN_AT_ONCE):
            self._open(first, starts[first : first + OPEN_AT_ONCE])
        begin = time.monotonic()
        for number, line in enumerate(self._lines.values()):  # spread over the first period
            self._plan(begin + self._period_s * number / len(starts), BEAT, line)

    def _open(self, first: int, starts: tuple[Start, ...]) -> None:
        lines = []
        for number, start in enumerate(starts, first):
            sock = socket.create_connection(self._address)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.sendall(packets.connect(start.serial, KEEPALIVE_S))
            lines.append(Line(number, start, sock))
        for line in lines:
            self._greet(line)

    def _greet(self, line: Line) -> None:
        serial = line.vehicle.serial
        names = [topic("2", MAKER, serial, name).encode() for name in ("order", "instantActions")]
        line.sock.sendall(packets.subscribe(1, names))
        kinds: list[int] = []
        while packets.SUBACK not in kinds:
            data = line.sock.recv(READ_BYTES)
            if not data:
                raise ConnectionError(f"the broker turned {serial} away")
            found, line.rest = packets.split(line.rest + data)
            kinds += [kind for kind, _ in found]
        codec, header = codec_of("2.1"), Header(0, time.time_ns(), "2.1.0", MAKER, serial)
        for name, message in (
            ("connection", Connection(header=header, connection="ONLINE")),
            ("factsheet", _factsheet(header)),
        ):
            there = topic("2", MAKER, serial, name).encode()
            line.sock.sendall(packets.publish(there, codec.encode(message), retain=True))
        line.sock.setblocking(False)
        self._lines[line.sock.fileno()] = line
        self._epoll.register(line.sock.fileno(), select.EPOLLIN)

    def _plan(self, at: float, kind: int, line: Line) -> None:
        heapq.heappush(self._due, (at, next(self._count), kind, line))

    def run_until(self, end: float) -> None:
        """Live until this moment of the monotonic clock."""
        due = self._due
        while (now := time.monotonic()) < end:
            self._listen(min(end, due[0][0]) - now)
            now = time.monotonic()
            stamp = stamp_of(time.time())
            while due and due[0][0] <= now:
                at, _, kind, line = heapq.heappop(due)
                if kind == BEAT:
                    self._plan(at + self._period_s, BEAT, line)
                    self.beats += 1
                    self.beats_driving += line.vehicle.arrive_at < math.inf
                    self._report(line, now, stamp)
                elif line.vehicle.arrive_at == at:
                    line.vehicle.arrived()
                    self._plan_arrival(line)
                    self._report(line, now, stamp)

    def listen_until(self, end: float) -> None:
        """Say nothing more, and stand."""
        self._mute = True
        while (now := time.monotonic()) < end:
            self._listen(end - now)

    def _listen(self, wait_s: float) -> None:
        for fd, event in self._epoll.poll(max(0.0, wait_s)):
            line = self._lines[fd]
            if event & select.EPOLLIN:
                self._read(line)
            if event & select.EPOLLOUT:
                self._write(line)
            if event & (select.EPOLLHUP | select.EPOLLERR):
                raise ConnectionError(f"the broker dropped {line.vehicle.serial}")

    def _plan_arrival(self, line: Line) -> None:
        if line.vehicle.arrive_at < math.inf:
            self._plan(line.vehicle.arrive_at, ARRIVE, line)

    def _read(self, line: Line) -> None:
        try:
            data = line.sock.recv(READ_BYTES)
        except BlockingIOError:
            return
        if not data:
            raise ConnectionError(f"the broker dropped {line.vehicle.serial}")
        found, line.rest = packets.split(line.rest + data if line.rest else data)
        for kind, body in found:
            if kind & 0xF0 == packets.PUBLISH:
                self._told(line, *packets.published(body))

    def _told(self, line: Line, name: bytes, payload: bytes) -> None:
        now, vehicle = time.monotonic(), line.vehicle
        before = vehicle.arrive_at
        if name.endswith(b"order"):
            header = vehicle.ordered(now, payload)
            self.log.order_vehicle.append(line.number)
            self.log.order_header.append(header)
            self.log.order_s.append(now)
        else:
            vehicle.instructed(payload)
        if vehicle.arrive_at != before:
            self._plan_arrival(line)
        if not self._mute:
            self._report(line, now, stamp_of(time.time()))

    def _report(self, line: Line, now: float, stamp: bytes) -> None:
        log, vehicle = self.log, line.vehicle
        log.state_vehicle.append(line.number)
        log.state_header.append(vehicle.header)
        log.state_s.append(now)
        line.pending += packets.publish(line.state_topic, vehicle.state(now, stamp))
        self._write(line)

    def _write(self, line: Line) -> None:
        """What the socket does not take now waits until it does."""
        with contextlib.suppress(BlockingIOError):
            del line.pending[: line.sock.send(line.pending)]
        if bool(line.pending) != line.stuck:
            line.stuck = not line.stuck
            out = select.EPOLLOUT if line.stuck else 0
            self._epoll.modify(line.sock.fileno(), select.EPOLLIN | out)

    @property
    def unsent_bytes(self) -> int:
        """What no socket has taken yet."""
        return sum(len(line.pending) for line in self._lines.values())

    @property
    def vehicles(self) -> list[LoadVehicle]:
        """All of them."""
        return [line.vehicle for line in self._lines.values()]

    def close(self) -> None:
        """Hang up."""
        for line in self._lines.values():
            line.sock.close()
        self._epoll.close()


def _factsheet(header: Header) -> Factsheet:
    return Factsheet(
        header=header,
        series="load",
        kind="CARRIER",
        kinematics="DIFFERENTIAL",
        speed_mps_max=SPEED_MPS,
        actions=tuple(
            SupportedAction(kind, ("NODE",)) for kind in ("startCharging", "stopCharging")
        ),
        length_m=1.0,
        width_m=0.7,
    )
