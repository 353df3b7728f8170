"""What a run begins with: robots in their places, opening stock, demand, faults."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestrator.core.messages import ImageRead, Line, OrderReceived, RobotJoined, ToteStored
from orchestrator.core.roadmap import Roadmap
from orchestrator.core.site import OrderType
from orchestrator.host.stock_list import Difference
from orchestrator.layout import LoadedSite
from orchestrator.layout.site_file import FaultsFile, InboundDemand
from sim import demand
from sim.clock import Streams

if TYPE_CHECKING:
    from sim.fork import Fork

ROBOTS_MAX = 20_000


class ScenarioError(ValueError):
    """A run that can't begin, with the reason and the mend."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line may change about a site's run."""

    seed: int = 0
    hours: float = 1.0
    fleets: dict[str, int] = field(default_factory=dict)
    faults: FaultsFile | None = None
    orders: list[tuple[int, OrderReceived]] | None = None  # instead of the site's demand
    inbound: list[tuple[int, OrderReceived]] | None = None  # instead of the site's suppliers
    vision: str = "statistical"  # see sim.vision
    readers: str = ""  # text of a vision.yaml
    pictures: Path | None = None  # where those that were rendered are kept
    reads: Mapping[int, ImageRead] = field(default_factory=dict)  # recorded answers, by request


@dataclass(frozen=True, slots=True)
class Scenario:
    """Opening facts, and what comes in later (sorted by time)."""

    loaded: LoadedSite
    options: Options
    robots: list[RobotJoined]
    totes: list[ToteStored]
    orders: list[tuple[int, OrderReceived]]
    reveal: int = 0  # >0: so many orders are open at a time, whatever their time (competition)
    forks: tuple[Fork, ...] = ()  # by time
    differences: tuple[Difference, ...] = ()  # of the host's stock and the building's


def scenario(loaded: LoadedSite, options: Options) -> Scenario:
    """Compose a run of a site."""
    for name in options.fleets:
        if name not in loaded.spec.fleets:
            known = ", ".join(loaded.spec.fleets)
            raise ScenarioError(f"unknown fleet {name!r} -> this site has {known}")
    streams = Streams(options.seed)
    return Scenario(
        loaded=loaded,
        options=options,
        robots=list(_robots(loaded, options, streams)),
        totes=list(_totes(loaded, streams)),
        orders=orders_of(loaded, options, streams),
    )


def _robots(loaded: LoadedSite, options: Options, streams: Streams) -> Iterator[RobotJoined]:
    roadmap, taken, index = loaded.site.roadmap, set[int](), 0
    low, high = loaded.spec.simulation.battery_at_start_percent
    for fleet, (name, spec) in enumerate(loaded.spec.fleets.items()):
        chance = streams.of("battery", name)
        count = options.fleets.get(name, spec.robots)
        places = [number for number in parking_of(roadmap, fleet) if number not in taken]
        places.sort(key=lambda number: roadmap.bays[number].fleets.bit_count())  # shared ones last
        if count > len(places) or count < 0:
            raise ScenarioError(
                f"{count} robots of {name}, but the layout has room for 0 to {len(places)} -> "
                "add parking bays, or take fewer"
            )
        for number in range(count):
            bay = places[number]
            taken.add(bay)
            node = roadmap.bays[bay].node
            yield RobotJoined(
                robot=index,
                name=f"{name}-{number + 1:02d}",
                fleet=fleet,
                node=node,
                heading_deg=heading_in(loaded, node),
                battery_permille=round(10 * chance.uniform(low, high)),
            )
            index += 1


def parking_of(roadmap: Roadmap, fleet: int) -> list[int]:
    """Bays where robots of a fleet may be while they have nothing to do, chargers last."""
    return [
        number
        for kind in ("parking", "charger")
        for number, bay in enumerate(roadmap.bays)
        if bay.kind == kind and bay.fleets >> fleet & 1
    ]


def heading_in(loaded: LoadedSite, node: int) -> int:
    """How a robot stands that has driven to a node."""
    roadmap = loaded.site.roadmap
    for edge, head in enumerate(roadmap.edge_head):
        if head == node:
            return roadmap.edge_heading_deg[edge]
    return 0


def _totes(loaded: LoadedSite, streams: Streams) -> Iterator[ToteStored]:
    """Opening stock. Where orders are picked from a zone of their own, the first tote of each SKU
    stands there, as far as four fifths of its slots reach; all else is spread over the others."""
    stock, bays = loaded.spec.stock, loaded.site.roadmap.bays
    slots = [n for n, bay in enumerate(bays) if bay.kind == "slot"]
    if stock.totes > len(slots):
        raise ScenarioError(
            f"stock.totes is {stock.totes}, but there are {len(slots)} slots -> take fewer totes"
        )
    streams.of("slots").shuffle(slots)
    kinds = loaded.site.order_types.values()
    zones = {kind.zone for kind in kinds if not _moves(kind)} - {""}
    front = [slot for slot in slots if bays[slot].zone in zones]
    first = front[: len(front) * 4 // 5]
    rest = [slot for slot in slots if bays[slot].zone not in zones] + front[len(first) :]
    seen: set[str] = set()
    supplies = demand.Popularity(stock).supplies(streams.of("stock"))
    for number, sku in zip(range(stock.totes), supplies, strict=False):
        places = first if first and (sku not in seen or not rest) else rest
        seen.add(sku)
        yield ToteStored(
            tote=f"tote-{number + 1:04d}",
            sku=sku,
            quantity=stock.units_per_tote,
            bay=places.pop(0),
        )


def _moves(kind: OrderType) -> bool:
    """It only moves totes between zones."""
    return any(step.start == "home" and step.to == "slot" for step in kind.steps.values())


def orders_of(
    loaded: LoadedSite, options: Options, streams: Streams
) -> list[tuple[int, OrderReceived]]:
    """All orders of a run, by time."""
    wanted = loaded.spec.simulation.demand
    sources: list[list[tuple[int, OrderReceived]]] = []
    if options.orders is not None:
        sources.append(options.orders)
    elif wanted.outbound is not None:
        trucks = loaded.spec.simulation.trucks
        stream = demand.outbound(wanted.outbound, loaded.spec.stock, trucks, streams, options.hours)
        sources.append(list(stream))
    if options.orders is None and wanted.transport is not None:
        stream = demand.transports(wanted.transport, loaded.site, streams, options.hours)
        sources.append(list(stream))
    if options.inbound is not None:
        sources.append(options.inbound)
    for word, load, rate in (
        ("inbound", "tote-in", wanted.inbound),
        ("returns", "tote-back", wanted.returns),
    ):
        if rate is not None and (word != "inbound" or options.inbound is None):
            sources += _supplies(loaded, options, streams, rate, word, load)
    return list(heapq.merge(*sources, key=lambda pair: pair[0]))


def _supplies(
    loaded: LoadedSite,
    options: Options,
    streams: Streams,
    rate: InboundDemand,
    word: str,
    load: str,
) -> Iterator[list[tuple[int, OrderReceived]]]:
    """What suppliers and customers bring to the docks: single totes, and pallets of several."""
    kind = loaded.site.order_types[rate.order_type]
    needs = kind.steps[kind.first].needs
    docks = [n for n, s in enumerate(loaded.site.stations) if needs in s.capabilities]
    if not docks:
        return
    stock = loaded.spec.stock
    units = stock.units_per_tote if word == "inbound" else max(1, stock.units_per_tote // 4)
    supplies = demand.Popularity(stock).supplies(streams.of(word))
    for each, per_hour, most in (
        ("", rate.totes_per_hour, (1, 1)),
        (" pallet", rate.pallets_per_hour, rate.totes_per_pallet),
    ):
        name, cargo = (word, load) if not each else (f"{word}-pallet", f"{word}-pallet")
        times, chance = streams.of(f"{word}{each} times"), streams.of(f"{word}{each} lines")
        rows = []
        for number, time_s in enumerate(demand.arrivals(times, per_hour, options.hours), 1):
            count = chance.randint(*most) if each else 1
            event = OrderReceived(
                order_id=f"{name}-{number:05d}",
                kind=rate.order_type,
                lines=tuple(Line(next(supplies), units) for _ in range(count)),
                station=docks[number % len(docks)],
                load=f"{cargo}-{number:05d}",
            )
            rows.append((round(time_s * 1e9), event))
        yield rows


def robot_fact(loaded: LoadedSite, joined: RobotJoined) -> dict[str, Any]:
    """What the record says of a robot: shape, limits, where it starts."""
    spec = loaded.spec.fleets[loaded.site.fleets[joined.fleet].id]
    roadmap = loaded.site.roadmap
    return {
        "robot": joined.robot,
        "name": joined.name,
        "fleet": loaded.site.fleets[joined.fleet].id,
        "places": spec.places,
        "footprint": [list(point) for point in spec.footprint_m],
        "speed_mps": spec.speed_mps,
        "acceleration_mps2": spec.acceleration_mps2,
        "turn_radps": math.radians(spec.turn_degps),
        "x_m": roadmap.node_x_mm[joined.node] / 1000,
        "y_m": roadmap.node_y_mm[joined.node] / 1000,
        "theta_rad": math.radians(joined.heading_deg),
    }
