"""Whether the site's master is there: retained, with the opposite as its last will.

A last will may come late, of a connection that is gone since long: then the truth is told again. And
if somebody else is master of the same site, that is told, too: two would command the same vehicles. Of
two that live, the one that has only just come ends.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import msgspec

from orchestrator.api.published import About, root
from orchestrator.vda5050 import times

QOS = 1
NEW_S = 10.0  # so long a master has just come


class MasterThere(ValueError):
    """Another run commands this site: which one, and the mend."""


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
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.topic = f"{root(site)}/about"
        self._who = site, run, version
        self._run, self._publish, self._alarm = run, publish, alarm
        self._told = ""  # which other run was told of
        self._there = False
        self._clock_s, self._began_s = clock_s, 0.0
        self._connections = 0

    def tell(self, *, online: bool) -> None:
        """At each connection, and at the end."""
        self._there = online
        self._publish(*about(*self._who, online=online), QOS, True)

    def came_up(self) -> None:
        """A new connection."""
        if self._connections == 0:
            self._began_s = self._clock_s()
        self._connections += 1
        self.tell(online=True)

    def message(self, topic: str, payload: bytes, *, retained: bool) -> bool:
        """Somebody said who is there; False: it is not about that. Raises `MasterThere`."""
        if topic != self.topic:
            return False
        try:
            heard = msgspec.json.decode(payload, type=About)
        except msgspec.MsgspecError:
            heard = None
        # What the first connection finds retained may be of one that is gone without a word. A later
        # one finds its own word, unless somebody else was there (by the same user: thrown out by us).
        since = retained and self._connections > 1
        if heard is not None and heard.run != self._run and (since or heard.state == "ONLINE"):
            self._other(heard.run, lives=since or not retained)
        elif (heard is None or heard.state == "OFFLINE") and self._there:
            self.tell(online=True)
        return True

    def _other(self, run: str, *, lives: bool) -> None:
        """Another master: who was there first goes on, and says so to the other."""
        site = self._who[0]
        if lives and self._clock_s() - self._began_s < NEW_S:
            raise MasterThere(
                f"run {run} is the master of {site} on this broker already -> end it first: two would "
                "command the same vehicles"
            )
        if self._told != run:
            self._told = run
            self._alarm(
                site, f"run {run} says that it is this site's master, too -> stop one of them"
            )
            if self._there:
                self.tell(online=True)
