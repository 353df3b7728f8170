"""Eyes of a building that runs: settings and pictures, judged against the books as they are."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from orchestrator.core.messages import RequestInference
from orchestrator.core.world import World
from orchestrator.vision.judge import Judge
from orchestrator.vision.pictures import Pictures
from orchestrator.vision.settings import Vision


@dataclass(frozen=True, slots=True)
class Sight:
    """How pictures are judged, and where they are kept."""

    settings: Vision
    pictures: Pictures

    def judge(self, world: World) -> Judge:
        """To be closed with their chain."""
        from orchestrator.vision.assembly import chain_of  # noqa: PLC0415

        def known(request: RequestInference) -> Collection[str]:
            """Ids of totes and parcels in the building, or SKUs."""
            if request.task != "read_label":
                return world.skus
            parcels = (order.load for order in world.orders.values() if order.load)
            return frozenset(world.stock.totes).union(parcels)

        return Judge(chain_of(self.settings), known, self.pictures)
