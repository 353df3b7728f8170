"""Inbound docks of the fake world: suppliers' totes and pallets wait outside until there is room."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from orchestrator.core.messages import OrderReceived
from orchestrator.core.orders import OrderLine, order_of
from orchestrator.core.site import Site
from orchestrator.layout.site_file import NoticeWrong
from sim.clock import Streams
from sim.floor import Floor, variant
from sim.mishaps import Mishaps


class Docks:
    """What stands before each dock, in sequence."""

    def __init__(
        self,
        site: Site,
        floor: Floor,
        wrong: NoticeWrong | None,
        streams: Streams,
        mishaps: Mishaps,
        enter: Callable[[OrderReceived], None],
        tell: Callable[[str, dict[str, Any]], None],
    ) -> None:
        self._site, self._floor, self._enter, self._tell = site, floor, enter, tell
        self._mishaps = mishaps
        self._wrong, self._chance = wrong, streams.of("notice wrong")
        self._outside: dict[int, list[OrderReceived]] = {}

    def change(self, wrong: NoticeWrong | None) -> None:
        """From now on so many notices are wrong."""
        self._wrong = wrong

    def comes(self, event: OrderReceived) -> bool:
        """Take an order in that brings something to a dock; False: it is none of these."""
        kind = self._site.order_types.get(event.kind)
        known = 0 <= event.station < len(self._site.stations)
        if kind is None or not kind.brings or not known:
            return False
        self._outside.setdefault(event.station, []).append(event)
        self._unload(event.station)
        return True

    def freed(self) -> None:
        """Something was taken away somewhere: perhaps there is room now."""
        for station in self._outside:
            self._unload(station)

    def _really(self, event: OrderReceived, line: OrderLine) -> int:
        """How many units there are where so many were announced."""
        said = line.quantity
        if self._wrong is None or self._chance.random() >= self._wrong.share:
            return said
        fifth = max(1, said // 5)
        real = max(0, said + self._chance.choice((-1, 1)) * self._chance.randint(1, fifth))
        by, why = said - real, "notice_wrong"
        fact = {"tote": line.tote, "by": by, "why": why, "order_id": event.order_id}
        self._tell("miscounted", fact)
        return real

    def _goods(self, event: OrderReceived, number: int, line: OrderLine, station: str) -> str:
        """What there really is, where an item was announced; one unit may be broken."""
        fact = {"tote": line.tote, "sku": line.sku, "order_id": event.order_id, "line": number}
        if self._mishaps.strikes("goods_wrong", station):
            self._tell("goods_wrong", fact | {"as": variant(line.sku)})
            return variant(line.sku)
        if line.quantity and self._mishaps.strikes("goods_damaged", station):
            self._tell("goods_damaged", fact)
            self._floor.came_damaged(line.tote, line.sku)
        return line.sku

    def _unload(self, station: int) -> None:
        waiting = self._outside[station]
        while waiting:
            event = waiting[0]
            makes = self._site.order_types[event.kind].makes
            spec = self._site.stations[station]
            lines = order_of(event, brings=True).lines
            used = self._floor.pallets_at(spec.id) if makes else self._floor.totes_at(spec.id)
            if used and used + (1 if makes else len(lines)) > spec.positions:
                return
            waiting.pop(0)
            totes = {
                line.tote: (self._goods(event, number, line, spec.id), self._really(event, line))
                for number, line in enumerate(lines)
            }
            if makes:
                self._floor.pallet(event.order_id, spec.id, totes)
            else:
                for tote, (sku, quantity) in totes.items():
                    self._floor.tote_arrived(tote, sku, quantity, spec.id)
            self._enter(event)
