"""What goes wrong with goods: wrong, damaged and fallen units, and totes that hold less than said.
Each kind is drawn from a stream of its own, so that one more of it shifts nothing else."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from orchestrator.layout.site_file import FaultsFile
from sim.clock import Streams


class Mishaps:
    """Chances by kind and place."""

    def __init__(
        self,
        streams: Streams,
        faults: FaultsFile | None,
        tell: Callable[[str, dict[str, Any]], None],
    ) -> None:
        self._streams, self._tell = streams, tell
        self._chances: dict[tuple[str, str], random.Random] = {}
        self._shares: dict[str, float] = {}
        self.change(faults)

    def change(self, faults: FaultsFile | None) -> None:
        """From now on with these shares."""
        kinds = (
            "pick_wrong", "item_wrong", "item_damaged", "item_dropped", "stock_wrong", "label_wrong",
            "label_torn", "answer_lost", "goods_wrong", "goods_damaged",
        )  # fmt: skip
        rows = {kind: getattr(faults, kind, None) for kind in kinds}
        self._shares = {kind: row.share for kind, row in rows.items() if row is not None}

    def _chance(self, kind: str, where: str) -> random.Random:
        key = (kind, where)
        if key not in self._chances:
            self._chances[key] = self._streams.of(kind, where)
        return self._chances[key]

    def strikes(self, kind: str, where: str) -> bool:
        """Does it happen this time?"""
        share = self._shares.get(kind, 0.0)
        return share > 0 and self._chance(kind, where).random() < share

    def really(self, tote: str, said: int) -> int:
        """How many units are in a tote that is said to hold so many. Each is asked about once."""
        share = self._shares.get("stock_wrong", 0.0)
        if share <= 0:
            return said
        chance = self._streams.of("stock_wrong", tote)
        if chance.random() >= share:
            return said
        real = chance.randrange(said) if said else 0
        self._tell("miscounted", {"tote": tote, "by": said - real, "why": "stock_wrong"})
        return real

    def miscounted(self, tote: str, order: str, by: int) -> None:
        """A wrong pick: so many more units left the tote than its machine believes."""
        self._tell("miscounted", {"tote": tote, "by": by, "why": "pick_wrong", "order_id": order})
