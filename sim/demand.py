"""What the world asks of the site: a rate, an hourly curve, or a file of orders."""

from __future__ import annotations

import csv
import io
import math
import random
from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, count
from pathlib import Path

from orchestrator.core.messages import Line, OrderReceived
from orchestrator.core.site import Site
from orchestrator.layout.site_file import OutboundDemand, StockFile, TruckFile
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


def departure_after(table: TruckFile, time_s: float) -> float:
    """Seconds of the first departure of a route that is not before `time_s`."""
    first_s, every_s = 60 * table.first_minute, 60 * table.every_minutes
    return first_s + every_s * max(0, math.ceil((time_s - first_s) / every_s))


def _count(chance: random.Random, shares: tuple[float, ...]) -> int:
    return 1 + min(bisect(list(accumulate(shares)), chance.random() * sum(shares)), len(shares) - 1)


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row of an order file that was left out."""

    file: str
    line: int
    text: str
    mend: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text} -> {self.mend}"


COLUMNS = ("order_id", "time_s", "sku", "quantity", "due_s")
ORDERS_MAX = 1_000_000


class OrderFileError(ValueError):
    """An order file that can't be used at all."""


def read_text(path: Path) -> str:
    """The text of an order file."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise OrderFileError(f"{path}: can't be read: {error} -> give a UTF-8 CSV file") from error


def from_csv(
    text: str, name: str, site: Site
) -> tuple[list[tuple[int, OrderReceived]], list[BadRow]]:
    """Orders from `order_id,time_s,sku,quantity,due_s[,chute]`; rows with one order_id are its
    lines. Bad rows are returned beside the good ones."""
    bad: list[BadRow] = []
    orders: dict[str, tuple[float, float, str, list[Line]]] = {}
    reader = csv.DictReader(io.StringIO(text, newline=""))
    try:
        missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
        if missing:
            raise OrderFileError(
                f"{name}:1: column {', '.join(missing)} is missing -> "
                f"begin with the line {','.join(COLUMNS)}"
            )
    except csv.Error as error:
        raise OrderFileError(f"{name}:1: {error} -> mend the line") from error
    chutes = {s.id for s in site.stations if "handout" in s.capabilities}
    while True:
        try:
            row = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            number = reader.reader.line_num
            bad.append(BadRow(name, number, f"no row of a CSV: {error}", "mend the line"))
            continue
        wrong = _take(row, site_chutes=chutes, orders=orders)
        if wrong:
            bad.append(BadRow(name, reader.line_num, *wrong))
    stations = {station.id: number for number, station in enumerate(site.stations)}
    events = [
        (
            round(time_s * SECOND_NS),
            OrderReceived(
                order_id=order_id,
                kind="outbound",
                lines=tuple(lines),
                due_ns=round(due_s * SECOND_NS),
                station=stations.get(chute, -1),
            ),
        )
        for order_id, (time_s, due_s, chute, lines) in orders.items()
    ]
    return sorted(events, key=lambda pair: pair[0]), bad


def _no_number(row: dict[str, str]) -> tuple[str, str]:
    """The first field that should be a number and is none, with the mend."""
    kinds: tuple[tuple[str, type[int] | type[float], str], ...] = (
        ("time_s", float, "a number such as 12.5"),
        ("quantity", int, "a whole number such as 1"),
        ("due_s", float, "a number such as 1800"),
    )
    for field, kind, mend in kinds:
        try:
            kind(row[field])
        except (TypeError, ValueError):
            value = f"is {row[field]!r}" if row[field] else "is missing"
            return f"{field} {value}", f"write {mend}"
    raise AssertionError("asked about a row whose numbers are all right")


def _take(
    row: dict[str, str],
    site_chutes: set[str],
    orders: dict[str, tuple[float, float, str, list[Line]]],
) -> tuple[str, str] | None:
    """Take a row in, or return what is wrong with it and the mend."""
    name = (row["order_id"] or "").strip()
    sku, chute = (row["sku"] or "").strip(), (row.get("chute") or "").strip()
    if not name or not sku:
        return "order_id and sku must not be empty", "fill them in"
    if None in row:
        return "more fields than columns", "one value per column; quote values with commas"
    try:
        time_s, due_s, quantity = float(row["time_s"]), float(row["due_s"]), int(row["quantity"])
    except (TypeError, ValueError):
        return _no_number(row)
    if due_s < time_s:
        return f"due {due_s:g} lies before {time_s:g}", "both count from the run's beginning"
    if not (0 <= time_s < 1e7 and 0 <= due_s < 1e7 and 0 < quantity < 1e6):
        text = f"time {time_s:g}, quantity {quantity}, due {due_s:g}"
        return text, "must be positive, in seconds"
    if chute and chute not in site_chutes:
        return f"unknown chute {chute!r}", "name a chute of the site, or leave it empty"
    if name not in orders and len(orders) >= ORDERS_MAX:
        return "too many orders", f"split the file: {ORDERS_MAX} at most"
    first = orders.setdefault(name, (time_s, due_s, chute, []))
    if first[:3] != (time_s, due_s, chute):
        text = f"time, due or chute differ from the first row of {name!r}"
        return text, "write the same on each row of an order"
    first[3].append(Line(sku, quantity))
    return None
