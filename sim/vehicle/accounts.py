"""Which robots of a site are played, and as what kind of vehicle each introduces itself."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import NamedTuple

from orchestrator.layout import LoadedSite
from orchestrator.vda5050 import topics
from orchestrator.vda5050.codec import Codec, codec_of
from orchestrator.vda5050.quirks import quirks_of

MANUFACTURER = "lightsout"


class Account(NamedTuple):
    """What the master must expect of a vehicle."""

    manufacturer: str
    codec: Codec
    interface: str


def account_of(loaded: LoadedSite, name: str, fleet: str, protocol: str | None) -> Account:
    """By the site file's `vehicles`; `protocol` overrides it. Vehicles that no entry lets join are
    played as well: other masters may know them."""
    for row in loaded.spec.vehicles:
        if row.fleet == fleet and fnmatchcase(name, row.serial):
            maker = (
                MANUFACTURER if fnmatchcase(MANUFACTURER, row.manufacturer) else row.manufacturer
            )
            codec = codec_of(protocol or row.protocol, quirks_of(row.quirks))
            return Account(maker, codec, row.interface)
    return Account(MANUFACTURER, codec_of(protocol or "2.1"), topics.INTERFACE)


def fleets_of(loaded: LoadedSite, robots: int | None) -> dict[str, int]:
    """So many robots in all, in the proportions of the site's fleets; nothing: as the site has them."""
    if robots is None:
        return {}
    given = {name: fleet.robots for name, fleet in loaded.spec.fleets.items()}
    all_of_them = max(1, sum(given.values()))
    counts = {name: robots * count // all_of_them for name, count in given.items()}
    for name in sorted(counts, key=lambda name: -given[name]):
        if sum(counts.values()) < robots:
            counts[name] += 1
    return counts
