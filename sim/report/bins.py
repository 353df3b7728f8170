"""Time in bins: figures over the run, as many as a drawing can hold."""

from __future__ import annotations

from collections.abc import Iterable

MINUTE_NS = 60 * 10**9
WIDTHS_MIN = (1, 2, 5, 10, 15, 30, 60, 120, 240, 480)
BINS_MAX = 96


def width_ns(end_ns: int, most: int = BINS_MAX, least_min: int = 5) -> int:
    """The narrowest round width that gives at most so many bins."""
    for minutes in WIDTHS_MIN:
        if minutes >= least_min and end_ns <= minutes * MINUTE_NS * most:
            return minutes * MINUTE_NS
    return -(-end_ns // (most * MINUTE_NS)) * MINUTE_NS


def edges(end_ns: int, width: int) -> list[tuple[int, int]]:
    """(from, to) of each bin; the last may be shorter."""
    return [(at, min(at + width, end_ns)) for at in range(0, max(end_ns, 1), width)]


def spread(
    spans: Iterable[tuple[int, int]], bins: list[tuple[int, int]], width: int
) -> list[float]:
    """Seconds of the spans (from, to) that fall into each bin."""
    seconds = [0.0] * len(bins)
    for begin, end in spans:
        first = max(0, begin // width)
        for number in range(first, min(len(bins), end // width + 1)):
            low, high = bins[number]
            seconds[number] += max(0, min(end, high) - max(begin, low)) / 1e9
    return seconds
