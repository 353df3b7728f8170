"""Local readers in processes of their own: a picture that kills or hangs one costs one reading."""

from __future__ import annotations

import asyncio
import contextlib
import math
import multiprocessing
import signal
import struct
import threading
import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from orchestrator.vision.clock import StillClock
from orchestrator.vision.model import (
    LocalReader,
    Picture,
    PictureError,
    Question,
    ReaderError,
    Reading,
    Task,
    fault,
)
from orchestrator.vision.turns import Crowded, Turns

SPAWN = multiprocessing.get_context("spawn")  # no threads or locks of ours go along
START_S = 120.0  # first imports on a busy machine
END_S = 2.0


class Inline:
    """A local reader that looks right here, in the thread that asks: for simulations and benchmarks,
    where nothing else waits."""

    remote = False

    def __init__(self, reader: LocalReader) -> None:
        self.name, self.tasks = reader.name, reader.tasks
        self._reader = reader

    async def read(self, picture: Picture, question: Question) -> Reading:
        """Look."""
        return self._reader.look(picture, question)


class Hosted:
    """A local reader that lives in the workers."""

    remote = False

    def __init__(self, name: str, tasks: frozenset[Task], workers: Workers) -> None:
        self.name, self.tasks = name, tasks
        self._workers = workers

    async def read(self, picture: Picture, question: Question) -> Reading:
        """Have a worker look."""
        return await self._workers.look(self.name, picture, question)

    async def warm(self) -> None:
        """Start the workers and load what they need; a failure shows when a picture comes."""
        await self._workers.warm()

    async def close(self) -> None:
        """Close the workers: of all their readers."""
        await self._workers.close()


class Workers:
    """`count` processes, each with all `readers`. One that dies, or looks at a picture for longer than
    `look_s`, is replaced when the next picture comes. Processes start when first needed."""

    def __init__(
        self,
        readers: Sequence[LocalReader],
        count: int = 1,
        look_s: float = 20.0,
        waiting_max: int = 256,
    ) -> None:
        self._local = tuple(readers)
        self._look_s = look_s
        self._turns = Turns(count, waiting_max)
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="vision")
        self._idle = [_Worker(self._local) for _ in range(count)]
        self._all = tuple(self._idle)
        self._lock = threading.Lock()
        self._warm = False

    @property
    def restarts(self) -> int:
        """So many processes had to be replaced."""
        return sum(max(0, worker.starts - 1) for worker in self._all)

    def readers(self) -> tuple[Hosted, ...]:
        """As the chain takes them."""
        return tuple(Hosted(reader.name, reader.tasks, self) for reader in self._local)

    async def look(self, name: str, picture: Picture, question: Question) -> Reading:
        """Raises `ReaderError` and `PictureError`. Whoever stops waiting frees no worker: it is free
        when it has looked, or was replaced."""
        try:
            await self._turns.wait(StillClock(), math.inf)
        except Crowded as crowded:
            raise ReaderError("limited", "too many pictures wait for a worker") from crowded
        loop = asyncio.get_running_loop()
        work = self._threads.submit(self._ask, name, picture, question)
        work.add_done_callback(lambda _: self._free(loop))
        return await asyncio.wrap_future(work)

    async def warm(self) -> None:
        """Each process looks at an empty picture with each reader, once."""
        if self._warm:
            return
        self._warm = True
        blank = Picture(_empty())
        for reader in self._local:
            question = Question(min(reader.tasks), "")
            looks = [self.look(reader.name, blank, question) for _ in self._all]
            await asyncio.gather(*looks, return_exceptions=True)

    def _free(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            loop.call_soon_threadsafe(self._turns.give_back)
        except RuntimeError:  # the loop is closed: nobody waits in it
            self._turns.give_back()

    def _ask(self, name: str, picture: Picture, question: Question) -> Reading:
        with self._lock:
            worker = self._idle.pop()  # the one that worked last: its caches are warm
        try:
            return worker.ask(name, picture, question, self._look_s)
        finally:
            with self._lock:
                self._idle.append(worker)

    async def close(self) -> None:
        """End the processes; who still waits for one gets a `ReaderError`."""
        await asyncio.to_thread(self._end)

    def _end(self) -> None:
        for worker in self._all:
            worker.end()
        self._threads.shutdown()


class _Worker:
    """One process and the pipe to it. Used by one thread at a time, but for `end`."""

    def __init__(self, readers: tuple[LocalReader, ...]) -> None:
        self._readers = readers
        self._process: BaseProcess | None = None
        self._pipe: Connection | None = None
        self._ended = False
        self.starts = 0

    def ask(self, name: str, picture: Picture, question: Question, seconds: float) -> Reading:
        """Have it look; raises `ReaderError` and `PictureError`."""
        try:
            pipe = self._pipe or self._start()
            pipe.send((name, picture, question))
            if not pipe.poll(seconds):
                raise ReaderError("broken", f"looked for {seconds:g} s, and was stopped")
            said = pipe.recv()
        except (OSError, EOFError) as error:
            self._drop()
            raise ReaderError("broken", "the worker process died") from error
        except ReaderError:
            self._drop()
            raise
        if isinstance(said, Exception):
            raise said
        assert isinstance(said, Reading)
        return said

    def _start(self) -> Connection:
        if self._ended:
            raise ReaderError("broken", "the workers were closed")
        ours, theirs = SPAWN.Pipe()
        process = SPAWN.Process(target=_serve, args=(theirs, self._readers), daemon=True)
        process.start()
        theirs.close()  # so that its death shows here
        self._process, self._pipe = process, ours
        self.starts += 1
        if not ours.poll(START_S):
            raise ReaderError("broken", f"a worker process did not start within {START_S:g} s")
        ours.recv()
        if self._ended:
            raise ReaderError("broken", "the workers were closed")
        return ours

    def _drop(self) -> None:
        process, pipe, self._process, self._pipe = self._process, self._pipe, None, None
        if process is not None:
            process.kill()
            process.join(END_S)
        if pipe is not None:
            pipe.close()

    def end(self) -> None:
        """Kill it; a thread that waits for it sees it dead."""
        self._ended = True
        process = self._process  # the thread may drop it in this moment
        if process is not None:
            process.kill()
            process.join(END_S)


def _empty() -> bytes:
    """A small black picture, as PNG."""
    side = 64
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(bytes(side * (side + 1)))),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )


def _serve(pipe: Connection, readers: tuple[LocalReader, ...]) -> None:
    """A worker's life: until its pipe is closed, or its parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # its parent ends it
    named = {reader.name: reader for reader in readers}
    said: Reading | Exception
    with contextlib.suppress(EOFError, OSError):
        pipe.send("ready")
        while True:
            name, picture, question = pipe.recv()
            try:
                said = named[name].look(picture, question)
            except (ReaderError, PictureError) as error:
                said = error
            except Exception as error:
                said = fault(error)
            pipe.send(said)
