"""What the host must hear, over topics: numbered, and sent until the host says that it has it.

The messages are a fold over the journal (`host.confirmations`), and so is what was acknowledged
(`HostAcknowledged`): who goes on with a run makes the same messages with the same numbers, drops what
was acknowledged and sends the others. Nothing else is kept. The broker's PUBACK counts for nothing
here: it comes for what nobody listens to, and for what the broker throws away.

At most `WINDOW` messages are under way; `Spool` holds the others, in memory as far as they fit there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from orchestrator.api.equipment import QOS
from orchestrator.api.host_types import OutboxState, topic_of
from orchestrator.api.naming import BYTES_MAX
from orchestrator.api.published import root
from orchestrator.core.messages import Command, Event, HostAcknowledged
from orchestrator.core.world import World
from orchestrator.host.confirmations import Follower
from orchestrator.host.outbox import Outgoing
from orchestrator.host.spool import Spool

WINDOW = 100  # under way without acknowledgement
KEEP = 1000  # in memory
PAGE = 2000  # totes of a snapshot in one message
AGAIN_S = 30  # without acknowledgement; doubling up to:
AGAIN_S_MAX = 300
ASKED_S = 5  # no more often because the host asks for it
SECOND_NS = 1_000_000_000
Publish = Callable[[str, bytes, int, bool], Any]


class HostOutbox:
    """Tell it everything from the journal's first event on (`live.Follower`)."""

    def __init__(
        self,
        site_id: str,
        run: str,
        publish: Publish,
        post: Callable[[Event], None],
        snapshot_minutes: float = 0.0,
    ) -> None:
        self._site, self.run = site_id, run
        self.publish, self.post = publish, post
        self._follower = Follower(snapshot_minutes)
        self._spool = Spool(KEEP)
        self.made = 0  # number of the last message
        self.acknowledged = 0
        self._sent = 0  # by this process
        self._acking = 0  # posted, and not yet in the journal
        self._wanted = 0  # acknowledged meanwhile
        self._again_s, self._again_ns = AGAIN_S, 0
        self._asked, self._asked_ns = False, 0  # the host asks for the rest
        self._state: OutboxState | None = None

    # --- what happens ----------------------------------------------------------------------------

    def command(self, command: Command) -> None:
        """live.Follower"""
        self._follower.command(command)

    def event(self, seq: int, time_ns: int, event: Event, world: World) -> None:
        """live.Follower"""
        if isinstance(event, HostAcknowledged):
            self._drop(event.number)
            self._acking = 0
            self._ask()
        self._follower.event(seq, time_ns, event, world)
        for outgoing in self._follower.take():
            for suffix, content in _pages(outgoing):
                self._add(outgoing, suffix, content)

    def committed(self) -> None:
        """live.Follower: what was told is durable, and may be sent on."""
        first = max(self._sent, self.acknowledged)
        self._send(first - self.acknowledged)

    def tick(self, now_ns: int, connected: bool) -> None:
        """Now and then: tell how far we are, and send again what is not acknowledged. Without a
        connection the link keeps what it has."""
        if not connected:
            self._state = None
            return
        state = OutboxState(self.run, self.made, self.acknowledged)
        if state != self._state:
            self._state = state
            topic = f"{root(self._site)}/host/out/state"
            self.publish(topic, msgspec.json.encode(state), QOS, True)
        if self._asked and now_ns >= self._asked_ns:
            self._asked, self._asked_ns = False, now_ns + ASKED_S * SECOND_NS
            self._send(0)
        elif self._sent <= self.acknowledged or not self._again_ns:
            self._again_ns = now_ns + self._again_s * SECOND_NS
        elif now_ns >= self._again_ns:
            self._again_s = min(2 * self._again_s, AGAIN_S_MAX)
            self._again_ns = now_ns + self._again_s * SECOND_NS
            self._send(0)
        else:
            self.committed()  # what the link had no room for

    def heard(self, number: int) -> str:
        """The host has everything up to this number; return what is wrong with that. One that says
        nothing new asks for the rest once more."""
        if not 0 <= number <= self.made:
            return f"number {number}: only {self.made} messages were made"
        if number == self.acknowledged and not self._acking:
            self._asked = True
        self._wanted = max(self._wanted, number)
        self._ask()
        return ""

    # --- the line --------------------------------------------------------------------------------

    def _add(self, outgoing: Outgoing, suffix: str, content: dict[str, Any]) -> None:
        self.made += 1
        head = {
            "key": f"{self.run}:{outgoing.name}{suffix}",
            "run": self.run,
            "number": self.made,
            "seq": outgoing.seq,
            "kind": outgoing.kind,
            "time_s": round(outgoing.time_ns / 1e9, 3),
        }
        payload = msgspec.json.encode(head | content)
        if len(payload) > BYTES_MAX:
            short = {key: value for key, value in content.items() if isinstance(value, str | int)}
            lists = {key: () for key, value in content.items() if isinstance(value, list)}
            payload = msgspec.json.encode(head | short | lists | {"too_large": len(payload)})
        topic = topic_of(self._site, outgoing.kind)
        self._spool.push(topic.encode() + b"\0" + payload)

    def _send(self, start: int) -> None:
        """What stands in the line from this place on, within the window."""
        self._sent = self.acknowledged + start
        for message in self._spool.front(start, WINDOW):
            topic, _, payload = message.partition(b"\0")
            if self.publish(topic.decode(), payload, QOS, False) is False:
                return  # the next tick tries again
            self._sent += 1

    def _ask(self) -> None:
        """Let the journal know; one at a time, so that many acknowledgements become few events."""
        if not self._acking and self._wanted > self.acknowledged:
            self._acking = self._wanted
            self.post(HostAcknowledged(number=self._wanted))

    def _drop(self, number: int) -> None:
        while self.acknowledged < min(number, self.made):
            self._spool.pop()
            self.acknowledged += 1
            self._again_s, self._again_ns = AGAIN_S, 0


def _pages(outgoing: Outgoing) -> Iterator[tuple[str, dict[str, Any]]]:
    """Contents, each with what its key ends with: a snapshot may be larger than a message."""
    content = outgoing.content
    totes = content.get("totes", ())
    if outgoing.kind != "stock-snapshot" or len(totes) <= PAGE:
        yield "", content
        return
    pages = -(-len(totes) // PAGE)
    for page in range(pages):
        part = content | {
            "totes": totes[page * PAGE : (page + 1) * PAGE], "page": page + 1, "pages": pages
        }  # fmt: skip
        if page:
            part["boxes"] = {}
        yield f"/{page + 1}", part
