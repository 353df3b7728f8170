"""vision.yaml: which readers there are, who is asked about what, and within which bounds.

It lies beside site.yaml, and may be left out: then the embedded readers do it all.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError

from orchestrator.layout.fields import Part, Positive, Share
from orchestrator.layout.findings import Finding, LayoutError, errors
from orchestrator.layout.reading import at_least, finding_of, line_of, read_model
from orchestrator.vision.breaker import BreakerLimits
from orchestrator.vision.budget import BudgetLimits
from orchestrator.vision.chain import CACHE, FROZEN
from orchestrator.vision.judging import Rule
from orchestrator.vision.model import TASKS, Task
from orchestrator.vision.policy import Policy, ReaderPolicy, TaskPolicy
from orchestrator.vision.readers_file import (
    Bounds,
    EmbeddedFile,
    KserveFile,
    OnnxFile,
    OpenAIFile,
    Text,
)

FILE, PAGE = "vision.yaml", "docs/vision.md"
PLUGINS = "lightsout.readers"  # entry points: a name of `kind`, and what makes the reader
MILLION = 1_000_000
NAME = re.compile(r"[\w.-]{1,64}")
OURS = (CACHE, FROZEN)  # who else says what a picture shows
EMBEDDED: dict[str, frozenset[Task]] = {
    "codes": frozenset({"read_label"}),
    "tags": frozenset({"read_label"}),
    "ocr": frozenset({"read_label"}),
    "items": frozenset({"identify_item", "verify_pick", "inspect_damage"}),
    "lanes": frozenset({"check_lane"}),
}
DEFAULT: dict[Task, tuple[str, ...]] = {
    task: tuple(name for name, tasks in EMBEDDED.items() if task in tasks) for task in TASKS
}
SWAYED: tuple[Task, ...] = ("identify_item", "verify_pick", "inspect_damage", "check_lane")
KINDS: dict[str, type[OpenAIFile | KserveFile | OnnxFile]] = {
    "openai": OpenAIFile,
    "kserve": KserveFile,
    "onnx": OnnxFile,
}
Declared = OpenAIFile | KserveFile | OnnxFile | EmbeddedFile | Mapping[str, Any]


class TaskFile(Part):
    """Who is asked about a task, in this sequence, and when that is enough."""

    readers: Annotated[tuple[str, ...], at_least(1)] | None = None
    threshold: Share = 0.8
    thresholds: dict[str, Share] = Field(default={})  # by reader
    agree: int = Field(default=1, ge=1, le=5)
    alone: bool = False  # a language model may say that all is well, by itself
    deadline_ms: int = Field(default=5000, ge=50, le=600_000)


class VisionFile(Part):
    """vision.yaml"""

    format: int
    faces: str = "faces"  # folder: SKU.png for each article
    lanes: str = "lanes"  # folder: LANE.png for each lane when it is empty
    workers: int = Field(default=1, ge=1, le=64)  # processes for quick readers; slow ones have own
    look_s: Positive = 20.0  # a worker that looks for longer is replaced
    at_once: int = Field(default=64, ge=1, le=10_000)
    waiting_max: int = Field(default=256, ge=0, le=100_000)
    cache_entries: int = Field(default=1024, ge=0, le=1_000_000)
    frozen_after: int = Field(default=3, ge=1, le=1000)
    readers: dict[str, dict[str, Any]] = Field(default={})
    tasks: dict[Task, TaskFile] = Field(default={})


@dataclass(frozen=True, slots=True)
class Vision:
    """Settings that passed every check. `readers`: what is declared, also of those nobody asks."""

    spec: VisionFile
    folder: Path
    readers: Mapping[str, Declared]
    policy: Policy

    def about(self, task: Task) -> Vision:
        """The same for one task: readers of others are not even loaded."""
        return replace(self, policy=replace(self.policy, tasks={task: self.policy.tasks[task]}))

    def asked(self) -> list[Declared]:
        """What is declared of the readers that are asked about anything."""
        names = {name for task in self.policy.tasks.values() for name in task.readers}
        return [of for name, of in self.readers.items() if name in names]

    def doing(self, name: str) -> list[Task]:
        """The tasks that a reader can do; none where there is no such reader."""
        return sorted(_tasks(name, self.readers[name])) if name in self.readers else []

    def alone(self, task: Task, name: str) -> Vision:
        """The same with one reader for one task. Raises `LayoutError`."""
        there = [other for other, of in self.readers.items() if task in _tasks(other, of)]
        if name not in there:
            mend = f"one of {', '.join(there)}"
            what = f"{name!r} is no reader for {task}"
            raise LayoutError([Finding("error", str(self.folder / FILE), "readers", what, mend)])
        chosen = self.policy.tasks[task]
        only = replace(chosen, readers=(name,), rule=replace(chosen.rule, agree=1))
        return replace(self, policy=replace(self.policy, tasks={task: only}))


def load(site: Path, file: Path | None = None) -> Vision:
    """The settings beside a site's site.yaml, or `file`; the embedded readers where there are none.
    Raises `LayoutError` with everything that is wrong."""
    folder = site if site.is_dir() else site.parent
    if file is None and not (folder / FILE).is_file():
        return default(folder)
    vision, found = _read_file(file or folder / FILE)
    if vision is None or errors(found):
        raise LayoutError(errors(found))
    return vision


def of_text(text: str) -> Vision:
    """Of a run's text ("": the embedded readers); files that it names are looked for where we are.
    Raises `LayoutError`."""
    vision, found = read(text or "format: 1\n", FILE, Path.cwd())
    if vision is None or errors(found):
        raise LayoutError(errors(found))
    return vision


def check(file: Path) -> list[Finding]:
    """Everything there is to say about a file of settings."""
    return _read_file(file)[1]


def _read_file(path: Path) -> tuple[Vision | None, list[Finding]]:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        what, mend = f"can't be read: {error.strerror}", f"name a file as {PAGE} describes it"
    except UnicodeDecodeError as error:
        what, mend = f"byte {error.start} is not UTF-8", "save it as UTF-8"
    else:
        return read(text, str(path), path.parent)
    return None, [Finding("error", str(path), "-", what, mend)]


def default(folder: Path) -> Vision:
    """The embedded readers alone."""
    vision, found = read("format: 1\n", FILE, folder)
    assert vision is not None and not found
    return vision


def read(text: str, file: str, folder: Path) -> tuple[Vision | None, list[Finding]]:
    """Parse and validate; relative paths count from `folder`."""
    spec, found = read_model(text, file, VisionFile, PAGE)
    if spec is None:
        return None, found
    place = _Place(text, file, folder)
    declared: dict[str, Declared] = {name: EmbeddedFile(kind=name) for name in EMBEDDED}
    bounds: dict[str, Bounds] = {}
    for name, options in spec.readers.items():
        reader, wrong = place.reader(name, options)
        found += wrong
        if reader is not None:
            declared[name], bounds[name] = reader
    found += [
        one for task, asked in spec.tasks.items() for one in place.task(task, asked, spec, declared)
    ]
    if errors(found):
        return None, found
    tasks = {task: _task(task, spec.tasks.get(task, TaskFile())) for task in TASKS}
    named = {name for task in tasks.values() for name in task.readers}
    found += [place.unused(name) for name in spec.readers if name not in named]
    policies = {
        name: _policy(of, bounds.get(name, Bounds()), spec) for name, of in declared.items()
    }
    policy = Policy(
        tasks, policies, spec.at_once, spec.waiting_max, spec.cache_entries, spec.frozen_after
    )
    return Vision(spec, folder, declared, policy), found


@dataclass(frozen=True, slots=True)
class _Place:
    """The file that is read: findings name its keys and lines."""

    text: str
    file: str
    folder: Path

    def finding(
        self, keys: tuple[str, ...], what: str, mend: str, severity: str = "error"
    ) -> Finding:
        line = line_of(self.text, keys)
        path = ".".join(keys) + (f" (line {line})" if line else "")
        return Finding(severity, self.file, path, what, mend)

    def unused(self, name: str) -> Finding:
        """A reader that no task names."""
        mend = "name it in `tasks`, or remove it"
        return self.finding(("readers", name), "is asked about no task", mend, "warning")

    def reader(
        self, name: str, options: Mapping[str, Any]
    ) -> tuple[tuple[Declared, Bounds] | None, list[Finding]]:
        """One entry of `readers`."""
        below = ("readers", name)
        if name in OURS or not NAME.fullmatch(name):
            what = f"{name!r} is no name for a reader"
            return None, [self.finding(below, what, "use another, of letters, digits and . _ -")]
        kind = options.get("kind", name if name in EMBEDDED else "")
        bounds = {key: value for key, value in options.items() if key in Bounds.model_fields}
        rest = {key: value for key, value in options.items() if key not in Bounds.model_fields}
        kinds = [*EMBEDDED, *KINDS, *sorted(plugins())]
        if kind not in kinds:
            what = f"there is no kind {kind!r}" if kind else "missing"
            return None, [self.finding((*below, "kind"), what, f"one of {', '.join(kinds)}")]
        if name in EMBEDDED and kind != name:
            return None, [
                self.finding(
                    below, f"is the name of an embedded reader, not of a {kind}", "rename it"
                )
            ]
        if kind in EMBEDDED and name != kind:
            return None, [
                self.finding(below, f"the reader of kind {kind} is called so", f"write `{kind}:`")
            ]
        try:
            found = Bounds.model_validate(bounds)
            made: Declared
            if kind in KINDS:
                made = self._located(KINDS[kind].model_validate(rest))
            elif kind in EMBEDDED:
                made = EmbeddedFile.model_validate({"kind": kind} | rest)
            else:
                made = rest
        except ValidationError as error:
            return None, [
                finding_of(one, self.file, self.text, below, PAGE) for one in error.errors()
            ]
        except OSError as error:
            what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
            return None, [self.finding(below, what, "mend the path")]
        except UnicodeDecodeError as error:
            what = f"`labels_file`: byte {error.start} is not UTF-8"
            return None, [self.finding(below, what, "save it as UTF-8")]
        except ValueError as error:
            return None, [self.finding(below, f"no name of a file: {error}", "mend the path")]
        return (made, found), []

    def _located(
        self, made: OpenAIFile | KserveFile | OnnxFile
    ) -> OpenAIFile | KserveFile | OnnxFile:
        """With files that are there. Raises `OSError`."""
        if isinstance(made, OpenAIFile):
            if not made.ca_file:
                return made
            path = self.folder / made.ca_file
            path.open("rb").close()
            ssl.create_default_context(cafile=path)
            return made.model_copy(update={"ca_file": str(path)})
        if isinstance(made.after, Text) and made.after.labels_file:
            lines = (self.folder / made.after.labels_file).read_text(encoding="utf-8").split("\n")
            labels = tuple(lines[:-1] if lines[-1] == "" else lines)
            made = made.model_copy(
                update={"after": made.after.model_copy(update={"labels": labels})}
            )
        if isinstance(made, OnnxFile):
            path = self.folder / made.file
            path.open("rb").close()
            return made.model_copy(update={"file": path})
        return made

    def task(
        self, task: Task, asked: TaskFile, spec: VisionFile, declared: Mapping[str, Declared]
    ) -> list[Finding]:
        """What doesn't fit in one entry of `tasks`."""
        below = ("tasks", task)
        found = []
        for name in asked.readers or ():
            if name not in declared and name not in spec.readers:
                mend = f"declare it in `readers`, or use one of {', '.join(declared)}"
                found.append(
                    self.finding((*below, "readers"), f"there is no reader {name!r}", mend)
                )
            elif name in declared and task not in (does := _tasks(name, declared[name])):
                mend = f"it can do {', '.join(sorted(does))}"
                found.append(self.finding((*below, "readers"), f"{name!r} can't do {task}", mend))
        readers = asked.readers or DEFAULT[task]
        if len(set(readers)) < len(readers):
            found.append(
                self.finding((*below, "readers"), "names a reader twice", "name each once")
            )
        found += [
            self.finding((*below, "thresholds", name), "is not among its readers", "remove it")
            for name in asked.thresholds
            if name not in readers
        ]
        if asked.agree > len(set(readers)):
            what = f"{asked.agree} readers can't agree where {len(set(readers))} are asked"
            found.append(self.finding((*below, "agree"), what, "name more readers"))
        swayed = [name for name in readers if isinstance(declared.get(name), OpenAIFile)]
        if task in SWAYED and len(swayed) >= asked.agree and not asked.alone:
            who = " and ".join(map(repr, swayed))
            what = f"text in a picture could talk {who} into saying that all is well"
            more = f"a reader that can't be talked to, and `agree: {len(swayed) + 1}`"
            mend = f"ask for {more}; or write `alone: true` where that can't happen"
            found.append(self.finding(below, what, mend))
        return found


def plugins() -> Mapping[str, Any]:
    """Readers of other packages, by kind."""
    return {point.name: point for point in entry_points(group=PLUGINS)}


def _tasks(name: str, declared: Declared) -> frozenset[Task]:
    if isinstance(declared, OpenAIFile | KserveFile | OnnxFile):
        return declared.tasks
    return EMBEDDED.get(name, frozenset(TASKS))  # of a plugin the chain checks it


def _task(task: Task, asked: TaskFile) -> TaskPolicy:
    rule = Rule(asked.threshold, asked.thresholds, asked.agree)
    return TaskPolicy(asked.readers or DEFAULT[task], rule, asked.deadline_ms / 1000)


def _policy(declared: Declared, bounds: Bounds, spec: VisionFile) -> ReaderPolicy:
    """What is not said depends on where the reader is."""
    remote = isinstance(declared, OpenAIFile | KserveFile)
    several = 2 * declared.batch_max if isinstance(declared, KserveFile) else 0
    at_once = max(4, several) if remote else 2 * spec.workers
    cost = bounds.cost_per_hour
    return ReaderPolicy(
        share=bounds.share or (0.6 if remote else 1.0),
        retries=int(remote) if bounds.retries is None else bounds.retries,
        retry_pause_s=bounds.retry_pause_ms / 1000,
        hedge_share_max=(0.05 if remote else 0.0)
        if bounds.hedge_share_max is None
        else bounds.hedge_share_max,
        at_once=bounds.at_once or at_once,
        waiting_max=bounds.waiting_max,
        breaker=BreakerLimits(
            failures_in_a_row=bounds.failures_in_a_row,
            failed_share=bounds.failed_share,
            open_s=bounds.open_s,
            open_s_max=max(bounds.open_s, bounds.open_s_max),
        ),
        budget=BudgetLimits(
            bounds.calls_per_hour,
            None if cost is None else round(cost * MILLION),
            round(bounds.cost_per_call * MILLION),
        ),
    )


__all__ = ["DEFAULT", "EMBEDDED", "Vision", "VisionFile", "default", "load", "read"]
