"""Worker processes that die, hang and fail; each costs the one reading it was at."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from local_readers import Obedient

from orchestrator.vision.model import Picture, PictureError, Question, Reader, ReaderError
from orchestrator.vision.workers import Inline, Workers

QUESTION = Question("read_label", "a", ("a", "b"))


def with_workers(story: Callable[[Workers], Awaitable[Any]], **options: Any) -> Any:
    async def whole() -> Any:
        workers = Workers([Obedient()], **options)
        try:
            return await story(workers)
        finally:
            await workers.close()

    return asyncio.run(whole())


async def said(workers: Workers, text: str) -> str:
    try:
        return (await workers.look("obedient", Picture(text.encode()), QUESTION)).value
    except (ReaderError, PictureError) as error:
        return getattr(error, "kind", "picture")


def test_a_crash_a_hang_and_a_fault_cost_one_reading_each() -> None:
    async def story(workers: Workers) -> None:
        texts = ["a", "die", "b", "hang", "c", "fault", "error", "no picture", "d"]
        answers = [await said(workers, text) for text in texts]
        assert answers == ["a", "broken", "b", "broken", "c", "broken", "schema", "picture", "d"]
        assert workers.restarts == 2

    with_workers(story, look_s=1.0)


def test_work_is_done_in_other_processes_side_by_side() -> None:
    async def story(workers: Workers) -> None:
        (reader,) = workers.readers()
        assert isinstance(reader, Reader)
        assert not reader.remote
        looks = [reader.read(Picture(f"p{n}".encode()), QUESTION) for n in range(20)]
        readings = await asyncio.gather(*looks)
        assert [reading.value for reading in readings] == [f"p{n}" for n in range(20)]
        processes = {int(reading.note) for reading in readings}
        assert os.getpid() not in processes
        assert len(processes) <= 2

    with_workers(story, count=2)


def test_who_stops_waiting_leaves_the_worker_to_others_in_time() -> None:
    async def story(workers: Workers) -> None:
        assert await said(workers, "a") == "a"
        waiting = [asyncio.ensure_future(said(workers, text)) for text in ("hang", "b", "c", "d")]
        await asyncio.sleep(0)
        for task in waiting[:3]:
            task.cancel()
        assert await waiting[3] == "d"

    with_workers(story, look_s=0.5)


def test_the_queue_for_workers_is_bounded() -> None:
    async def story(workers: Workers) -> None:
        answers = await asyncio.gather(*(said(workers, "a") for _ in range(8)))
        assert sorted(answers) == ["a"] * 4 + ["limited"] * 4

    with_workers(story, waiting_max=3)


def test_closing_ends_what_is_under_way() -> None:
    async def story() -> str:
        workers = Workers([Obedient()])
        assert await said(workers, "a") == "a"
        hung = asyncio.ensure_future(said(workers, "hang"))
        await asyncio.sleep(0)
        await workers.close()
        return await hung

    assert asyncio.run(story()) == "broken"


def test_a_reader_may_look_right_here() -> None:
    reader = Inline(Obedient())
    assert isinstance(reader, Reader)
    reading = asyncio.run(reader.read(Picture(b"a"), QUESTION))
    assert int(reading.note) == os.getpid()
    with pytest.raises(PictureError):
        asyncio.run(reader.read(Picture(b"no picture"), QUESTION))


def test_warm_workers_have_looked_before() -> None:
    async def story(workers: Workers) -> None:
        for reader in workers.readers():
            await reader.warm()
            await reader.warm()
        assert await said(workers, "count") == "2"

    with_workers(story)
