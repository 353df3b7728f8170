"""Has each reader, and the chain of all, answer questions whose answers are known."""

from __future__ import annotations

import asyncio
import resource
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from orchestrator.vision.chain import Chain
from orchestrator.vision.clock import StillClock
from orchestrator.vision.model import LocalReader, Picture, Question, Reading, Task
from orchestrator.vision.policy import Policy, TaskPolicy
from orchestrator.vision.readers.codes import Codes
from orchestrator.vision.readers.ocr import Ocr
from orchestrator.vision.readers.tags import Tags
from orchestrator.vision.workers import Inline
from sim.cameras import Scenes
from sim.cameras.cases import Case

EMBEDDED: dict[Task, tuple[str, ...]] = {
    "read_label": ("codes", "tags", "ocr"),
    "identify_item": ("items",),
    "verify_pick": ("items",),
    "inspect_damage": ("items",),
    "check_lane": ("lanes",),
}
CHUNK = 12
POOL = get_context("spawn")


@dataclass(frozen=True, slots=True)
class Said:
    """One reader's answer, and the time that it computed."""

    value: str
    ms: float
    note: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """All answers to one case. `chain_ms` has the readers that the chain asked, and decoding."""

    case: Case
    said: dict[str, Said]
    outcome: str
    value: str
    model: str
    chain_ms: float
    render_ms: float


class Timed:
    """A reader whose answer to the latest picture is kept: the chain need not wait for it again."""

    def __init__(self, reader: LocalReader) -> None:
        self.name, self.tasks = reader.name, reader.tasks
        self._reader = reader
        self._latest: tuple[tuple[str, Question], Reading] | None = None
        self.ms = 0.0

    def look(self, picture: Picture, question: Question) -> Reading:
        """As the reader itself."""
        key = (picture.sha256, question)
        if self._latest is None or self._latest[0] != key:
            began = time.process_time()
            self._latest = (key, self._reader.look(picture, question))
            self.ms = (time.process_time() - began) * 1000
        return self._latest[1]


class Bench:
    """A site's cameras and the embedded readers, in one process, one thread each."""

    def __init__(self, seed: int) -> None:
        import cv2  # noqa: PLC0415

        cv2.setNumThreads(1)
        self._scenes = Scenes(seed)
        embedded: tuple[LocalReader, ...] = (
            Codes(), Tags(), Ocr(threads=1), self._scenes.items(), self._scenes.floors(),
        )  # fmt: skip
        self._readers = {reader.name: Timed(reader) for reader in embedded}
        policy = Policy(
            {task: TaskPolicy(readers) for task, readers in EMBEDDED.items()}, cache_entries=1
        )
        inline = [Inline(reader) for reader in self._readers.values()]
        self._chain = Chain(inline, policy, StillClock())

    def picture(self, case: Case) -> Picture:
        """What the camera sees."""
        return self._scenes.picture(case.task, case.subject, case.truth, case.number, case.level)

    def measure(self, case: Case, *, chain_alone: bool = False) -> Result:
        """Ask everybody, or those alone whom the chain asks."""
        began = time.process_time()
        picture = self.picture(case)
        rendered = (time.process_time() - began) * 1000
        began = time.process_time()
        picture.grey() if case.task == "read_label" else picture.image()
        spent = (time.process_time() - began) * 1000
        said = {}
        for name in () if chain_alone else EMBEDDED[case.task]:
            reading = self._readers[name].look(picture, case.question)
            said[name] = Said(reading.value, self._readers[name].ms, reading.note)
        verdict = asyncio.run(self._chain.judge(picture, case.question))
        spent += sum(self._readers[step.model].ms for step in verdict.trail)
        return Result(case, said, verdict.outcome, verdict.value, verdict.model, spent, rendered)


_bench: Bench | None = None


def measured(
    seed: int, cases: Sequence[Case], processes: int, *, chain_alone: bool = False
) -> Iterator[Result]:
    """In the cases' sequence, computed by so many processes."""
    work = partial(_measure, chain_alone=chain_alone)
    with ProcessPoolExecutor(processes, POOL, _begin, (seed,)) as pool:
        yield from pool.map(work, cases, chunksize=CHUNK)


def _begin(seed: int) -> None:
    global _bench  # noqa: PLW0603
    _bench = Bench(seed)


def _measure(case: Case, *, chain_alone: bool) -> Result:
    assert _bench is not None
    return _bench.measure(case, chain_alone=chain_alone)


@dataclass(frozen=True, slots=True)
class Rate:
    """How fast the first stage is, and what it takes."""

    per_second: float
    cpu_ms: float  # per picture
    memory_mb: float


def first_stage(pictures: Sequence[bytes], seconds: float, processes: int) -> Rate:
    """JPEG in, id out: so many processes for so long, each over all pictures again and again."""
    with ProcessPoolExecutor(processes, POOL) as pool:
        data = list(pictures)
        list(pool.map(_read_on, [data] * processes, [0.2] * processes))  # started and imported
        done = list(pool.map(_read_on, [data] * processes, [seconds] * processes))
    count = sum(rate for rate, _, _ in done)
    spent = sum(cpu for _, cpu, _ in done) / len(done)
    return Rate(count, spent, max(memory for *_, memory in done) * processes)


def _read_on(pictures: list[bytes], seconds: float) -> tuple[float, float, float]:
    """Pictures per second, computing time of each in ms, and memory in MB."""
    import cv2  # noqa: PLC0415

    cv2.setNumThreads(1)
    reader, question = Codes(), Question("read_label", "")
    count, began, spent = 0, time.monotonic(), time.process_time()
    while time.monotonic() - began < seconds or not count:
        reader.look(Picture(pictures[count % len(pictures)]), question)
        count += 1
    spent = (time.process_time() - spent) * 1000 / count
    return count / (time.monotonic() - began), spent, peak_mb()


def peak_mb() -> float:
    """The most memory that this process had; where there is no /proc, that of its parent counts too."""
    status = Path("/proc/self/status")
    if status.is_file():
        lines = status.read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
