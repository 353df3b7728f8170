"""Eyes of a building that runs: settings and pictures, judged against the books as they are."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from orchestrator.core.messages import RequestInference
from orchestrator.core.world import World
from orchestrator.vision.judge import Judge
from orchestrator.vision.pictures import Pictures
from orchestrator.vision.settings import Vision

SECOND_NS = 1_000_000_000


class Known:
    """Ids of totes and parcels in the building, or SKUs. Of many ids the set is made once a second:
    what is expected is known in any case, and of another one that is as new nothing worse is said
    than that nothing was read."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._second = -1
        self._ids: frozenset[str] = frozenset()

    def __call__(self, request: RequestInference) -> Collection[str]:
        world = self._world
        if request.task != "read_label":
            return world.skus
        second = world.time_ns // SECOND_NS
        if second != self._second:
            parcels = (order.load for order in world.orders.values() if order.load)
            self._ids, self._second = frozenset(world.stock.totes).union(parcels), second
        return self._ids


@dataclass(frozen=True, slots=True)
class Sight:
    """How pictures are judged, and where they are kept."""

    settings: Vision
    pictures: Pictures

    def judge(self, world: World) -> Judge:
        """To be closed with their chain."""
        from orchestrator.vision.assembly import chain_of  # noqa: PLC0415

        return Judge(chain_of(self.settings), Known(world), self.pictures)
