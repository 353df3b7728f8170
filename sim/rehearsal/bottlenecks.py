"""What there is too little of: chargers, a station's speed, robots. Each (.., text, when to look)."""

from __future__ import annotations

from collections import defaultdict

import numpy as np

from sim.report import energy, fleet
from sim.report.bins import edges, spread, width_ns
from sim.report.measured import Measured
from sim.report.timeline import CHARGING, IDLE, Fact
from sim.verification.table import clock

Span = tuple[int, int]
FULL = 0.9  # a machine, or a place to charge, that is in use so much of the time is at its limit
IDLE_LEAST = 0.05  # of a fleet's time: below it nobody is to be had
BEFORE_S = 60.0


def chargers(seen: Measured) -> list[tuple[str, str, float]]:
    """Fleets of which robots ran empty, or were about to, while all their chargers were taken."""
    found, tracks, end_ns = [], seen.tracks, seen.tracks.end_ns
    empty = [
        (time_ns, str(fact["robot"]))
        for time_ns, kind, fact in seen.facts
        if kind == "fault" and fact.get("kind") == "battery_empty"
    ]
    fleet_of = {robot.name: robot.fleet for robot in tracks.robots}
    used = energy.figures(tracks, seen.spans, seen.charge, seen.loaded.spec)["fleets"]
    for number, kind in enumerate(seen.loaded.site.fleets):
        mine = [(at, name) for at, name in empty if fleet_of[name] == kind.id]
        places = _places(seen, number)
        taken, since_s = _taken(seen, places)
        least, urgent = used[kind.id]["least_percent"], kind.charge_urgent_permille / 10
        if not mine and not (taken >= FULL and least is not None and least < urgent):
            continue
        rate = used[kind.id]["charges_used"] * 3600e9 / max(end_ns, 1)
        robots = sum(name == kind.id for name in fleet_of.values())
        text = (
            f"too few chargers: {len(places)} for {robots} {kind.id}, taken {100 * taken:.0f} % of"
        )
        text += (
            f" the time from {clock(since_s)[:-4]} on; they use {rate:.1f} full charges an hour,"
        )
        text += f" which takes {rate * kind.charge_ms / 3.6e6:.1f} chargers"
        at_s = since_s
        if mine:
            at_s, first = min(mine)[0] / 1e9, min(mine)[1]
            robots_empty = len({name for _, name in mine})
            text += f"; {robots_empty} ran empty, the first was {first} at {clock(at_s)[:-4]}"
        found.append(("chargers", text, at_s - BEFORE_S))
    return found


def _places(seen: Measured, number: int) -> list[int]:
    bays = seen.loaded.site.roadmap.bays
    return [n for n, bay in enumerate(bays) if bay.kind == "charger" and bay.fleets >> number & 1]


def _taken(seen: Measured, places: list[int]) -> tuple[float, float]:
    """Share of the time in which the chargers were taken, and from when on it is measured: from when
    they first were all taken, or from the beginning."""
    if not places:
        return 1.0, 0.0
    spans, end_ns = seen.spans, seen.tracks.end_ns
    here = np.isin(spans.bay, places) & np.isin(spans.state, (CHARGING, IDLE))
    width = width_ns(end_ns, least_min=1)
    bins = edges(end_ns, width)
    rows = list(zip(spans.t0_ns[here].tolist(), spans.t1_ns[here].tolist(), strict=True))
    seconds = spread(rows, bins, width)
    shares = [
        value * 1e9 / max(high - low, 1) / len(places)
        for value, (low, high) in zip(seconds, bins, strict=True)
    ]
    first = next((at for at, share in enumerate(shares) if share >= FULL), 0)
    return min(1.0, sum(shares[first:]) / len(shares[first:])), bins[first][0] / 1e9


def machines(seen: Measured) -> list[tuple[str, float]]:
    """Machines that are at work all the time in the second half of the run, the busiest first."""
    end_ns, found = seen.tracks.end_ns, []
    for (station, capability), spans in sorted(works(seen.facts).items()):
        busy = share(spans, end_ns // 2, end_ns)
        if busy < FULL:
            continue
        begin = _busy_from(spans, end_ns)
        each = sum(high - low for low, high in spans) / 1e9 / len(spans)
        middle = (begin + end_ns) // 2
        waiting = [_open(seen, capability, at) for at in (begin, middle, end_ns)]
        text = f"{station} is too slow: {capability} is at work {100 * busy:.0f} % of"
        text += (
            f" the time from {clock(begin / 1e9)[:-4]} on, {each:.0f} s each; orders that need it:"
        )
        text += f" {waiting[0]} open then, {waiting[1]} at {clock(middle / 1e9)[:-4]},"
        text += f" {waiting[2]} at the end"
        found.append((busy, text, begin / 1e9))
    return [(text, at) for _, text, at in sorted(found, key=lambda entry: (-entry[0], entry[1]))]


def works(facts: list[Fact]) -> dict[tuple[str, str], list[Span]]:
    """(station, capability) -> (from, to) of each piece of work, told at its end."""
    found: dict[tuple[str, str], list[Span]] = defaultdict(list)
    for time_ns, kind, fact in facts:
        if kind == "worked":
            key = (str(fact["station"]), str(fact["capability"]))
            found[key].append((time_ns - round(fact["seconds"] * 1e9), time_ns))
    return dict(found)


def share(spans: list[Span], low: int, high: int) -> float:
    """Of a stretch, how much the spans cover; what is under way at its end was not told yet."""
    last = max(end for _, end in spans)
    covered = sum(max(0, min(high, end) - max(low, begin)) for begin, end in spans)
    return covered / max(min(high, last) - low, 1) if last > low else 0.0


def _busy_from(spans: list[Span], end_ns: int) -> int:
    """From when on the machine hardly rested."""
    for begin, _ in spans:
        if share(spans, begin, end_ns) >= FULL:
            return max(0, begin)
    return end_ns // 2


def _open(seen: Measured, capability: str, at_ns: int) -> int:
    types = seen.loaded.site.order_types
    kinds = {k for k, t in types.items() if any(s.needs == capability for s in t.steps.values())}
    count = 0
    for order in seen.verdict.ledger.orders.values():
        ends = [time_ns for time_ns in (order.right_ns, order.closed_ns) if time_ns >= 0]
        is_open = order.received_ns <= at_ns < min(ends, default=2**62)
        count += order.kind in kinds and is_open
    return count


def fleets(seen: Measured) -> list[tuple[str, float]]:
    """Fleets of which nobody was to be had."""
    found = []
    rolled = fleet.StopAndGo(len(seen.robots), seen.places)
    rolled.add(seen.tracks)
    for name, row in fleet.fleets(seen.robots, seen.spans, rolled).items():
        free = row["share"]["idle"] + row["share"]["charging"]
        if name != "all" and free < IDLE_LEAST:
            text = (
                f"too few robots: {row['robots']} {name} were free {100 * free:.1f} % of the time"
            )
            found.append((text, 0.0))
    return found
