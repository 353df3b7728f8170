"""Requests over topics: orders, commands to fleets and places, the safety controller's word.

`lightsout/v1/<site>/orders` and `…/commands` take a request as tagged JSON with names, and its id:
{"type": "RobotsPaused", "request": "r1", "robot": "amr-3"}. Its answer comes on `…/replies`:
{"request": "r1", "accepted": true, "reason": ""}; one by the same id is answered alike and not done
twice. `…/safety/events` needs no id. How times, places and lines may be written: `api.asked`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from orchestrator.api.asked import Asked
from orchestrator.api.equipment import QOS
from orchestrator.api.naming import BYTES_MAX, Naming, Unnamed, reader
from orchestrator.api.published import Reply, root
from orchestrator.core.messages import (
    AnswerRequest,
    ChargeAsked,
    Command,
    EmergencyReset,
    EmergencyStopped,
    Event,
    LaneClosed,
    LaneOpened,
    OrderCancelled,
    OrderChanged,
    OrderReceived,
    RobotRetired,
    RobotReturned,
    RobotsEvacuated,
    RobotsPaused,
    RobotsResumed,
    StationClosed,
    StationOpened,
    ZoneCleared,
    ZoneClosed,
    ZoneOpened,
)

ORDERS = OrderReceived | OrderCancelled | OrderChanged
COMMANDS = (
    RobotsPaused | RobotsEvacuated | RobotsResumed | RobotRetired | RobotReturned | ChargeAsked
    | LaneClosed | LaneOpened | StationClosed | StationOpened | ZoneClosed | ZoneOpened
)  # fmt: skip
SAFETY = EmergencyStopped | EmergencyReset | ZoneCleared
TOPICS = {"orders": ORDERS, "commands": COMMANDS, "safety/events": SAFETY}
ID_MAX = 100


class Requests:
    """The core's side."""

    def __init__(
        self,
        site_id: str,
        naming: Naming,
        publish: Callable[[str, bytes, int, bool], Any],
        post: Callable[[Event], None],
        alarm: Callable[[str, str], None],
        times_ns: Callable[[], tuple[int, int]],
    ) -> None:
        """`times_ns`: the run's time, and UTC."""
        self._publish, self._post, self._alarm = publish, post, alarm
        self.safety_topic = f"{root(site_id)}/safety/events"
        self.replies_topic = f"{root(site_id)}/replies"
        self._read = {
            f"{root(site_id)}/{name}": (Asked(naming, kinds, times_ns, name), reader(naming, kinds))
            for name, kinds in TOPICS.items()
        }

    def topics(self) -> list[str]:
        """What to subscribe to."""
        return list(self._read)

    def command(self, command: Command) -> bool:
        """Tell an answer; False: it is none."""
        if not isinstance(command, AnswerRequest):
            return False
        self._reply(command)
        return True

    def _reply(self, answer: AnswerRequest) -> None:
        found = Reply(request=answer.request, accepted=answer.accepted, reason=answer.reason)
        self._publish(self.replies_topic, msgspec.json.encode(found), QOS, False)

    def message(self, topic: str, payload: bytes, *, retained: bool = False) -> bool:
        """Something came in; False: it is no request. What can't be read is told; what the broker
        kept was asked for some other time."""
        known = self._read.get(topic)
        if known is None:
            return False
        if retained and not self._stays(topic, payload):
            return True
        asked, read = known
        name = ""
        try:
            raw = object_of(payload)
            name = id_of(raw, required=topic != self.safety_topic)
            self._post(read(msgspec.json.encode(asked.plain(raw))))
        except Unnamed as error:
            if topic == self.safety_topic:
                self._unreadable(payload, error)
            if name:
                self._reply(AnswerRequest(request=name, accepted=False, reason=str(error)))
            elif topic != self.safety_topic:
                self._alarm(topic.rsplit("/", 1)[-1], f"a request can't be read: {error}")
        return True

    def _stays(self, topic: str, payload: bytes) -> bool:
        """What the broker kept: nobody knows when it was asked. A stop counts all the same."""
        stop = topic == self.safety_topic and not _ends(payload)
        if payload:
            text = "a retained request is ignored: nobody knows when it was asked -> clear it"
            if stop:
                text = "a retained stop is obeyed at each connection -> clear it, and reset"
            self._alarm("safety" if stop else topic.rsplit("/", 1)[-1], text)
        return stop and bool(payload)

    def _unreadable(self, payload: bytes, error: Unnamed) -> None:
        """Of the safety controller: unless it was the end of a stop, it is taken for one."""
        if _ends(payload):
            self._alarm("safety", f"the end of a stop can't be read, and is none: {error}")
            return
        self._alarm("safety", f"a message can't be read, everything is stopped: {error}")
        self._post(EmergencyStopped())


def _ends(payload: bytes) -> bool:
    """It looks like the end of a stop."""
    return any(kind.__name__.encode() in payload for kind in (EmergencyReset, ZoneCleared))


def object_of(payload: bytes) -> dict[str, Any]:
    """The object in a message. Raises `Unnamed`."""
    if len(payload) > BYTES_MAX:
        raise Unnamed(f"is {len(payload)} bytes long -> {BYTES_MAX} at most")
    try:
        raw = msgspec.json.decode(payload)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise Unnamed(str(error) or type(error).__name__) from error
    if not isinstance(raw, dict):
        raise Unnamed("is no object")
    return raw


def id_of(raw: dict[str, Any], *, required: bool) -> str:
    """The message's id. Raises `Unnamed`."""
    name = raw.get("request", "")
    if not isinstance(name, str) or len(name) > ID_MAX or (required and not name):
        raise Unnamed(f"request: give each request an id of its own, {ID_MAX} letters at most")
    return name
