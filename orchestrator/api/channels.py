"""Every topic of a site: who writes it, what is said there, how surely, and what the broker keeps.

VDA 5050's own topics are named by `VEHICLES`; what is said there is the standard's.
"""

from __future__ import annotations

import re
from typing import Any, Literal, NamedTuple, get_args

from orchestrator.api import board, equipment, host_types, published, requests
from orchestrator.api.cameras import TakePicture
from orchestrator.core.messages import Event, NoteException

Way = Literal["in", "out"]  # for the master
PARAMETERS = {
    "site": "the site's id",
    "robot": "a robot's name, percent-encoded where it must be",
    "order": "an order's id, percent-encoded where it must be",
    "request": "the number of the request for it",
    "interface": "of the site's `vehicles` (uagv)",
    "major": "v2 or v3",
    "manufacturer": "of the vehicle",
    "serial": "of the vehicle",
}
VEHICLES = "{interface}/{major}/{manufacturer}/{serial}"
STANDARD = "https://github.com/VDA5050/VDA5050"


class Channel(NamedTuple):
    """`kinds`: types of the messages; none: no JSON (`media`)."""

    name: str
    topic: str  # below the site's root
    way: Way
    qos: int
    retained: bool
    kinds: tuple[Any, ...]
    says: str
    asked: bool = False  # requests: with an id, and fields as people write them
    media: str = "application/json"

    @property
    def address(self) -> str:
        """With {site} and so on."""
        return f"lightsout/v1/{{site}}/{self.topic}"


def told() -> tuple[Any, ...]:
    """What is said on `events`."""
    left_out = get_args(board.UNTOLD)
    return (*(kind for kind in get_args(Event) if kind not in left_out), NoteException)


def _kinds(union: Any) -> tuple[Any, ...]:
    return get_args(union)


CHANNELS = (
    Channel("orders", "orders", "in", 1, False, _kinds(requests.ORDERS),
            "Orders: give, change, cancel. Answered on `replies`.", asked=True),
    Channel("commands", "commands", "in", 1, False, _kinds(requests.COMMANDS),
            "What operators ask for. Answered on `replies`.", asked=True),
    Channel("safetyEvents", "safety/events", "in", 1, False, _kinds(requests.SAFETY),
            "What the safety controller says; obeyed at once. With an id it is answered.", asked=True),
    Channel("safetyStatus", "safety/status", "in", 1, True, (published.SafetyStatus,),
            "Of the bridge to the safety controllers."),
    Channel("safetyLink", "safety/link", "out", 1, True, (published.SafetyLink,),
            "What the master does when that is missing."),
    Channel("replies", "replies", "out", 1, False, (published.Reply,),
            "What became of each request, by its id."),
    Channel("about", "about", "out", 1, True, (published.About,),
            "Whether the master is there; OFFLINE comes from its last will, too."),
    Channel("robotState", "fleet/{robot}/state", "out", 0, True, (published.RobotState,),
            "One robot, when it changes, at most once a second. Empty: it is of no concern any more."),
    Channel("orderStatus", "orders/{order}/status", "out", 1, True, (published.OrderStatus,),
            "One order: open, or how it ended. Empty: it ended more than an hour ago."),
    Channel("kpi", "kpi", "out", 0, True, (published.Kpi,), "Figures, every five seconds."),
    Channel("closures", "closures", "out", 1, True, (published.Closures,),
            "What is closed, paused, evacuated or stopped, when it changes."),
    Channel("alarms", "alarms", "out", 0, False, (published.Alarm,),
            "What an operator's screen should show."),
    Channel("events", "events", "out", 0, False, told(),
            "What the core heard and what went wrong, as it happens."),
    Channel("equipmentCommands", "equipment/commands", "out", 1, False,
            (*_kinds(equipment.COMMANDS), TakePicture),
            "What stations, cameras, chargers, doors and people are to do. May come twice."),
    Channel("equipmentEvents", "equipment/events", "in", 1, False, _kinds(equipment.EVENTS),
            "What they answer, and report."),
    Channel("pictures", "equipment/pictures/{request}", "in", 1, False, (),
            "A camera's picture, as it is.", media="image/jpeg"),
    *(Channel(f"hostIn{name.capitalize()}", f"host/in/{name}", "in", 1, False, (kind,),
              "What the host says. Answered on `host/out/replies`, but for acks.")
      for name, kind in host_types.IN.items()),
    *(Channel(f"hostOut{name.capitalize()}", f"host/out/{name}", "out", 1, False, (kind,),
              "What the host must hear: sent until it is acknowledged.")
      for name, kind in host_types.OUT.items()),
    Channel("hostOutReplies", "host/out/replies", "out", 1, False, (host_types.HostReply,),
            "What became of what the host said."),
    Channel("hostOutReconciliations", "host/out/reconciliations", "out", 1, False,
            (host_types.Reconciliation,), "How a stock list differs from the books."),
    Channel("hostOutState", "host/out/state", "out", 1, True, (host_types.OutboxState,),
            "How far the outbox is."),
)  # fmt: skip


def channel_of(topic: str, site: str) -> Channel | None:
    """The channel that a topic of the site belongs to."""
    for channel in CHANNELS:
        pattern = re.escape(channel.address.replace("{site}", published.level(site)))
        if re.fullmatch(re.sub(r"\\\{\w+\\\}", "[^/]+", pattern), topic):
            return channel
    return None
