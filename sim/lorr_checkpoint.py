"""A match that was broken off goes on where it was: everything that it has decided, in one file.

What a match only reads (instance, grid, tables of ways) is named, not kept: it is made again from the
instance. A checkpoint is good for the instance, the parameters and the code that wrote it.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import pickle
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from orchestrator import certificate
from sim.lorr_files import Instance

FORMAT = "lightsout bench lorr checkpoint 1"
HEAD_BYTES_MAX = 1 << 16
OURS = ("planners.", "sim.lorr")
ARRAYS = frozenset(
    {
        ("numpy", "ndarray"), ("numpy", "dtype"), ("numpy._core.multiarray", "scalar"),
        ("numpy._core.multiarray", "_reconstruct"), ("numpy._core.numeric", "_frombuffer"),
        ("collections", "deque"), ("collections", "defaultdict"), ("collections", "OrderedDict"),
    }
)  # fmt: skip
CHANGED = {
    "instance": "another instance",
    "budget_ms": "another --budget-ms",
    "iterations": "other --iterations",
    "planner": "another --planner",
    "code": "another version of the code",
}
AWAY = "remove it, or leave --resume out"


class CheckpointError(ValueError):
    """A checkpoint that can't be gone on from, with the mend."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a match is played under."""

    instance: str  # SHA-256 of what was read
    budget_ms: float
    iterations: int | None
    planner: str
    code: str

    @staticmethod
    def of(instance: Instance, budget_ms: float, iterations: int | None, planner: str) -> Terms:
        """The terms of a match by the code that runs."""
        return Terms(_content(instance), budget_ms, iterations, planner, _code())


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """As it was read: steps made, tasks finished, and `body` for `Match.thaw`."""

    step: int
    finished: int
    body: bytes


def freeze(states: Iterable[object], fixed: dict[str, object]) -> bytes:
    """States one behind the other as bytes; the objects of `fixed` by their names alone."""
    names = {id(value): name for name, value in fixed.items()}

    class Freezer(pickle.Pickler):
        def persistent_id(self, found: object) -> str | None:
            return names.get(id(found))

    file = io.BytesIO()
    for state in states:
        Freezer(file, protocol=5).dump(state)
    return file.getvalue()


def thaw(body: bytes, fixed: dict[str, object]) -> Iterator[Any]:
    """The states again. Nothing is made of them but arrays and what planners and matches consist of."""

    class Thawer(pickle.Unpickler):
        def persistent_load(self, name: str) -> object:
            return fixed[name]

        def find_class(self, module: str, name: str) -> Any:
            if (module, name) in ARRAYS:
                return super().find_class(module, name)
            if module.startswith(OURS) and "." not in name:
                found = super().find_class(module, name)
                if isinstance(found, type) and found.__module__ == module:
                    return found
            raise CheckpointError(f"a checkpoint with a {module}.{name} is none of ours -> {AWAY}")

    file = io.BytesIO(body)
    while file.tell() < len(body):
        yield Thawer(file).load()


def write(path: Path, terms: Terms, checkpoint: Checkpoint) -> None:
    """Put it there, whole or not at all: what was there before stays until then."""
    head = {
        "format": FORMAT,
        **asdict(terms),
        "step": checkpoint.step,
        "finished": checkpoint.finished,
        "sha256": hashlib.sha256(checkpoint.body).hexdigest(),
    }
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("wb") as file:
            file.write(json.dumps(head).encode() + b"\n" + checkpoint.body)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def read(path: Path, terms: Terms) -> Checkpoint:
    """The checkpoint in a file. Raises `CheckpointError` where it is damaged or not of these terms."""
    with path.open("rb") as file:
        line, body = file.readline(HEAD_BYTES_MAX), file.read()
    try:
        head = json.loads(line)
    except (RecursionError, ValueError) as error:
        raise CheckpointError(f"{path}: is no checkpoint of a match -> {AWAY}") from error
    if not isinstance(head, dict) or head.get("format") != FORMAT:
        raise CheckpointError(f"{path}: is no checkpoint of this format -> {AWAY}")
    for key, value in asdict(terms).items():
        if head.get(key) != value:
            was = (
                f" ({head.get(key)}, now {value})"
                if key in ("budget_ms", "iterations", "planner")
                else ""
            )
            raise CheckpointError(f"{path}: is of {CHANGED[key]}{was} -> {AWAY}")
    if hashlib.sha256(body).hexdigest() != head.get("sha256"):
        raise CheckpointError(f"{path}: is damaged -> {AWAY}")
    step, finished = head.get("step"), head.get("finished")
    if not isinstance(step, int) or not isinstance(finished, int):
        raise CheckpointError(f"{path}: holds no step and finished tasks -> {AWAY}")
    return Checkpoint(step, finished, body)


def _content(instance: Instance) -> str:
    hashed = hashlib.sha256(instance.free.tobytes())
    errand = b"" if instance.errand is None else instance.errand.tobytes()
    hashed.update(repr((instance.free.shape, len(errand))).encode() + errand)
    hashed.update(repr((instance.starts, instance.tasks, instance.reveal)).encode())
    return hashed.hexdigest()


@cache
def _code() -> str:
    sim = sorted((certificate.ROOT / "sim").glob("lorr*.py"))
    sim.append(certificate.ROOT / "sim" / "guiding.py")
    parts = [certificate.sources(path) for path in (certificate.ROOT / "planners", *sim)]
    parts.append(repr(sorted(certificate.libraries().items())))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
