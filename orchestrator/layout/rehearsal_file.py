"""`rehearsal` in site.yaml: what a site must prove in simulation before it may command vehicles."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from orchestrator.layout.fields import Part, Positive, Share


class RehearsalFile(Part):
    """How long, how often, and what has to hold in each of the futures."""

    hours: Positive = 2.0
    seeds: int = Field(default=5, ge=1, le=1000)
    faults: Literal["drawn", "own"] = (
        "drawn"  # drawn: seed 0 with faults.yaml, the others by chance
    )
    contacts: int = Field(default=0, ge=0)
    deadlocks: int = Field(default=0, ge=0)
    standstill_minutes: Positive = 10.0  # so long nothing may stand without a reason
    on_time: Share = 0.95  # of the orders that fall due and can be filled
    lights_out: Share = 0.95  # of the same orders: right, and untouched by a person
