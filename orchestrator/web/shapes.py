"""What the HTTP API answers and the page shows. Times in seconds since the run began."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field


class RunInfo(BaseModel):
    """A run: what it is about, how far it is, what may be asked."""

    name: str
    site: str
    status: str = Field(description="open: its writer goes on; closed: complete; damaged")
    live: bool = Field(description="open, and something was written in the last seconds")
    from_s: float
    to_s: float = Field(description="newest time that can be shown")
    seed: int | None = None
    hours: float | None = None
    robots: int = 0
    created: str = ""
    faults: bool = False
    forked_from: str = Field("", description="of a fork: the run it comes from")
    forked_s: float | None = Field(None, description="of a fork: where it turned off")
    figures: dict[str, Any] = Field(default_factory=dict, description="the run's own, once closed")
    error: str = ""


class Order(BaseModel):
    """An order as it stood at a time."""

    id: str
    kind: str
    lines: list[tuple[str, int]]
    state: str = Field(
        description="waiting | picking | packed | handed_out | done | quarantined | refused"
    )
    reason: str = ""
    received_s: float
    due_s: float | None
    closed_s: float | None
    late: bool
    touched: bool
    picked: int
    units: int
    station: str = ""


class FaultSpan(BaseModel):
    """A fault; `to_s` is null while it lasts."""

    from_s: float
    to_s: float | None
    kind: str
    subject: str
    reason: str = ""


class Kpi(BaseModel):
    """The headline figures at a time; null where nothing can be said yet."""

    t_s: float
    orders_done: int
    orders_open: int
    orders_quarantined: int
    orders_per_hour: float | None = Field(description="done in the last 15 minutes, per hour")
    lights_out_percent: float | None = Field(
        description="finished right and untouched, of all orders due by now (before any is due: of "
        "all closed)"
    )
    on_time_percent: float | None = Field(description="of the orders done")
    cycle_p50_s: float | None = Field(description="order received to handed out, median")
    robots_busy: int = Field(description="driving, turning, or with a load")
    robots: int
    faults_open: int
    human_touches: int


class Load(BaseModel):
    """A tote or parcel."""

    id: str
    place: str
    sku: str = ""
    quantity: int | None = None
    order: str = ""


class Robot(BaseModel):
    """A robot at a time."""

    robot: int
    name: str
    fleet: str
    state: str = Field(description="dead | driving | turning | standing")
    x_m: float
    y_m: float
    theta_rad: float
    speed_mps: float
    at: str = Field(description="the bay in which it stands, or empty")
    load: Load | None
    battery_percent: float | None = Field(description="last threshold that was reported")
    route: list[tuple[float, float]] = Field(description="nodes of its newest path plan")
    fault: FaultSpan | None
    trips: int = Field(description="loads it has picked up so far")


class Station(BaseModel):
    """A station at a time."""

    id: str
    kind: str
    loads: list[Load]
    handled: int = Field(description="parcels packed or handed out, or totes received, so far")
    positions: int
