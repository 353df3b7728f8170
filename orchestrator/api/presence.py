"""Whether the site's master is there: retained, with the opposite as its last will.

A last will may come late, of a connection that is gone since long: then the truth is told again. And
if somebody else is master of the same site, that is told, too: two would command the same vehicles.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import msgspec

from orchestrator.api.published import About, root
from orchestrator.vda5050 import times

QOS = 1


def about(site: str, run: str, version: str, *, online: bool) -> tuple[str, bytes]:
    """Topic and payload; the one that says OFFLINE is the last will."""
    state: Any = "ONLINE" if online else "OFFLINE"
    at = times.text(time.time_ns())
    message = About(state=state, site=site, version=version, run=run, at=at)
    return f"{root(site)}/about", msgspec.json.encode(message)


class Presence:
    """`publish` (topic, payload, QoS, retained)."""

    def __init__(
        self,
        site: str,
        run: str,
        version: str,
        publish: Callable[[str, bytes, int, bool], object],
        alarm: Callable[[str, str], None],
    ) -> None:
        self.topic = f"{root(site)}/about"
        self._who = site, run, version
        self._run, self._publish, self._alarm = run, publish, alarm
        self._told = ""  # which other run was told of
        self._there = False

    def tell(self, *, online: bool) -> None:
        """At each connection, and at the end."""
        self._there = online
        self._publish(*about(*self._who, online=online), QOS, True)

    def message(self, topic: str, payload: bytes) -> bool:
        """Somebody said who is there; False: it is not about that."""
        if topic != self.topic:
            return False
        try:
            heard = msgspec.json.decode(payload, type=About)
        except msgspec.MsgspecError:
            heard = None
        if heard is not None and heard.state == "ONLINE" and heard.run != self._run:
            if self._told != heard.run:
                text = (
                    f"run {heard.run} says that it is this site's master, too -> stop one of them"
                )
                self._alarm(self._who[0], text)
            self._told = heard.run
        elif (heard is None or heard.state == "OFFLINE") and self._there:
            self.tell(online=True)
        return True
