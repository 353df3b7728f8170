"""Whether the bridge to the safety controllers is there, and what is done when it is not.

The bridge keeps `…/safety/status` up to date and leaves a last will there. `…/safety/link` tells it
whether the building was stopped for lack of it: then all its zones must be reset before it starts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from orchestrator.api.equipment import QOS
from orchestrator.api.naming import Naming, Unnamed
from orchestrator.api.published import SafetyLink, SafetyStatus, StoppedZone, root
from orchestrator.core.messages import EmergencyStopped, Event

SECOND_NS = 1_000_000_000
POLICIES = ("none", "alarm", "stop")
SILENCE_S = 5.0  # its status comes every second


class SafetyWatch:
    """The core's side. `policy`: see docs/safety.md; `stopped`: the zones that the core has stopped."""

    def __init__(
        self,
        site_id: str,
        policy: str,
        naming: Naming,
        publish: Callable[[str, bytes, int, bool], Any],
        post: Callable[[Event], None],
        alarm: Callable[[str, str], None],
        stopped: Callable[[], set[str]],
        silence_s: float = SILENCE_S,
    ) -> None:
        assert policy in POLICIES
        self._policy, self._naming = policy, naming
        self._publish, self._post, self._alarm, self._stopped = publish, post, alarm, stopped
        self.status_topic = f"{root(site_id)}/safety/status"
        self.link_topic = f"{root(site_id)}/safety/link"
        self._silence_ns = round(silence_s * SECOND_NS)
        self._heard_ns = -1
        self._missing = ""  # why it is not there; "": it is, or was never expected
        self._ours = ""  # "", posted, or stopped: everything was stopped for lack of it
        self._told: bytes = b""

    def message(self, now_ns: int, topic: str, payload: bytes, *, retained: bool = False) -> bool:
        """Something came in; False: it is not from the bridge. What the broker kept may be from a
        bridge that is long gone with its broker: it must say so again."""
        if topic != self.status_topic:
            return False
        if retained and b"offline" not in payload:
            return True
        try:
            said = msgspec.json.decode(payload, type=SafetyStatus)
            if said.state == "online":
                self._here(now_ns, said.stopped)
            else:
                self._gone("it is offline")
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            self._alarm("safety bridge", f"its status can't be read: {error}")
        return True

    def tick(self, now_ns: int) -> None:
        """About once a second."""
        if self._heard_ns < 0:
            self._heard_ns = now_ns  # the time to come begins
            if "" in self._stopped():
                self._ours = "stopped"  # before a restart: its resets may have been missed
        expected = self._policy != "none" or self._missing
        if expected and not self._missing and now_ns - self._heard_ns > self._silence_ns:
            self._gone(f"nothing is heard of it for {self._silence_ns / SECOND_NS:g} s")
        stopped = "" in self._stopped()
        if self._ours == "posted" and stopped:
            self._ours = "stopped"
        elif self._ours == "stopped" and not stopped:
            self._ours = ""
            if self._missing and self._policy == "stop":  # somebody else has reset it
                self._stop()
        self._tell()

    def _here(self, now_ns: int, rows: list[StoppedZone]) -> None:
        if self._missing:
            self._alarm("safety bridge", "it is there again")
        self._heard_ns, self._missing = now_ns, ""
        known = self._stopped()
        for row in rows:
            if row.zone in known or ("" in known and not row.nodes):
                continue
            try:
                nodes = self._naming.numbered({"nodes": row.nodes})["nodes"]
            except Unnamed:
                nodes = []  # everything: better too much than too little
            self._post(EmergencyStopped(zone=row.zone if nodes else "", nodes=tuple(nodes)))

    def _gone(self, reason: str) -> None:
        if self._missing:
            return
        self._missing = reason
        self._alarm("safety bridge", f"{reason}; {_consequence(self._policy)}")
        if self._policy == "stop":
            self._stop()
        self._tell()

    def _stop(self) -> None:
        self._ours = "posted"
        self._post(EmergencyStopped())

    def _tell(self) -> None:
        said = SafetyLink(state="running")
        if self._ours:
            said = SafetyLink(state="stopped", reason=self._missing or "everything is stopped")
        payload = msgspec.json.encode(said)
        if payload != self._told:
            self._told = payload
            self._publish(self.link_topic, payload, QOS, True)


def _consequence(policy: str) -> str:
    if policy == "stop":
        return "everything is stopped until it is there and all its zones are reset and clear"
    return "nothing is stopped: the site file's safety_bridge is not `stop`"
