"""How two runs are related, from what they were made from: where they begin to differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sim.fork import Fork, forks_of
from sim.verification.table import clock


@dataclass(frozen=True, slots=True)
class Kinship:
    """`kind`: same | fork (one of the other) | siblings (forks of one run) | played (the same site,
    seed and demand, not both simulated) | apart. `since_s`: they are equal up to here."""

    kind: str
    since_s: float
    forks: tuple[tuple[Fork, ...], tuple[Fork, ...]] = ((), ())  # what only this one has

    def text(self, names: tuple[str, str]) -> str:
        """In words."""
        at = clock(self.since_s)[:-4]
        if self.kind == "same":
            return "both are made from the same recipe: the same run"
        if self.kind == "played":
            return (
                "the same site, seed and demand, played in two ways: the whole of both is compared"
            )
        if self.kind == "apart":
            return "the runs have different beginnings: the whole of both is compared"
        parts = [
            f"{name}: {'; '.join(f'from {clock(f.at_s)[:-4]} {f}' for f in mine)}"
            for name, mine in zip(names, self.forks, strict=True)
            if mine
        ]
        return f"the same run up to {at}. {'. '.join(parts)}"


def kinship(first: dict[str, Any], second: dict[str, Any]) -> Kinship:
    """From the meta values of two runs."""
    recipes = [dict(meta.get("recipe") or {}) for meta in (first, second)]
    if _how(first) != "simulated" or _how(second) != "simulated":
        made = [{k: v for k, v in row.items() if k not in ("hours", "forks")} for row in recipes]
        return Kinship("played" if made[0] == made[1] and made[0] else "apart", 0.0)
    pages = [forks_of(recipe.pop("forks", None) or []) for recipe in recipes]
    if recipes[0] != recipes[1] or not recipes[0]:
        return Kinship("apart", 0.0)
    own = _without(pages[0], pages[1]), _without(pages[1], pages[0])
    parting = [mine[0].at_s for mine in own if mine]
    if not parting:
        return Kinship("same", 0.0)
    return Kinship("siblings" if all(own) else "fork", min(parting), own)


def _how(meta: dict[str, Any]) -> str:
    return "live" if meta.get("live") else "building" if meta.get("building") else "simulated"


def _without(mine: list[Fork], theirs: list[Fork]) -> tuple[Fork, ...]:
    """Those that the other doesn't have too."""
    left = list(theirs)
    own = []
    for fork in mine:
        if fork in left:
            left.remove(fork)
        else:
            own.append(fork)
    return tuple(own)
