"""The outbox over topics: whatever dies, the host gets every message, and those it gets twice are the
same ones."""

from __future__ import annotations

import json
import random
from typing import Any

import msgspec
import pytest
from test_confirmations import recipe

from orchestrator.api.host_outbox import KEEP, PAGE, WINDOW, HostOutbox
from orchestrator.api.host_types import OUT
from orchestrator.core.loop import Core
from orchestrator.core.messages import Entry, Event, HostAcknowledged
from orchestrator.host.outbox import Outgoing
from orchestrator.host.spool import Spool
from orchestrator.journal import RunReader
from orchestrator.layout import LoadedSite
from sim.recorded import record

SECOND = 10**9


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> tuple[LoadedSite, list[Entry]]:
    """The events of a run with everything in it."""
    path = tmp_path_factory.mktemp("outbox") / "a.run"
    record(recipe(), path)
    with RunReader(path) as reader:
        return recipe().load(), list(reader.entries())


class Server:
    """A core, its journal, and an outbox that follows; `dies` leaves what was committed."""

    def __init__(self, loaded: LoadedSite, publish: Any, journal: list[tuple[int, Event]]) -> None:
        self.journal, self.committed = journal, len(journal)
        self.posted: list[Event] = []
        self.outbox = HostOutbox("ring", "r1", publish, self.posted.append, snapshot_minutes=10)
        self.core = Core(loaded.site, self, lambda *_: None)
        for time_ns, event in journal:
            self._handle(time_ns, event)
        self.outbox.committed()

    def send(self, command: Any) -> None:
        self.outbox.command(command)

    def _handle(self, time_ns: int, event: Event) -> None:
        self.core.handle(time_ns, event)
        self.outbox.event(self.core.seq - 1, time_ns, event, self.core.world)

    def handle(self, time_ns: int, event: Event) -> None:
        self.journal.append((time_ns, event))
        self._handle(time_ns, event)

    def commit(self) -> None:
        for event in self.posted[:]:
            self.posted.remove(event)
            self.handle(self.core.world.time_ns, event)
        self.committed = len(self.journal)
        self.outbox.committed()

    def dies(self) -> list[tuple[int, Event]]:
        return self.journal[: self.committed]


class Host:
    """Keeps what it hears by number, and forgets to listen now and then."""

    def __init__(self) -> None:
        self.heard: dict[int, bytes] = {}
        self.topics: dict[int, str] = {}
        self.listens = True
        self.repeated = 0

    def publish(self, topic: str, payload: bytes, qos: int, retain: bool) -> bool:
        if not self.listens or retain:
            return True
        assert qos == 1
        number = json.loads(payload)["number"]
        self.repeated += number in self.heard
        assert self.heard.setdefault(number, payload) == payload, "the same again, or another one"
        self.topics[number] = topic
        return True

    @property
    def complete(self) -> int:
        """All numbers up to this one are there."""
        number = 0
        while number + 1 in self.heard:
            number += 1
        return number


@pytest.mark.parametrize("seed", range(6))
def test_a_server_that_dies_again_and_again(
    story: tuple[LoadedSite, list[Entry]], seed: int
) -> None:
    loaded, entries = story
    calm = Host()
    whole = Server(loaded, calm.publish, [])
    for entry in entries:
        whole.handle(entry.time_ns, entry.event)
        whole.commit()
        whole.outbox.heard(calm.complete)
    assert calm.complete == whole.outbox.made > 30 and not calm.repeated
    chance, host = random.Random(seed), Host()
    server = Server(loaded, host.publish, [])
    deaths = sorted(chance.sample(range(50, len(entries)), 4))
    done = 0
    while done < len(entries):
        entry = entries[done]
        server.handle(entry.time_ns, entry.event)
        done += 1
        if chance.random() < 0.2:
            server.commit()
        if chance.random() < 0.05:
            host.listens = not host.listens
        if host.listens and chance.random() < 0.004:
            assert server.outbox.heard(host.complete) == ""
        if deaths and done >= deaths[0]:
            deaths.pop(0)
            journal = server.dies()
            server = Server(loaded, host.publish, list(journal))
            done = sum(not isinstance(event, HostAcknowledged) for _, event in journal)
    server.commit()
    host.listens = True
    server.outbox.heard(server.outbox.acknowledged)  # "I have come so far: what else is there?"
    server.outbox.tick(0, connected=True)
    keys = {json.loads(payload)["key"] for payload in host.heard.values()}
    assert host.complete == server.outbox.made == len(keys) and host.repeated

    def told(host: Host) -> list[tuple[str, Any]]:
        head = ("key", "seq", "run", "number")  # events of acknowledgements count, too
        rows = [json.loads(host.heard[number]) for number in sorted(host.heard)]
        return [(row["kind"], {k: v for k, v in row.items() if k not in head}) for row in rows]

    assert told(host) == told(calm)


def test_every_message_is_as_its_type_says(story: tuple[LoadedSite, list[Entry]]) -> None:
    loaded, entries = story
    host = Host()
    server = Server(loaded, host.publish, [])
    for entry in entries:
        server.handle(entry.time_ns, entry.event)
        server.commit()
        server.outbox.heard(host.complete)
    seen = set()
    for number, payload in host.heard.items():
        topic = host.topics[number].removeprefix("lightsout/v1/ring/host/out/")
        message = msgspec.json.decode(payload, type=OUT[topic])
        assert msgspec.to_builtins(message)["number"] == number
        seen.add(message.kind)
    assert seen >= {
        "order-accepted", "order-refused", "order-done", "departure", "inbound-receipt",
        "stock-adjustment", "stock-snapshot",
    }  # fmt: skip
    rows = [json.loads(payload) for payload in host.heard.values()]
    done = [row for row in rows if row["kind"] == "order-done"]
    trucks = {row["truck"]: row["orders"] for row in rows if row["kind"] == "departure"}
    assert done
    for row in done:
        assert row["order_id"] in trucks[row["truck"]]
        assert row["label"] and row["carrier"] == "post"
        assert all(line["short"] == line["ordered"] - line["picked"] for line in row["lines"])


# --- the line, without a building ----------------------------------------------------------------


class Line:
    """An outbox that is given messages by hand."""

    def __init__(self) -> None:
        self.sent: list[int] = []
        self.posted: list[HostAcknowledged] = []
        self.state: Any = None
        self.room = 10**9
        self.outbox = HostOutbox("ring", "r1", self._publish, self.posted.append)
        self.outbox._follower._opening = None  # there is no stock to begin with

    def _publish(self, topic: str, payload: bytes, qos: int, retain: bool) -> bool:
        if retain:
            self.state = json.loads(payload)
            return True
        if self.room <= 0:
            return False
        self.room -= 1
        self.sent.append(json.loads(payload)["number"])
        return True

    def make(self, count: int, **content: Any) -> None:
        for _ in range(count):
            made = self.outbox.made
            outgoing = Outgoing(
                made, "order-done", f"o{made}", 0, {"order_id": f"o{made}"} | content
            )
            self.outbox._add(outgoing, "", outgoing.content)

    def journalled(self) -> None:
        """The acknowledgement that was posted comes back as an event."""
        event = self.posted.pop(0)
        self.outbox.event(0, 0, event, None)  # type: ignore[arg-type]
        self.outbox.committed()

    def take(self) -> list[int]:
        sent, self.sent = self.sent, []
        return sent


def test_so_many_are_under_way_and_the_others_follow() -> None:
    line = Line()
    line.make(3 * KEEP)
    line.outbox.committed()
    assert line.take() == list(range(1, WINDOW + 1))
    number = 0
    while number < 3 * KEEP:
        number = min(number + 70, 3 * KEEP)
        assert line.outbox.heard(number) == ""
        line.journalled()
    assert line.take() == list(range(WINDOW + 1, 3 * KEEP + 1)) and not len(line.outbox._spool)


def test_what_has_no_answer_is_sent_again_ever_more_rarely() -> None:
    line = Line()
    line.make(2)
    line.outbox.committed()
    line.take()
    moments = []
    for second in range(1000):
        line.outbox.tick(second * SECOND, connected=True)
        if line.take():
            moments.append(second)
    assert moments == [30, 90, 210, 450, 750]
    line.outbox.heard(1)
    line.journalled()
    line.outbox.tick(1000 * SECOND, connected=True)
    line.outbox.tick(1031 * SECOND, connected=True)
    assert line.take() == [2], "an answer makes it quick again"
    line.outbox.tick(5000 * SECOND, connected=False)
    assert line.take() == [], "without a connection the link keeps what it has"


def test_what_the_link_has_no_room_for_follows() -> None:
    line = Line()
    line.make(5)
    line.room = 2
    line.outbox.committed()
    line.room = 10
    line.outbox.tick(0, connected=True)
    line.outbox.tick(SECOND, connected=True)
    assert line.take() == [1, 2, 3, 4, 5]


def test_many_acknowledgements_become_few_events() -> None:
    line = Line()
    line.make(9)
    line.outbox.committed()
    for number in range(1, 10):
        line.outbox.heard(number)
    assert [event.number for event in line.posted] == [1]
    line.journalled()
    assert [event.number for event in line.posted] == [9]
    line.journalled()
    assert line.outbox.acknowledged == 9 and not line.posted


def test_a_host_that_comes_late_learns_how_far_it_is() -> None:
    line = Line()
    line.make(3)
    line.outbox.committed()
    line.outbox.tick(0, connected=True)
    assert line.state == {"run": "r1", "made": 3, "acknowledged": 0}
    line.take()
    line.outbox.heard(0)
    line.outbox.tick(SECOND, connected=True)
    assert line.take() == [1, 2, 3] and not line.posted
    for _ in range(100):  # it says so for each message that comes again: that brings no avalanche
        line.outbox.heard(0)
        line.outbox.tick(5 * SECOND, connected=True)
    assert line.take() == []
    line.outbox.tick(6 * SECOND, connected=True)
    assert line.take() == [1, 2, 3]


def test_a_message_that_is_too_large_says_so_and_the_next_ones_go_on() -> None:
    line = Line()
    line.make(1, lines=[{"sku": "x" * 100, "ordered": 1}] * 20_000, type="outbound")
    line.make(1)
    line.outbox.committed()
    assert line.take() == [1, 2]
    (first, _) = line.outbox._spool.front(0, 2)
    found = msgspec.json.decode(first.partition(b"\0")[2], type=OUT["confirmations"])
    assert found.order_id == "o0" and found.too_large > 1_000_000 and not found.lines


def test_a_snapshot_comes_in_pages() -> None:
    host = Host()
    outbox = HostOutbox("ring", "r1", host.publish, lambda _: None)
    outbox._follower._opening = None
    totes = [
        {"tote": f"t{n}", "sku": "a", "quantity": 1, "place": "slot:s"} for n in range(PAGE + 1)
    ]
    outbox._follower._say("stock-snapshot", "x", {"totes": totes, "boxes": {"o": {"a": 1}}})
    outbox.event(0, 0, HostAcknowledged(number=0), None)  # type: ignore[arg-type]
    outbox.committed()
    pages = [msgspec.json.decode(host.heard[n], type=OUT["snapshots"]) for n in (1, 2)]
    assert [(len(p.totes), p.page, p.pages, len(p.boxes)) for p in pages] == [
        (PAGE, 1, 2, 1), (1, 2, 2, 0)
    ]  # fmt: skip
    assert pages[0].key != pages[1].key


@pytest.mark.parametrize("seed", range(5))
def test_a_spool_is_a_line_whatever_its_length(seed: int) -> None:
    chance = random.Random(seed)
    spool, plain, count = Spool(keep=8, bytes_max=40), list[bytes](), 0
    for _ in range(3000):
        if plain and chance.random() < (0.3 if count % 200 < 100 else 0.7):
            assert spool.pop() == plain.pop(0)
        else:
            count += 1
            plain.append(b"%d" % count * chance.randint(0, 3))
            spool.push(plain[-1])
        near = list(spool.front(0, 9))
        assert len(spool) == len(plain) and near == plain[: len(near)]
        assert len(near) <= 8 and sum(map(len, near[:-1])) <= 40
        assert near or not plain
