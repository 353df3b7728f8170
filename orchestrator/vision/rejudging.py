"""A recorded run's pictures judged again by others: what they say, and what would have followed.

The journal is folded through the core, so that each look has its request, what could be known then, and
the step that it belongs to.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from orchestrator.core.flow import step_of
from orchestrator.core.messages import Command, Entry, ImageRead, RequestInference
from orchestrator.core.site import Recovery, Site, Stage, Step
from orchestrator.core.step import step as handle
from orchestrator.core.world import World, new_world
from orchestrator.vision.chain import Chain
from orchestrator.vision.judge import Judge
from orchestrator.vision.model import Picture

EXAMPLES_MAX = 10
LANE = Step(  # what follows a look at a lane: see core.lanes
    "check_lane", "inspect", then=("open",),
    outcomes={
        "blocked": Recovery((Stage("clear again", 1),), "maintenance"),
        "unreadable": Recovery((Stage("look again", 1),), "clear again"),
    },
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Recorded:
    """One picture of a run. `truth`: what a perfect reader would have said, where that is known;
    `owner`: the order, or the lane."""

    request: RequestInference
    read: ImageRead
    owner: str
    step: Step
    known: Collection[str]
    truth: str = ""


@dataclass(slots=True)
class Tally:
    """Of one task."""

    pictures: int = 0
    gone: int = 0  # pictures that are not there any more
    same: int = 0
    changes: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)
    right: Counter[str] = field(default_factory=Counter)  # before | now: as the truth has it
    false_ok: Counter[str] = field(default_factory=Counter)  # before | now: ok, and should not be
    judged: int = 0  # with a known truth
    latency_ms: list[float] = field(default_factory=list)
    examples: list[str] = field(default_factory=list)


def recorded(
    site: Site, entries: Iterable[Entry], truths: Mapping[int, str], skus: Collection[str]
) -> Iterator[Recorded]:
    """Those with a picture. `truths` by request; `skus`: what a box could hold."""
    world = new_world(site)
    asked: dict[int, RequestInference] = {}
    for entry in entries:
        event = entry.event
        if isinstance(event, ImageRead):
            request = asked.pop(event.request, None)
            if request is not None and event.image and _awaited(world, event.request):
                owner, step = _owner(world, request)
                known = skus if request.task != "read_label" else _ids(world)
                yield Recorded(request, event, owner, step, known, truths.get(event.request, ""))
        commands: Iterable[Command] = handle(world, entry.time_ns, event)
        asked.update((c.request, c) for c in commands if isinstance(c, RequestInference))


def _awaited(world: World, request: int) -> bool:
    return request in world.looks or request in world.floor_looks


def _owner(world: World, request: RequestInference) -> tuple[str, Step]:
    """Whose look it is, and the step that it belongs to."""
    token = world.looks.get(request.request)
    if token is None:
        return request.subject, LANE
    order = world.orders[token[0]]
    return order.id, step_of(world, order, token[1])


def _ids(world: World) -> frozenset[str]:
    loads = (order.load for order in world.orders.values() if order.load)
    return frozenset(world.stock.totes).union(loads)


async def rejudge(
    found: Iterable[Recorded], chain: Chain, picture: Callable[[str], Picture | None]
) -> dict[str, Tally]:
    """All of them again, one after the other; by task."""
    tallies: dict[str, Tally] = {}
    for one in found:
        tally = tallies.setdefault(one.request.task, Tally())
        kept = picture(one.read.image)
        judge = Judge(chain, lambda _, known=one.known: known)  # type: ignore[misc]
        if kept is None:
            tally.gone += 1
            judge.remember(one.request, one.read.image)
            continue
        again = await judge.answer(one.request, kept)
        _count(tally, one, again)
    return tallies


def _count(tally: Tally, one: Recorded, again: ImageRead) -> None:
    before, now = one.read.outcome, again.outcome
    tally.pictures += 1
    tally.latency_ms.append(again.latency_us / 1000)
    if one.truth:
        tally.judged += 1
        for when, outcome in (("before", before), ("now", now)):
            tally.right[when] += outcome == one.truth
            tally.false_ok[when] += outcome == "ok" != one.truth
    if before == now:
        tally.same += 1
        return
    step = one.step
    tally.changes[step.id, f"{before} -> {now}", leads(step, before), leads(step, now)] += 1
    if len(tally.examples) < EXAMPLES_MAX:
        tally.examples.append(f"{one.owner} {step.id}: {before} -> {now} ({one.read.image})")


def leads(step: Step, outcome: str) -> str:
    """What follows an outcome at its first time: steps, or that the order is set aside."""
    if outcome == "ok":
        return ", ".join(step.then)
    recovery = step.recovery(outcome)
    stage = recovery.stage(1) if recovery is not None else None
    if stage is not None:
        return f"{stage.then} ({stage.look})" if stage.look else stage.then
    return recovery.otherwise if recovery is not None else "quarantine"


def figures(tallies: Mapping[str, Tally]) -> dict[str, Any]:
    """Ready for `json.dumps`."""
    return {
        task: {
            "pictures": tally.pictures,
            "gone": tally.gone,
            "same": tally.same,
            "truth_known": tally.judged,
            "right_before": tally.right["before"],
            "right_now": tally.right["now"],
            "false_ok_before": tally.false_ok["before"],
            "false_ok_now": tally.false_ok["now"],
            "latency_ms_p50": _at(tally.latency_ms, 0.5),
            "latency_ms_p95": _at(tally.latency_ms, 0.95),
            "changes": [
                {"step": step, "outcome": change, "followed": then, "would_follow": instead, "n": n}
                for (step, change, then, instead), n in tally.changes.most_common()
            ],
            "examples": tally.examples,
        }
        for task, tally in sorted(tallies.items())
    }


def _at(values: list[float], share: float) -> float | None:
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 1) if ordered else None
