"""Requests over topics: orders, commands to fleets and places, the safety controller's word.

`lightsout/v1/<site>/orders` and `…/commands` take a request as tagged JSON with names, and its id:
{"type": "RobotsPaused", "request": "r1", "robot": "amr-3"}. Its answer comes on `…/replies`:
{"request": "r1", "accepted": true, "reason": ""}; one by the same id is answered alike and not done
twice. Orders may say `due_in_s` from now. `…/safety/events` needs no id.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

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
ID_MAX = 100
DUE_S_MAX = 1e7


class Requests:
    """The core's side."""

    def __init__(
        self,
        site_id: str,
        naming: Naming,
        publish: Callable[[str, bytes, int, bool], Any],
        post: Callable[[Event], None],
        alarm: Callable[[str, str], None],
        now_ns: Callable[[], int],
    ) -> None:
        """`now_ns`: the run's time."""
        self._publish, self._post, self._alarm, self._now_ns = publish, post, alarm, now_ns
        self.safety_topic = f"{root(site_id)}/safety/events"
        self.replies_topic = f"{root(site_id)}/replies"
        self._read = {
            f"{root(site_id)}/orders": reader(naming, ORDERS),
            f"{root(site_id)}/commands": reader(naming, COMMANDS),
            self.safety_topic: reader(naming, SAFETY),
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

    def message(self, topic: str, payload: bytes) -> bool:
        """Something came in; False: it is no request. What can't be read is told."""
        read = self._read.get(topic)
        if read is None:
            return False
        name = ""
        try:
            raw = _object(payload)
            name = _name(raw, required=topic != self.safety_topic)
            self._post(read(msgspec.json.encode(self._due(raw))))
        except Unnamed as error:
            if name:
                self._reply(AnswerRequest(request=name, accepted=False, reason=str(error)))
            else:
                self._alarm(topic.rsplit("/", 1)[-1], f"a request can't be read: {error}")
        return True

    def _due(self, raw: dict[str, Any]) -> dict[str, Any]:
        if "due_in_s" not in raw:
            return raw
        found = dict(raw)
        seconds = found.pop("due_in_s")
        number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
        if not number or not 0 <= seconds <= DUE_S_MAX:
            raise Unnamed(f"due_in_s: {str(seconds)[:40]} -> seconds from now, 0 to {DUE_S_MAX:g}")
        return found | {"due_ns": self._now_ns() + round(seconds * 1e9)}


def _object(payload: bytes) -> dict[str, Any]:
    if len(payload) > BYTES_MAX:
        raise Unnamed(f"is {len(payload)} bytes long -> {BYTES_MAX} at most")
    try:
        raw = msgspec.json.decode(payload)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise Unnamed(str(error) or type(error).__name__) from error
    if not isinstance(raw, dict):
        raise Unnamed("is no object")
    return raw


def _name(raw: dict[str, Any], *, required: bool) -> str:
    name = raw.get("request", "")
    if not isinstance(name, str) or len(name) > ID_MAX or (required and not name):
        raise Unnamed(f"request: give each request an id of its own, {ID_MAX} letters at most")
    return name
