"""What is asked of a site behind a fork: the same orders, more of them, fewer, or others."""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from msgspec import structs

from orchestrator.core.messages import OrderReceived
from orchestrator.layout import LoadedSite
from sim.clock import Streams
from sim.fork import Fork, altered
from sim.scenario import Options, Scenario, orders_of

Timed = tuple[int, OrderReceived]


def through(scenario: Scenario, forks: Sequence[Fork]) -> Scenario:
    """The scenario with the forks' demand. Orders up to each fork are as without it."""
    loaded, orders = scenario.loaded, scenario.orders
    maker = _Maker(loaded, scenario.options)
    for fork, name in zip(forks, names(forks), strict=True):
        after = altered(maker.loaded, fork)
        if after.spec.simulation.demand != maker.loaded.spec.simulation.demand:
            other = [pair for pair in maker.make(after) if pair[0] > fork.at_ns]
            orders = [pair for pair in orders if pair[0] <= fork.at_ns]
            orders += [_renamed(pair, name) for pair in other]
        maker = replace(maker, loaded=after)
        if fork.demand < 1.0:
            orders = [pair for pair in orders if _stays(pair, maker, fork, name)]
        elif fork.demand > 1.0:
            more = _more(maker, fork, name)
            orders = list(heapq.merge(orders, more, key=lambda pair: pair[0]))
    return replace(scenario, orders=orders, forks=tuple(forks))


@dataclass(frozen=True, slots=True)
class _Maker:
    """Makes realisations of a site's demand."""

    loaded: LoadedSite
    options: Options

    @property
    def streams(self) -> Streams:
        return Streams(self.options.seed)

    def make(self, loaded: LoadedSite, streams: Streams | None = None) -> list[Timed]:
        return orders_of(loaded, self.options, streams or self.streams)


def names(forks: Sequence[Fork]) -> list[str]:
    """A fork's orders and streams are named after its time: another fork before it changes none."""
    found: list[str] = []
    for fork in forks:
        name = f"t{fork.at_s:g}"
        same = sum(known.split("#")[0] == name for known in found)
        found.append(f"{name}#{same + 1}" if same else name)
    return found


def _stays(pair: Timed, maker: _Maker, fork: Fork, name: str) -> bool:
    if pair[0] <= fork.at_ns:
        return True
    chance = maker.streams.of(f"fork {name} keeps", pair[1].order_id)
    return chance.random() < fork.demand


def _more(maker: _Maker, fork: Fork, name: str) -> list[Timed]:
    """Independent realisations of the same demand, thinned to what is to come on top."""
    wanted = fork.demand - 1.0
    layers = math.ceil(wanted)
    found: list[Timed] = []
    for layer in range(1, layers + 1):
        own = f"{name}.{layer}" if layers > 1 else name
        chance = maker.streams.of("fork thins", own)
        for pair in maker.make(maker.loaded, maker.streams.within(f"fork {own}")):
            kept = chance.random() * layers < wanted
            if kept and pair[0] > fork.at_ns:
                found.append(_renamed(pair, own))
    return sorted(found, key=lambda pair: pair[0])


def _renamed(pair: Timed, name: str) -> Timed:
    """Order and load with names of their own, so that they meet no other's."""
    event = pair[1]
    load = f"{name}-{event.load}" if event.load else ""
    return pair[0], structs.replace(event, order_id=f"{name}-{event.order_id}", load=load)
