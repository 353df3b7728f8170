"""What the world asks of the site: a rate or an hourly curve."""

from __future__ import annotations

import math
import random
from bisect import bisect
from collections.abc import Iterator
from itertools import accumulate, count

from orchestrator.core.messages import Line, OrderReceived
from orchestrator.core.site import Site
from orchestrator.layout.site_file import OutboundDemand, StockFile, TransportDemand, TruckFile
from sim.clock import SECOND_NS, Streams

HOUR_S = 3600.0
Rate = float | tuple[float, ...]


def arrivals(chance: random.Random, rate: Rate, hours: float) -> Iterator[float]:
    """Seconds of a Poisson process with a constant or hourly rate per hour (thinning)."""
    curve = rate if isinstance(rate, tuple) else (rate,)
    peak = max(curve, default=0.0)
    if peak <= 0:
        return
    time_s = 0.0
    while True:
        time_s += chance.expovariate(peak / HOUR_S)
        if time_s >= hours * HOUR_S:
            return
        if chance.random() * peak < curve[int(time_s // HOUR_S) % len(curve)]:
            yield time_s


class Popularity:
    """Stock keeping units asked for like 1 / rank ** skew."""

    def __init__(self, stock: StockFile) -> None:
        self._names = stock.sku_names
        weights = [(rank + 1) ** -stock.skew for rank in range(len(self._names))]
        self._sums = list(accumulate(weights))
        self._shares = [weight / self._sums[-1] for weight in weights]

    def draw(self, chance: random.Random) -> str:
        """One of them."""
        return self._names[bisect(self._sums, chance.random() * self._sums[-1])]

    def supplies(self, chance: random.Random) -> Iterator[str]:
        """What suppliers send, tote by tote: each time what has fallen behind its share the most,
        give or take half a tote. The first ones are one of each."""
        given = [0] * len(self._names)
        for number in count(1):
            behind = [
                share * number - had + chance.uniform(-0.5, 0.5) + (not had)
                for share, had in zip(self._shares, given, strict=True)
            ]
            best = behind.index(max(behind))
            given[best] += 1
            yield self._names[best]


def outbound(
    demand: OutboundDemand,
    stock: StockFile,
    trucks: dict[str, TruckFile],
    streams: Streams,
    hours: float,
) -> Iterator[tuple[int, OrderReceived]]:
    """Customers' orders: (time_ns, event)."""
    popularity, chance = Popularity(stock), streams.of("outbound")
    routes, luck = list(demand.routes), streams.of("outbound routes")
    times = streams.of("outbound times")
    for number, time_s in enumerate(arrivals(times, demand.orders_per_hour, hours), 1):
        lines = tuple(
            Line(popularity.draw(chance), _count(chance, demand.quantity))
            for _ in range(_count(chance, demand.lines))
        )
        due_s = time_s + 60 * chance.uniform(*demand.due_minutes)
        route = ""
        if routes:
            route = luck.choices(routes, list(demand.routes.values()))[0]
            due_s = departure_after(trucks[route], due_s)
        yield (
            round(time_s * SECOND_NS),
            OrderReceived(
                order_id=f"order-{number:05d}",
                kind="outbound",
                lines=lines,
                due_ns=round(due_s * SECOND_NS),
                route=route,
            ),
        )


def transports(
    demand: TransportDemand, site: Site, streams: Streams, hours: float
) -> Iterator[tuple[int, OrderReceived]]:
    """Transports between lane nodes, or from one of each list of nodes to one of the next."""
    chance, roadmap = streams.of("transports"), site.roadmap
    if demand.stops == "any":
        lanes = [node for node, bay in enumerate(roadmap.node_bay) if bay < 0]
        rows = [lanes, lanes]
    else:
        number = {name: node for node, name in enumerate(roadmap.node_ids)}
        rows = [[number[name] for name in names] for names in demand.stops]
    times = streams.of("transport times")
    for count_, time_s in enumerate(arrivals(times, demand.orders_per_hour, hours), 1):
        stops: list[int] = []
        for row in rows:
            others = [node for node in row if not stops or node != stops[-1]] or row
            stops.append(chance.choice(others))
        due_s = time_s + 60 * chance.uniform(*demand.due_minutes)
        yield (
            round(time_s * SECOND_NS),
            OrderReceived(
                order_id=f"transport-{count_:05d}",
                kind=demand.order_type,
                due_ns=round(due_s * SECOND_NS),
                stops=tuple(stops),
            ),
        )


def departure_after(table: TruckFile, time_s: float) -> float:
    """Seconds of the first departure of a route that is not before `time_s`."""
    first_s, every_s = 60 * table.first_minute, 60 * table.every_minutes
    return first_s + every_s * max(0, math.ceil((time_s - first_s) / every_s))


def _count(chance: random.Random, shares: tuple[float, ...]) -> int:
    return 1 + min(bisect(list(accumulate(shares)), chance.random() * sum(shares)), len(shares) - 1)
