"""Every topic with its type and quality of service: a node publishes them, a bag holds them."""

from __future__ import annotations

from typing import NamedTuple

from orchestrator.api.published import root
from orchestrator.ros import messages as ros


class Topic(NamedTuple):
    """`latched`: late joiners get the last message (transient local). `name` without a leading slash
    lies in the node's namespace."""

    name: str
    type: str
    latched: bool = False
    depth: int = 10


MAP = Topic("map", ros.OccupancyGrid.TYPE, latched=True, depth=1)
LAYOUT = Topic("layout", ros.MarkerArray.TYPE, latched=True, depth=1)
ROBOTS = Topic("robots", ros.MarkerArray.TYPE, latched=True, depth=20)  # all of them each 10 s
RESERVATIONS = Topic("reservations", ros.MarkerArray.TYPE, latched=True, depth=1)
PLANS = Topic("plans", ros.MarkerArray.TYPE, latched=True, depth=1)
TF = Topic("/tf", ros.TFMessage.TYPE, depth=100)
CLOCK = Topic("/clock", ros.Clock.TYPE, depth=1)
DIAGNOSTICS = Topic("/diagnostics", ros.DiagnosticArray.TYPE)
EVENTS = Topic("events", ros.String.TYPE, depth=1000)
ALARMS = Topic("alarms", ros.String.TYPE, depth=100)
KPI = Topic("kpi", ros.String.TYPE, latched=True, depth=1)
ABOUT = Topic("about", ros.String.TYPE, latched=True, depth=1)
ROBOT_STATES = Topic("robot_states", ros.String.TYPE, latched=True, depth=1000)
ORDER_STATUSES = Topic("order_statuses", ros.String.TYPE, latched=True, depth=1000)
REPLIES = Topic("replies", ros.String.TYPE, depth=100)
EQUIPMENT_COMMANDS = Topic("equipment/commands", ros.String.TYPE, depth=1000)
RUN = Topic("run", ros.String.TYPE, latched=True, depth=1)
JOURNAL = Topic("journal", ros.String.TYPE, depth=1000)
BATCHES = Topic("journal/batches", ros.String.TYPE, depth=1000)

# Heard, as JSON on std_msgs/String; the part of the MQTT topic behind lightsout/v1/<site>/.
HEARD = ("orders", "commands", "safety/events", "equipment/events")
TOLD = {
    "events": EVENTS, "alarms": ALARMS, "kpi": KPI, "about": ABOUT, "replies": REPLIES,
    "equipment/commands": EQUIPMENT_COMMANDS,
}  # fmt: skip


def battery(level: str) -> Topic:
    """A robot's charge; `level`: its name, see `names`."""
    return Topic(f"{level}/battery_state", ros.BatteryState.TYPE, latched=True, depth=1)


def plan(level: str) -> Topic:
    """A robot's way: what it holds and what is planned behind it."""
    return Topic(f"{level}/plan", ros.Path.TYPE, latched=True, depth=1)


def told(site_id: str, topic: str) -> Topic | None:
    """Where a message of the MQTT API goes; None: nowhere. Robots and orders share a topic each,
    their JSON says who."""
    rest = topic.removeprefix(f"{root(site_id)}/")
    if rest.startswith("fleet/") and rest.endswith("/state"):
        return ROBOT_STATES
    if rest.startswith("orders/") and rest.endswith("/status"):
        return ORDER_STATUSES
    return TOLD.get(rest)


def placed(topic: Topic, namespace: str) -> str:
    """The whole name."""
    if topic.name.startswith("/"):
        return topic.name
    return f"/{namespace.strip('/')}/{topic.name}" if namespace.strip("/") else f"/{topic.name}"
