"""A server that can be told how to be bad. Stdlib alone: it must be able to break the protocol."""

from __future__ import annotations

import asyncio
import threading
from typing import Any, Self


class HangUp(Exception):
    """Close the connection."""


class StubServer:
    """Runs in a thread of its own. `mode` names the method (with a dash below before it) that answers,
    and may change at any time."""

    def __init__(self) -> None:
        self.mode = "good"
        self.requests: list[Any] = []
        self.keys: list[str] = []
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._started.wait(30)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)

    def parsed(self, headers: dict[str, str], body: bytes) -> Any:
        """What the answering methods get."""
        return body

    def go_offline(self) -> None:
        """Nobody listens any more, and every connection is gone."""

        async def close() -> None:
            assert self._server is not None
            self._server.close()
            for writer in self._open:
                writer.close()

        asyncio.run_coroutine_threadsafe(close(), self._loop).result(30)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        start = asyncio.start_server(self._serve, "127.0.0.1", 0)
        self._server = self._loop.run_until_complete(start)
        self.port = self._server.sockets[0].getsockname()[1]
        self._started.set()
        self._loop.run_forever()
        self._server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            while True:
                await self._one(reader, writer)
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError, HangUp):
            pass
        finally:
            self._open.discard(writer)
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        lines = head.split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line)
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        self.keys.append(headers.get("authorization", ""))
        self.requests.append(self.parsed(headers, body))
        await getattr(self, f"_{self.mode}")(self.requests[-1], writer)
        await writer.drain()

    async def _slow(self, request: Any, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(3600)

    async def _dropped(self, request: Any, writer: asyncio.StreamWriter) -> None:
        raise HangUp

    async def _html(self, request: Any, writer: asyncio.StreamWriter) -> None:
        send(writer, 200, b"<html>It works!</html>")

    async def _garbage(self, request: Any, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\x16\x03\x01 this is not HTTP\r\n\r\n")
        await writer.drain()
        raise HangUp

    async def _limited(self, request: Any, writer: asyncio.StreamWriter) -> None:
        send(writer, 429, b'{"error": {"message": "slow down"}}', "Retry-After: 7\r\n")

    async def _busy(self, request: Any, writer: asyncio.StreamWriter) -> None:
        quoted = self.keys[-1] if self.keys else ""
        send(writer, 503, f'{{"error": {{"message": "busy {quoted}"}}}}'.encode())

    async def _failing(self, request: Any, writer: asyncio.StreamWriter) -> None:
        send(writer, 500, f"Traceback: {self.keys[-1]}".encode())


def send(writer: asyncio.StreamWriter, status: int, body: bytes, headers: str = "") -> None:
    """A whole response."""
    head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n{headers}"
    writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
