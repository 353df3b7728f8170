"""What a site publishes: the shapes of its messages. Names instead of numbers; times are UTC (`at`)."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import quote

import msgspec
from msgspec import Meta

Share = Annotated[float, Meta(ge=0, le=1)]
Count = Annotated[int, Meta(ge=0)]
Utc = Annotated[str, Meta(description="UTC, as YYYY-MM-DDTHH:mm:ss.fffZ")]
Activity = Literal[
    "idle", "driving", "parking", "waiting", "handling", "charging", "paused", "stopped", "blocked",
    "faulted", "service", "off",
]  # fmt: skip
OrderState = Literal["open", "done", "quarantined", "cancelled", "refused"]


def level(name: str) -> str:
    """A name as one level of a topic: what can't stand there is percent-encoded."""
    return quote(name, safe=" !&'()*,-.:;<=>@[]^_`{|}~")


def root(site: str) -> str:
    """Where all topics of a site begin."""
    return f"lightsout/v1/{level(site)}"


class About(msgspec.Struct, frozen=True, kw_only=True):
    """Who runs this site, and whether it is there: OFFLINE comes from its last will, too."""

    state: Literal["ONLINE", "OFFLINE"]
    site: str
    version: str
    run: Annotated[str, Meta(description="of the run file")]
    at: Annotated[str, Meta(description="when this was written; of a last will: at connecting")]


class RobotState(msgspec.Struct, frozen=True, kw_only=True):
    """One robot. `paused`: why it stands or stays away, by name; `order`: what it is at."""

    robot: str
    fleet: str
    node: Annotated[str, Meta(description="the last that it reached")]
    activity: Activity
    battery_percent: Annotated[float, Meta(ge=0, le=100)]
    fault: Annotated[str, Meta(description="its kind, while it has one")] = ""
    manual: Annotated[bool, Meta(description="somebody took it out of automatic")] = False
    retired: bool = False
    paused: list[str] = []
    loads: list[str] = []
    order: str = ""
    goal: Annotated[str, Meta(description="node that it is on its way to")] = ""
    at: Utc = ""


class Restriction(msgspec.Struct, frozen=True, kw_only=True):
    """Something was asked of robots, or of a part of the building. `name`: as robots' states say."""

    name: str
    kind: Literal["pause", "evacuate", "close", "stop"]
    robot: str = ""
    fleet: str = ""
    zone: str = ""
    nodes: list[str] = []


class Closures(msgspec.Struct, frozen=True, kw_only=True):
    """What is closed, paused, evacuated or stopped. `stations`: why each of them is closed."""

    lanes: list[str]
    stations: dict[str, list[str]]
    restrictions: list[Restriction]
    at: Utc = ""


class LineStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A line of an order. `done`, when it is closed: units picked; of what came in, counted (-1: nobody
    did)."""

    sku: str
    quantity: int
    done: int = 0
    tote: str = ""
    rejected: Annotated[str, Meta(description="why this line alone did not succeed")] = ""


class OrderStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One order: open, or how it ended."""

    order_id: str
    status: OrderState
    kind: str = ""
    reason: str = ""
    priority: int = 0
    due_at: Annotated[str, Meta(description="UTC; empty: none")] = ""
    lines: list[LineStatus] = []
    at: Utc = ""


class Kpi(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of the run. Orders: those that somebody outside waits for."""

    at: Utc
    t_s: Annotated[float, Meta(description="the run's time")]
    orders_open: Count
    orders_done: Count
    orders_late: Annotated[int, Meta(ge=0, description="done late, or open and overdue")]
    orders_quarantined: Count
    orders_cancelled: Count
    orders_refused: Count
    orders_per_hour: Annotated[
        float | None, Meta(description="done in the last 15 minutes; null: not a minute yet")
    ]
    lights_out_share: Annotated[
        Share | None,
        Meta(description="done, and no person entered for it, of all closed but not cancelled"),
    ]
    robots: Annotated[dict[str, int], Meta(description="how many are at what")]
    problems_open: Count
    alarms: Count
    messages_in_per_s: float
    messages_out_per_s: float
    messages_dropped: Count
    orders_resent: Annotated[int, Meta(ge=0, description="of VDA 5050: not echoed in time")]
    stop_and_go_share: Annotated[
        Share | None,
        Meta(description="nodes at which a robot stood because nothing more was released"),
    ]


class StoppedZone(msgspec.Struct, frozen=True, kw_only=True):
    """A zone that the safety controllers have stopped; without nodes: everything."""

    zone: str
    nodes: list[str] = []
    why: str = ""


class SafetyStatus(msgspec.Struct, frozen=True, kw_only=True):
    """Of the bridge to the safety controllers, every second; offline is its last will."""

    state: Literal["online", "offline"]
    stopped: list[StoppedZone] = []


class SafetyLink(msgspec.Struct, frozen=True, kw_only=True):
    """Whether everything was stopped because the bridge is not there."""

    state: Literal["running", "stopped"]
    reason: str = ""


class Alarm(msgspec.Struct, frozen=True, kw_only=True):
    """Something an operator's screen should show."""

    at: Utc
    subject: str
    text: str


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a request."""

    request: str
    accepted: bool
    reason: Annotated[str, Meta(description="why not, and what to mend")] = ""
