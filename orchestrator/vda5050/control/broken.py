"""What ends in an error of ours while one vehicle is seen to: that vehicle's, and nobody else's."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec

from orchestrator.vda5050.control import recovering
from orchestrator.vda5050.control.sending import SECOND_NS, Desk
from orchestrator.vda5050.control.vehicle import Vehicle

SEVERAL = 3  # then it is not heard for a while, and counts as out of its mind
OUT_NS = 60 * SECOND_NS
KINDS_MAX = 100  # of errors that are told in full
Who = tuple[str, str]  # manufacturer, serial
P = ParamSpec("P")


class Broken:
    """`told` gets the first error of each kind and vehicle in full; without it all are raised."""

    def __init__(
        self,
        desk: Desk,
        vehicles: dict[Who, Vehicle],
        told: Callable[[str, Exception], None] | None,
    ) -> None:
        self._desk, self._vehicles, self._told = desk, vehicles, told
        self._kinds: set[tuple[Who, str]] = set()

    def out(self, v: Vehicle) -> bool:
        """It is not heard just now."""
        return self._desk.now_ns < v.out_until_ns

    def run(self, who: Who, see_to: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
        """See to a vehicle; whatever comes of it, go on with the others."""
        try:
            see_to(*args, **kwargs)
        except Exception as error:
            if self._told is None:
                raise
            self._caught(who, error)

    def _caught(self, who: Who, error: Exception) -> None:
        kind, v = type(error).__name__, self._vehicles.get(who)
        if (
            self._told is not None
            and (who, kind) not in self._kinds
            and len(self._kinds) < KINDS_MAX
        ):
            self._kinds.add((who, kind))
            self._told("/".join(who), error)
        if v is None:
            self._desk.alarm("/".join(who), f"what it says ends in an error of the master ({kind})")
            return
        v.counts.broken += 1
        calm = self._desk.now_ns - v.broken_ns >= OUT_NS
        v.broken, v.broken_ns = 1 if calm else v.broken + 1, self._desk.now_ns
        text = f"what it says ends in an error of the master ({kind}; {v.counts.broken} of them)"
        self._desk.alarm(v.name, text)
        if v.broken >= SEVERAL:
            v.broken, v.out_until_ns = 0, self._desk.now_ns + OUT_NS
            recovering.distrust(self._desk, v, text)
