"""How a run's cameras see: perfectly, by measured rates, or by pictures that are really read."""

from __future__ import annotations

import asyncio
import random
import zlib
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from orchestrator.core.messages import ImageRead, RequestInference
from orchestrator.layout import LoadedSite
from orchestrator.vision import settings
from orchestrator.vision.judge import Judge
from orchestrator.vision.model import Picture, Task
from orchestrator.vision.pictures import Pictures
from sim.cameras import Scenes, Truth
from sim.cameras.rates import rates
from sim.clock import Clock
from sim.eyes import (
    DAMAGED,
    FALLEN,
    NOTHING,
    OTHER_LABEL,
    RIGHT,
    TORN,
    WRONG_COUNT,
    WRONG_ITEM,
    Eyes,
    Perfect,
    Seen,
    Shown,
)
from sim.floor import LOOKALIKE, Floor, variant
from sim.look_clock import LookClock
from sim.scenario import Options, ScenarioError

PERFECT, STATISTICAL, RENDERED = "perfect", "statistical", "rendered"
KINDS = {
    OTHER_LABEL: "other", WRONG_COUNT: "count", WRONG_ITEM: "sibling", DAMAGED: "broken",
    FALLEN: "blocked",
}  # fmt: skip
CONDITION = {RIGHT: "intact", DAMAGED: "damaged"}  # the same of `inspect_damage`
CLEAR, UNCLEAR, WORN = "easy", "foul", "torn"  # levels of difficulty: see sim.cameras.levels
CONFIDENT_PERMILLE = 950
SETTLED = 5  # turns of the loop


@dataclass(frozen=True, slots=True)
class Mode:
    """`share` of the looks is rendered; the others are statistical."""

    name: str = STATISTICAL
    share: float = 1.0


def parse(text: str) -> Mode:
    """perfect | statistical | rendered | rendered:SHARE. Raises `ScenarioError`."""
    name, _, share = text.partition(":")
    mend = "write perfect, statistical, rendered or rendered:0.02"
    if name not in (PERFECT, STATISTICAL, RENDERED) or (share and name != RENDERED):
        raise ScenarioError(f"--vision {text}: unknown -> {mend}")
    try:
        part = float(share) if share else 1.0
    except ValueError:
        part = -1.0
    if not 0.0 <= part <= 1.0:
        raise ScenarioError(f"--vision {text}: the share is from 0 to 1 -> {mend}")
    return Mode(name, part)


class Measured:
    """Outcomes drawn from the rates of the calibration: each error at its upper 95 % bound."""

    def see(
        self, request: RequestInference, shown: Shown, chance: random.Random, *, clear: bool
    ) -> Seen:
        """Draws once."""
        drawn = chance.random()
        if not clear or shown.case == NOTHING:
            return Seen("unreadable", "", STATISTICAL, 0)
        level = WORN if shown.case == TORN else CLEAR
        kinds = CONDITION if request.task == "inspect_damage" else KINDS
        shares = rates(request.task, level, kinds.get(shown.case, ""))
        return _said(request, shown, _at(shares, drawn))


def _at(shares: Mapping[str, float], drawn: float) -> str:
    """The outcome on whose share a number from 0 to 1 falls."""
    for outcome, share in shares.items():
        drawn -= share
        if drawn < 0:
            return outcome
    return outcome


def _said(request: RequestInference, shown: Shown, outcome: str) -> Seen:
    if outcome in ("unreadable", "doubtful"):
        return Seen(outcome, "", STATISTICAL, 0)
    if request.task == "inspect_damage":
        value = "intact" if outcome == "ok" else "damaged"
        return Seen(outcome, value, STATISTICAL, CONFIDENT_PERMILLE)
    value = request.expected if outcome == "ok" else shown.value
    if value == request.expected and outcome in ("misread", "mismatch", "blocked"):
        value = ""
    return Seen(outcome, value, STATISTICAL, CONFIDENT_PERMILLE)


class Rendered:
    """A seeded share of the looks is rendered and read by the chain; of the others, those with a bad
    outcome are rendered as well, to be looked at."""

    def __init__(
        self,
        mode: Mode,
        scenes: Scenes,
        judge: Judge,
        pictures: Pictures | None,
        clock: LookClock,
        reads: Mapping[int, ImageRead],
    ) -> None:
        """`clock`: the chain's, too. `reads`: answers from before the run was resumed or forked."""
        self._reads = reads
        self._share, self._scenes, self._judge = mode.share, scenes, judge
        self._pictures, self._clock = pictures, clock
        self._rest: Eyes = Measured()
        self._loop = asyncio.new_event_loop()
        self.rendered = 0

    def see(
        self, request: RequestInference, shown: Shown, chance: random.Random, *, clear: bool
    ) -> Seen:
        """Look at a picture, or draw."""
        known = self._reads.get(request.request)
        if known is not None:
            chance.random()  # as many draws as without
            self._judge.remember(request, known.image)
            if known.image and self._pictures is not None and known.image not in self._pictures:
                picture = photograph(self._scenes, request, shown, clear)
                self._judge.keep(picture, bad=known.outcome != "ok")
            return _again(known)._replace(hangs=self._judge.hangs(request))
        key = f"{self._scenes.seed}/{request.request}"
        if zlib.crc32(key.encode()) / 2**32 >= self._share:
            seen = self._rest.see(request, shown, chance, clear=clear)
            if seen.outcome == "ok" or self._pictures is None:
                return seen
            picture = photograph(self._scenes, request, shown, clear)
            return seen._replace(image=self._judge.keep(picture, bad=True))
        chance.random()  # as many draws as without a picture
        picture = photograph(self._scenes, request, shown, clear)
        self._clock.begin()
        read = self._loop.run_until_complete(self._answer(request, picture))
        self.rendered += 1
        return _again(read)._replace(hangs=self._judge.hangs(request))

    async def _answer(self, request: RequestInference, picture: Picture) -> ImageRead:
        read = await self._judge.answer(request, picture)
        for _ in range(SETTLED):  # calls that were given up end in this look's time
            await asyncio.sleep(0)
        return read

    def close(self) -> None:
        """Let go of what the readers hold."""
        self._loop.run_until_complete(self._judge.chain.close())
        self._loop.close()


def _again(read: ImageRead) -> Seen:
    seconds = read.latency_us / 1e6
    return Seen(read.outcome, read.value, read.model, read.confidence_permille, seconds, read.image)


def pack_of(sku: str) -> str:
    """Whose pack it shows: what is easily taken for an article is of its family, and looks alike."""
    return f"{sku[:-2]}{LOOKALIKE}" if sku.endswith(LOOKALIKE) else sku


def photograph(scenes: Scenes, request: RequestInference, shown: Shown, clear: bool) -> Picture:
    """What the camera sees."""
    level = UNCLEAR if not clear else WORN if shown.case == TORN else CLEAR
    if request.task == "read_label":
        truth = Truth(label=request.subject if shown.case == TORN else shown.value)
    elif request.task == "check_lane":
        truth = Truth(fallen=shown.case == FALLEN)
    else:
        contents: Counter[str] = Counter()
        units = shown.units if request.task == "verify_pick" else [(s, 1) for s, _ in shown.units]
        for sku, count in units:
            contents[pack_of(sku)] += count
        broken = 0 if request.task == "identify_item" else shown.broken
        truth = Truth(contents=contents, broken=broken, broken_sku=shown.broken_sku)
    task: Task = request.task  # type: ignore[assignment]
    return scenes.picture(task, request.subject, truth, request.request, level)


def packs_of(skus: Collection[str]) -> frozenset[str]:
    """All that could lie in a box."""
    return frozenset(skus).union(pack_of(variant(sku)) for sku in skus)


def eyes_of(options: Options, loaded: LoadedSite, floor: Floor, clock: Clock) -> Eyes:
    """The eyes that a run's options ask for."""
    mode = parse(options.vision)
    if mode.name == PERFECT:
        return Perfect()
    if mode.name == STATISTICAL or not mode.share:
        return Measured()
    from orchestrator.vision.assembly import chain_of  # noqa: PLC0415

    vision_file = settings.of_text(options.readers)
    scenes = Scenes(options.seed)
    of_looks = LookClock(clock)
    chain = chain_of(
        vision_file, faces=scenes.faces, lanes=scenes.lanes, inline=True, clock=of_looks
    )
    skus = packs_of(loaded.site.skus)

    def known(request: RequestInference) -> Collection[str]:
        """Ids of the loads in the building; SKUs, and what looks like them."""
        if request.task != "read_label":
            return skus
        return frozenset(floor.place).union(floor.labels.values())  # some are of what has left

    pictures = Pictures(options.pictures) if options.pictures is not None else None
    judge = Judge(chain, known, pictures)
    return Rendered(mode, scenes, judge, pictures, of_looks, options.reads)
