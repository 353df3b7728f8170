"""A host with nothing but topics: its items, a load that it announces and orders, over a real broker,
to a server that is killed in the middle. Every order is told about once; whatever comes again is the
same message."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from mosquitto_process import Mosquitto
from served import SITE, start

from orchestrator.api.host_types import (
    OUT,
    Acknowledgement,
    GoodsLine,
    HostReply,
    ItemRow,
    Items,
    NoticeRow,
    Notices,
    StockList,
    ToteRow,
)
from orchestrator.core.messages import HostAcknowledged, OrderReceived
from orchestrator.journal import RunReader
from orchestrator.layout import load_site
from orchestrator.mqtt import MqttLink
from sim.replay import replay

ROOT = "lightsout/v1/jd_small"
LIMIT_S = 100.0


class Host:
    """Says everything until it is answered; keeps what it hears by number."""

    def __init__(self, link: MqttLink) -> None:
        self.link = link
        self.unanswered: dict[str, tuple[str, Any]] = {}
        self.replies: dict[str, HostReply] = {}
        self.heard: dict[int, Any] = {}
        self.payloads: dict[int, bytes] = {}
        self.repeated = 0
        self.reconciliations: list[Any] = []
        self.state: dict[str, Any] = {}
        self.acknowledges = False
        link.subscribe(f"{ROOT}/host/out/#", 1)
        link.subscribe(f"{ROOT}/replies", 1)

    async def listen(self) -> None:
        async for topic, payload, _ in self.link.messages():
            kind = topic.rpartition("/")[2]
            if kind == "replies":
                reply = msgspec.json.decode(payload, type=HostReply)
                self.replies[reply.request] = reply
                self.unanswered.pop(reply.request, None)
            elif kind == "reconciliations":
                self.reconciliations.append(json.loads(payload))
            elif kind == "state":
                self.state = json.loads(payload)
            else:
                self._numbered(kind, payload)

    def _numbered(self, kind: str, payload: bytes) -> None:
        message = msgspec.json.decode(payload, type=OUT[kind])
        self.repeated += message.number in self.heard
        assert self.payloads.setdefault(message.number, payload) == payload
        self.heard[message.number] = message
        if self.acknowledges:
            number = max(n for n in self.heard if all(m in self.heard for m in range(1, n + 1)))
            self._publish("host/in/acks", Acknowledgement(message.run, number))

    async def insist(self) -> None:
        """What is not answered is said again, with the same id."""
        while True:
            for topic, message in list(self.unanswered.values()):
                self._publish(topic, message)
            await asyncio.sleep(1.0)

    def _publish(self, topic: str, message: Any) -> None:
        self.link.publish(f"{ROOT}/{topic}", msgspec.json.encode(message), 1)

    def say(self, topic: str, message: Any) -> None:
        raw = msgspec.to_builtins(message)
        self.unanswered[raw["request"]] = (topic, raw)

    def order(self, name: str, sku: str) -> None:
        order = {
            "type": "OrderReceived", "request": f"r-{name}", "order_id": name, "kind": "outbound",
            "lines": [{"sku": sku, "quantity": 1}], "due_in_s": 3600, "cutoff_in_s": 3000,
            "carrier": "post",
        }  # fmt: skip
        self.say("orders", order)

    def of(self, kind: str) -> list[Any]:
        return [message for _, message in sorted(self.heard.items()) if message.kind == kind]


async def until(condition: Callable[[], Any], what: Callable[[], object]) -> None:
    try:
        async with asyncio.timeout(LIMIT_S):
            while not condition():  # noqa: ASYNC110
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise AssertionError(f"not within {LIMIT_S} s: {what()}") from None


async def story(host: Host, server: subprocess.Popen[bytes], again: Callable[[], Any]) -> Any:
    """What the host says and hears; returns the server that goes on."""
    # given a new item, a pallet of it that is announced, and orders: some of known items, one of it
    items = (ItemRow(sku="NEW-1", name="new", weight_g=200), ItemRow(sku=""))
    host.say("host/in/items", Items(request="items-1", items=items))
    await until(lambda: "items-1" in host.replies, lambda: host.unanswered)
    lines = (GoodsLine("NEW-1", 12), GoodsLine("NEW-1", 8))
    rows = (
        NoticeRow(notice_id="asn-1", lines=lines, load="pallet-1", in_s=20),
        NoticeRow(notice_id="asn-2", lines=(GoodsLine("NO-SUCH", 3),)),
    )
    host.say("host/in/notices", Notices(request="notices-1", notices=rows))
    for number in range(1, 7):
        host.order(f"before-{number}", f"SKU-{number:02}")
    host.order("new", "NEW-1")
    host.order("nonsense", "NO-SUCH")
    await until(lambda: len(host.of("order-accepted")) >= 4, lambda: host.heard)
    # when the server is killed while the host says more, and another one goes on
    for number in range(1, 5):
        host.order(f"after-{number}", f"SKU-{number:02}")
    server.send_signal(signal.SIGKILL)
    server.wait()
    before = len(host.heard)
    assert before and not host.acknowledges
    server = again()
    # then every order ends, and what was told before is told again as it was
    await until(lambda: host.repeated >= before, lambda: host.repeated)
    host.acknowledges = True
    names = {f"before-{n}" for n in range(1, 7)} | {f"after-{n}" for n in range(1, 5)} | {"new"}
    ends = ("order-done", "order-quarantined")
    await until(
        lambda: names <= {m.order_id for end in ends for m in host.of(end)},
        lambda: (sorted(host.heard.items())[-3:], host.unanswered),
    )
    await until(lambda: host.of("inbound-receipt"), lambda: host.state)
    # and when the host asks what is there, it is told
    await until(
        lambda: host.state["made"] == host.state["acknowledged"] == len(host.heard) > 0,
        lambda: (host.state, sorted(host.heard)),
    )
    mine = (ToteRow("pallet-1/1", "NEW-1", 13, "?"), ToteRow("no-such", "NEW-1", 1, "?"))
    host.say("host/in/stock", StockList(request="stock-1", totes=mine, complete=False))
    await until(lambda: host.reconciliations, lambda: host.replies)
    return server


def test_a_host_loses_nothing_when_the_server_is_killed(
    tmp_path: Path, mosquitto: Mosquitto
) -> None:
    live = tmp_path / "live.run"
    common = (str(SITE), "--mqtt", mosquitto.url, "--seed", "7", "--speed", "12")
    serve = ("serve", *common, "--override", "a test")
    processes = {
        "server": start(tmp_path, "serve", *serve, "--record", str(live)),
        "fleet": start(tmp_path, "fleet", "fleet", "simulate", *common, "--robots", "20"),
    }

    async def run() -> Host:
        async with MqttLink(mosquitto.url, client_id="host") as link:
            host = Host(link)
            await link.wait_up(5)
            tasks = [asyncio.create_task(host.listen()), asyncio.create_task(host.insist())]
            stories = asyncio.create_task(
                story(
                    host,
                    processes["server"],
                    lambda: start(tmp_path, "serve2", *serve, "--resume", str(live)),
                )
            )
            done, _ = await asyncio.wait([*tasks, stories], return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                task.cancel()
            for task in done:  # a listener that fails is the reason
                if task is not stories:
                    task.result()
            processes["server"] = stories.result()
            return host

    try:
        host = asyncio.run(run())
    finally:
        for process in processes.values():
            process.send_signal(signal.SIGINT)
        for process in processes.values():
            process.wait(30)
    assert host.replies["items-1"].rows == ("row 2: sku must not be empty -> fill it in",)
    assert "asn-2: unknown SKU 'NO-SUCH'" in host.replies["notices-1"].rows[0]
    assert not host.replies["r-nonsense"].accepted
    assert sorted(host.heard) == list(range(1, len(host.heard) + 1)), "no gap"
    for kind in ("order-accepted", "order-done", "order-refused"):
        told = Counter(message.order_id for message in host.of(kind))
        assert set(told.values()) == {1}, (kind, told)
    assert "new" in {message.order_id for message in host.of("order-done")}
    (receipt,) = [message for message in host.of("inbound-receipt") if message.order_id == "asn-1"]
    assert [(line.sku, line.received) for line in receipt.lines] == [("NEW-1", 12), ("NEW-1", 8)]
    missing, *others = sorted(host.reconciliations[0]["differences"], key=lambda row: row["kind"])
    assert (missing["kind"], missing["tote"]) == ("missing", "no-such")
    assert {row["tote"] for row in others} == {"pallet-1/1"}
    # and the journal, with what the host said and acknowledged in it, is one run
    with RunReader(live) as reader:
        assert replay(reader, load_site(SITE)).difference == ""
        heard = [entry.event for entry in reader.entries()]
    assert any(isinstance(event, HostAcknowledged) for event in heard)
    assert {e.order_id for e in heard if isinstance(e, OrderReceived)} >= {
        "asn-1",
        "new",
        "after-1",
    }
