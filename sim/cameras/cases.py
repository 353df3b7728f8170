"""Questions whose answers are known, many of them wrong but plausible: what `bench vision` asks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

from orchestrator.vision.model import DAMAGED, INTACT, TASKS, Question, Task
from sim.cameras import LEVELS, Truth
from sim.cameras.dice import Dice, dice

IDS = 10_000  # totes, and as many parcels: all of them are known
SKUS = 200  # in families of ten that look alike
STATION = "easy"
STRANGER = 7  # every so many-th SKU is not known to whoever asks


@dataclass(frozen=True, slots=True)
class Case:
    """`kind` is what is the matter; `right`: what a perfect reader says; `bad`: accepting it would
    let something wrong pass. Other processes make it anew: it knows thousands of ids."""

    seed: int
    number: int
    task: Task
    level: str
    subject: str
    truth: Truth
    question: Question
    kind: str
    right: str
    bad: bool

    def __reduce__(self) -> tuple[Callable[..., Case], tuple[int, Task, int, str]]:
        return case_of, (self.seed, self.task, self.number, self.level)


def labels(seed: int, count: int) -> list[Case]:
    """Level by level in turn; a quarter expects another id that is like the printed one."""
    return [case_of(seed, "read_label", number) for number in range(count)]


def others(seed: int, count: int) -> list[Case]:
    """So many of each other task."""
    tasks = [task for task in TASKS if task != "read_label"]
    return [case_of(seed, task, number) for task in tasks for number in range(count)]


def stations(seed: int, count: int) -> list[Case]:
    """So many of each task, all as a good station sees them."""
    return [case_of(seed, task, number, STATION) for task in TASKS for number in range(count)]


def case_of(seed: int, task: Task, number: int, level: str = "") -> Case:
    """One of them; "": at its own level."""
    makers: dict[Task, Callable[[int, int], Case]] = {
        "read_label": _label,
        "verify_pick": _pick,
        "identify_item": _item,
        "inspect_damage": _damage,
        "check_lane": _lane,
    }
    made = makers[task](seed, number)
    return replace(made, level=level) if level else made


@cache
def known_ids() -> frozenset[str]:
    """All that could be anywhere."""
    return frozenset(f"{kind}{number}" for kind in ("parcel-o",) for number in range(IDS)) | {
        f"tote-{number:04d}" for number in range(IDS)
    }


@cache
def known_skus() -> frozenset[str]:
    """Those on file: but for every seventh."""
    return frozenset(_sku(number) for number in range(SKUS) if number % STRANGER)


def like(identity: str, chance: Dice) -> str:
    """Another known id: one digit differs, two are swapped, or it is the next one."""
    start = identity.rindex("o" if identity.startswith("parcel") else "-") + 1
    digits = list(identity[start:])
    kind = int(chance.integers(3))
    if kind == 0 and len(set(digits)) > 1:
        spots = [at for at in range(len(digits) - 1) if digits[at] != digits[at + 1]]
        at = spots[int(chance.integers(len(spots)))]
        digits[at], digits[at + 1] = digits[at + 1], digits[at]
    elif kind == 1:
        at = int(chance.integers(len(digits)))
        digits[at] = str((int(digits[at]) + int(chance.integers(1, 10))) % 10)
    else:
        digits = list(str((int("".join(digits)) + 1) % IDS).zfill(len(digits)))
    number = "".join(digits)
    if identity.startswith("parcel"):
        number = str(int(number))
    other = identity[:start] + number
    return other if other != identity else like(identity, chance)


def _level(number: int) -> str:
    return tuple(LEVELS)[number % len(LEVELS)]


def _sku(number: int) -> str:
    return f"sku-{number:04d}"


def _label(seed: int, number: int) -> Case:
    chance = dice("case", seed, "read_label", number)
    at = int(chance.integers(IDS))
    printed = f"tote-{at:04d}" if chance.random() < 0.5 else f"parcel-o{at}"
    draw, other = float(chance.random()), like(printed, chance)
    if draw < 0.25:
        kind, truth, expected = "other", Truth(label=printed), other
    elif draw < 0.28:
        kind, truth, expected = "none", Truth(), printed
    elif draw < 0.30:
        expected = printed if chance.random() < 0.5 else other
        kind, truth = "two", Truth(label=printed, beside=other)
    else:
        kind, truth, expected = "same", Truth(label=printed), printed
    question = Question("read_label", expected, known_ids(), printed)
    right = truth.label if kind != "two" else ""
    bad = kind in ("other", "none") or (kind == "two" and expected != printed)
    level = _level(number)
    return Case(seed, number, "read_label", level, printed, truth, question, kind, right, bad)


def _pick(seed: int, number: int) -> Case:
    """What the arm did is not always what it reports."""
    chance = dice("case", seed, "verify_pick", number)
    sku, other = _on_file(chance), _on_file(chance)
    count = 1 + int(chance.integers(4))
    contents = {sku: count}
    draw = float(chance.random())
    kind, broken, bad = "same", 0, False
    if draw < 0.2:
        kind, bad = "count", True
        contents[sku] = count + (1 if count == 1 or chance.random() < 0.5 else -1)
    elif draw < 0.32:
        kind, bad = ("sibling", True) if draw < 0.28 else ("stranger", True)
        contents[sku] = count - 1
        family = [f"{sku[:-1]}{digit}" for digit in range(10)]
        wanted = kind == "sibling"
        choice = [name for name in family if name != sku and (name in known_skus()) == wanted]
        contents[choice[int(chance.integers(len(choice)))]] = 1
    elif draw < 0.4:
        kind, broken, bad = "broken", 1, True
    if chance.random() < 0.5 and other[:-1] != sku[:-1]:
        contents[other] = 1 + int(chance.integers(2))
    question = Question("verify_pick", f"{sku}:{count}", known_skus(), f"o{number}")
    truth = Truth(contents=contents, broken=broken, broken_sku=sku)
    right = f"{sku}:{contents[sku]}"
    return Case(
        seed, number, "verify_pick", _level(number), f"o{number}", truth, question, kind, right, bad
    )


def _item(seed: int, number: int) -> Case:
    chance = dice("case", seed, "identify_item", number)
    expected = _on_file(chance)
    family = [f"{expected[:-1]}{digit}" for digit in range(10)]
    draw = float(chance.random())
    kind, shown = "same", expected
    if draw < 0.35:
        kind = "sibling" if draw < 0.25 else "stranger"
        choice = [n for n in family if n != expected and (n in known_skus()) == (kind == "sibling")]
        shown = choice[int(chance.integers(len(choice)))]
    question = Question("identify_item", expected, known_skus(), f"tote-{number:04d}")
    right = "" if kind == "stranger" else shown
    truth = Truth(contents={shown: 1})
    level = _level(number)
    return Case(
        seed, number, "identify_item", level, shown, truth, question, kind, right, kind != "same"
    )


def _damage(seed: int, number: int) -> Case:
    chance = dice("case", seed, "inspect_damage", number)
    sku, broken = _on_file(chance), bool(chance.random() < 0.5)
    question = Question("inspect_damage", sku, known_skus(), sku)
    kind = DAMAGED if broken else INTACT
    truth = Truth(contents={sku: 1}, broken=int(broken))
    return Case(
        seed, number, "inspect_damage", _level(number), sku, truth, question, kind, kind, broken
    )


def _lane(seed: int, number: int) -> Case:
    chance = dice("case", seed, "check_lane", number)
    lane, fallen = f"aisle-{int(chance.integers(12))}", bool(chance.random() < 0.5)
    question = Question("check_lane", "", (), lane)
    right = "blocked" if fallen else "clear"
    truth = Truth(fallen=fallen)
    return Case(
        seed, number, "check_lane", _level(number), lane, truth, question, right, right, fallen
    )


def _on_file(chance: Dice) -> str:
    names = sorted(known_skus())
    return names[int(chance.integers(len(names)))]
