"""Several pictures in one call: what arrives while a call is under way goes together in the next."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from orchestrator.vision.clock import cancel
from orchestrator.vision.model import Picture, Question, Reader, ReaderError, Reading, fault

Asked = tuple[Picture, Question]
Place = tuple[Asked, "asyncio.Future[Reading]"]


@runtime_checkable
class ManyReader(Reader, Protocol):
    """A reader that takes up to `batch_max` pictures in one call."""

    @property
    def batch_max(self) -> int: ...

    async def read_many(self, asked: Sequence[Asked]) -> Sequence[Reading | Exception]:
        """A reading, `ReaderError` or `PictureError` per picture, in their sequence. Raises
        `ReaderError` where all fail."""
        ...


class Batcher:
    """Nobody waits for a batch to fill: the first goes at once, with whoever came in the same turn of
    the loop. Bounded by whoever lets questions in."""

    def __init__(self, reader: ManyReader, calls_at_once: int = 1) -> None:
        self._reader = reader
        self._free = calls_at_once
        self._line: deque[Place] = deque()
        self._calls: set[asyncio.Task[None]] = set()

    async def read(self, picture: Picture, question: Question) -> Reading:
        """As `Reader.read`."""
        loop = asyncio.get_running_loop()
        place: asyncio.Future[Reading] = loop.create_future()
        self._line.append(((picture, question), place))
        loop.call_soon(self._send)
        return await place

    def _send(self) -> None:
        while self._free and self._line:
            batch: list[Place] = []
            while self._line and len(batch) < self._reader.batch_max:
                asked, place = self._line.popleft()
                if not place.done():
                    batch.append((asked, place))
            if batch:
                self._free -= 1
                self._start(batch)

    def _start(self, batch: list[Place]) -> None:
        call = asyncio.ensure_future(self._call(batch))
        self._calls.add(call)
        places = [place for _, place in batch]
        for place in places:  # when nobody waits any more, the call is given up
            place.add_done_callback(
                lambda _: cancel(call) if all(place.done() for place in places) else None
            )
        call.add_done_callback(self._ended)

    def _ended(self, call: asyncio.Task[None]) -> None:
        self._calls.discard(call)
        self._free += 1
        self._send()

    async def _call(self, batch: list[Place]) -> None:
        answers: Sequence[Reading | Exception]
        try:
            answers = await self._reader.read_many([asked for asked, _ in batch])
            if len(answers) != len(batch):
                text = f"{len(answers)} answers to {len(batch)} pictures"
                answers = [ReaderError("schema", text) for _ in batch]
        except ReaderError as error:
            answers = [ReaderError(error.kind, error.text) for _ in batch]
        except Exception as error:
            answers = [fault(error) for _ in batch]
        for (_, place), answer in zip(batch, answers, strict=True):
            if place.done():
                continue
            if isinstance(answer, Exception):
                place.set_exception(answer)
            else:
                place.set_result(answer)
