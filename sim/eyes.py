"""What the cameras of the fake world say of what is really before them."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from orchestrator.core.messages import RequestInference
from sim.floor import Floor, variant

RIGHT, TORN, OTHER_LABEL = "right", "torn", "other_label"
WRONG_COUNT, WRONG_ITEM, DAMAGED = "wrong_count", "wrong_item", "damaged"
NOTHING = "nothing"  # no goods are there
FALLEN = "fallen"  # something, on a lane
SEEN_AS = {
    RIGHT: "ok", TORN: "unreadable", OTHER_LABEL: "misread", WRONG_COUNT: "mismatch",
    WRONG_ITEM: "mismatch", DAMAGED: "damaged", NOTHING: "unreadable", FALLEN: "blocked",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shown:
    """What is there when the picture is taken. `value`: what a perfect reader would read; of a box,
    `units` are what lies in it. A torn label says what it says, if it can be read."""

    case: str
    value: str
    units: tuple[tuple[str, int], ...] = ()
    broken: int = 0  # units of `broken_sku` among them
    broken_sku: str = ""


class Seen(NamedTuple):
    """What is said of it, after `seconds` more than the camera takes. `hangs`: the camera has sent the
    same picture too often."""

    outcome: str
    value: str
    model: str
    confidence_permille: int = 1000
    seconds: float = 0.0
    image: str = ""
    hangs: bool = False


class Eyes(Protocol):
    """Whoever judges pictures. `clear`: this view is one on which something can be seen; `chance` is
    the camera's own stream."""

    def see(
        self, request: RequestInference, shown: Shown, chance: random.Random, *, clear: bool
    ) -> Seen: ...


class Perfect:
    """What can be seen is seen."""

    def see(
        self, request: RequestInference, shown: Shown, chance: random.Random, *, clear: bool
    ) -> Seen:
        """Without an error."""
        if not clear or shown.case == TORN:
            return Seen("unreadable", "", "perfect")
        return Seen(SEEN_AS[shown.case], shown.value, "perfect")


def lane_shown(*, fallen: bool) -> Shown:
    """The truth about a lane."""
    return Shown(FALLEN, "blocked") if fallen else Shown(RIGHT, "clear")


def shown_to(request: RequestInference, floor: Floor) -> Shown:
    """The truth about what a camera is asked to look at."""
    if request.task == "identify_item":
        return _goods(request, floor)
    if request.task == "inspect_damage":
        return _condition(request, floor)
    if request.task != "verify_pick":
        label = floor.labels.get(request.subject, request.subject)
        case = RIGHT if label == request.subject else OTHER_LABEL if label else TORN
        return Shown(case, label or request.subject)
    sku, _, _ = request.expected.rpartition(":")  # "" where a picture is wanted and no word
    box = floor.boxes.get(request.subject, {})
    value = f"{sku}:{box.get(sku, 0)}"
    case = RIGHT if value == request.expected else WRONG_COUNT
    if variant(sku) in box:
        case = WRONG_ITEM
    damaged = floor.damaged.get(request.subject, {})
    broken_sku = sku if damaged.get(sku) else next((name for name, n in damaged.items() if n), "")
    if case == RIGHT and broken_sku == sku:
        case = DAMAGED
    return Shown(case, value, tuple(box.items()), damaged.get(broken_sku, 0), broken_sku)


def _goods(request: RequestInference, floor: Floor) -> Shown:
    """What lies in a tote."""
    sku, quantity = floor.units.get(request.subject, ("", 0))
    if not quantity:
        return Shown(NOTHING, "")
    return Shown(RIGHT if sku == request.expected else WRONG_ITEM, sku, ((sku, quantity),))


def _condition(request: RequestInference, floor: Floor) -> Shown:
    """Units of one item in a tote or a box, one after the other: the worst of them counts. Of a box
    it may not be said which item; then it is one of them all."""
    damaged = {sku: n for sku, n in floor.damaged.get(request.subject, {}).items() if n}
    if request.subject in floor.units:
        sku, there = floor.units[request.subject]
    else:
        box = floor.boxes.get(request.subject, {})
        sku = request.expected or next(iter(damaged), "") or next(iter(box), "")
        there = box.get(sku, 0)
    if not there:
        return Shown(NOTHING, "")
    if sku in damaged:
        return Shown(DAMAGED, "damaged", ((sku, there),), damaged[sku], sku)
    return Shown(RIGHT, "intact", ((sku, there),))
