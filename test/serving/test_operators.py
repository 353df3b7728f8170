"""What operators do at the command line, over a real broker, with a site that is served: asked, done,
answered; and what late joiners find."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mosquitto_process import Mosquitto, free_port
from served import SITE, TOPICS, Ear, Served, start, wait_for
from validating import wrong

from orchestrator.cli import main
from orchestrator.layout import load_site
from orchestrator.mqtt import MqttLink, Tls

ROADMAP = load_site(SITE).site.roadmap


@pytest.fixture(scope="module")
def hall(mosquitto_program: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = Served(tmp_path_factory.mktemp("hall"))
    try:
        wait_for(lambda: len(served.ear.robots()) == 40, "40 robots are told of")
        yield served
    finally:
        served.close()


class Desk:
    """An operator at a terminal."""

    def __init__(self, url: str, capsys: pytest.CaptureFixture[str]) -> None:
        self.url, self._capsys = url, capsys

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        """Exit code, and what was printed."""
        self._capsys.readouterr()
        code = main([*arguments, "--mqtt", self.url])
        out, err = self._capsys.readouterr()
        return code, out, err

    def rows(self, *arguments: str) -> list[Any]:
        """Of a list."""
        code, out, err = self(*arguments, "--json")
        assert code == 0, err
        return [json.loads(line) for line in out.splitlines()]


@pytest.fixture
def desk(hall: Served, capsys: pytest.CaptureFixture[str]) -> Desk:
    return Desk(hall.url, capsys)


def box_of(node: int) -> tuple[str, ...]:
    x_m, y_m = ROADMAP.node_x_mm[node] / 1000, ROADMAP.node_y_mm[node] / 1000
    return tuple(f"{value:.3f}" for value in (x_m - 0.2, y_m - 0.2, x_m + 0.2, y_m + 0.2))


def test_late_joiners_find_the_site_its_robots_and_its_figures(hall: Served, desk: Desk) -> None:
    wait_for(lambda: hall.ear.last("kpi") and hall.ear.last("kpi")["robots"], "figures")
    robots = desk.rows("fleet", "list")
    assert len(robots) == 40 and {row["fleet"] for row in robots} == {"tote_amr", "sorter"}
    assert all(row["node"] in ROADMAP.node_ids for row in robots)
    assert len(desk.rows("fleet", "list", "--fleet", "sorter")) == 12
    about = hall.ear.last("about")
    assert (about["state"], about["site"]) == ("ONLINE", "jd_small")
    assert hall.ear.last("kpi")["messages_in_per_s"] >= 0


def test_an_order_is_handed_in_once_and_waited_for(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "orders.csv"
    file.write_text("order_id,sku,quantity,due_in_s\nmine-1,SKU-01,1,3600\nmine-2,SKU-02,1,3600\n")
    submitted = desk("orders", "submit", str(file))
    again = desk("orders", "submit", "--id", "mine-1", "--sku", "SKU-01", "--wait")
    assert submitted[0] == again[0] == 0
    assert submitted[1] == "accepted: order mine-1\naccepted: order mine-2\n"
    assert "done" in again[1] and "1/1 SKU-01" in again[1]
    (row,) = desk.rows("orders", "list", "mine-1")
    assert row["status"] == "done" and row["due_at"], "the first one counts"
    assert desk("orders", "watch", "mine-1", "mine-2")[0] == 0
    code, _, err = desk("orders", "cancel", "mine-1")
    assert code == 1 and "done already" in err


def test_a_host_tells_items_and_loads_asks_for_differences_and_listens(
    desk: Desk, tmp_path: Path
) -> None:
    items, loads, stock = (tmp_path / f"{name}.csv" for name in ("items", "loads", "stock"))
    items.write_text("sku,weight_g\nHOST-1,20\n,3\nHOST-2,\n")
    code, out, err = desk("host", "items", str(items))
    assert code == 1 and "accepted" in out and f"{items}:3: sku must not be empty -> " in err
    loads.write_text(
        "notice_id,in_s,sku,quantity\nh-1,9999,HOST-1,4\nh-1,9999,HOST-2,4\nh-2,0,HOST-3,1\n"
    )
    code, _, err = desk("host", "notices", str(loads))
    assert code == 1 and "h-2: unknown SKU 'HOST-3'" in err and "h-1" not in err
    stock.write_text("tote,sku,quantity,slot\nno-such,HOST-1,2,slot-1\n")
    code, out, _ = desk("host", "stock", str(stock), "--part")
    assert code == 1 and out.endswith(
        "missing: no-such: host 2 HOST-1 at slot:slot-1, building nothing\n1 differences\n"
    )
    code, out, _ = desk("host", "stock", str(stock), "--json")
    kinds = {row["kind"] for row in map(json.loads, out.splitlines()) if "kind" in row}
    assert code == 1 and kinds == {"missing", "surplus"}
    kept = tmp_path / "kept"
    assert desk("host", "listen", str(kept), "--once")[0] == 0
    first = sorted(kept.glob("0*.json"))
    assert first[0].name == "0000000001-stock-snapshot-opening.json"
    assert [json.loads(path.read_text())["number"] for path in first] == [*range(1, len(first) + 1)]
    assert json.loads((kept / "cursor.json").read_text())["number"] == len(first)
    code, out, _ = desk("host", "listen", str(kept), "--once")
    assert code == 0 and "stock-snapshot-opening" not in out, "it goes on behind"


def test_an_order_is_changed_and_cancelled(desk: Desk) -> None:
    assert desk("orders", "submit", "--id", "big", "--sku", "SKU-01", "--quantity", "9999")[0] == 0
    assert desk("orders", "change", "big", "--priority", "7", "--due-in", "10m")[0] == 0
    (row,) = desk.rows("orders", "list", "big")
    assert (row["status"], row["priority"]) == ("open", 7) and row["due_at"]
    assert desk("orders", "cancel", "big", "--reason", "nobody wants so much")[0] == 0
    (row,) = desk.rows("orders", "list", "big")
    assert (row["status"], row["reason"]) == ("cancelled", "nobody wants so much")
    code, _, err = desk("orders", "submit", "--id", "odd", "--sku", "SKU-XX", "--wait")
    assert code == 1 and "unknown SKU 'SKU-XX'" in err


@pytest.mark.parametrize(
    ("whom", "what"),
    [(("tote_amr-03",), "robot tote_amr-03"), (("--fleet", "tote_amr"), "fleet tote_amr"),
     (("--all",), "all")],
)  # fmt: skip
@pytest.mark.parametrize("verb", ["pause", "evacuate"])
def test_robots_stand_or_go_away_and_go_on(
    hall: Served, desk: Desk, verb: str, whom: tuple[str, ...], what: str
) -> None:
    def reasons() -> Any:
        return hall.ear.robots()["tote_amr-03"]["paused"]

    assert desk("fleet", verb, *whom)[0] == 0
    wait_for(lambda: reasons() == [f"{verb} {what}"], "the robot says why it stands")
    assert desk("fleet", "resume", *whom)[0] == 0
    wait_for(lambda: not reasons(), "it goes on")


def test_places_are_closed_and_opened(hall: Served, desk: Desk) -> None:
    node = next(n for n, bay in enumerate(ROADMAP.node_bay) if bay < 0)
    edge = ROADMAP.edge_ids[next(e for e in range(ROADMAP.edges) if ROADMAP.edge_head[e] == node)]

    def closed() -> Any:
        told = hall.ear.last("closures")
        return told["lanes"] or told["stations"] or told["restrictions"]

    zone = ("east", "--box", *box_of(node))
    for close, how, open_again in (
        ("close-lane", (edge,), (edge,)),
        ("close-station", ("pick-1",), ("pick-1",)),
        ("close-zone", zone, zone[:1]),
        ("close-zone", ("west", "--nodes", ROADMAP.node_ids[node]), ("west",)),
    ):
        assert desk("fleet", close, *how)[0] == 0
        wait_for(closed, "it is told")
        code, out, _ = desk("fleet", "closures")
        assert code == 0 and close.replace("close", "open") + f" {how[0]}" in out
        assert desk("fleet", close.replace("close", "open"), *open_again)[0] == 0
        wait_for(lambda: not closed(), "and that it is open")
    for verb in ("pause", "evacuate"):
        assert desk("fleet", verb, "--zone", *zone)[0] == 0
        assert desk("fleet", "resume", "--zone", "east")[0] == 0


def test_robots_are_retired_returned_and_charged(hall: Served, desk: Desk) -> None:
    assert desk("fleet", "retire", "sorter-01")[0] == 0
    wait_for(lambda: hall.ear.robots()["sorter-01"]["retired"], "it is retired")
    assert desk("fleet", "return", "sorter-01")[0] == 0
    code, _, err = desk("fleet", "charge", "sorter-01", "sorter-99")
    assert code == 1 and "no robot 'sorter-99' -> did you mean sorter-09" in err


@pytest.mark.parametrize(
    ("arguments", "mend"),
    [
        (("fleet", "pause", "tote-amr-03"), "did you mean tote_amr-03"),
        (("fleet", "close-station", "pick1"), "did you mean pick-1"),
        (("fleet", "close-lane", "nowhere"), "edge: there is no edge 'nowhere'"),
        (("fleet", "close-zone", "z", "--box", "-9", "-9", "-8.5", "-8"), "a larger rectangle"),
        (("orders", "cancel", "nothing"), "there is no order 'nothing'"),
        (("orders", "submit", "--sku", "SKU-01", "--priority", "12"), "must be 0 to 9"),
        (("orders", "submit", "--sku", "SKU-01", "--chute", "pick-1"), "is no chute"),
    ],
)
def test_what_can_not_be_is_rejected_with_the_mend(
    desk: Desk, arguments: tuple[str, ...], mend: str
) -> None:
    code, out, err = desk(*arguments)
    assert code == 1 and out == "" and err.startswith("rejected: ") and mend in err


@pytest.mark.parametrize(
    ("arguments", "mend"),
    [
        (("fleet", "pause"), "pause whom? -> ROBOT"),
        (("fleet", "pause", "--all", "--site", "other"), "there is: jd_small"),
        (("fleet", "pause", "--zone", "z"), "--nodes A,B,…, or --box"),
        (("fleet", "list", "nobody"), "no robot 'nobody'"),
        (("orders", "submit"), "--sku and --quantity"),
        (("orders", "change", "o"), "change what?"),
        (("orders", "list", "nothing"), "no order 'nothing'"),
    ],
)
def test_what_nobody_can_answer_is_bad_usage(
    desk: Desk, arguments: tuple[str, ...], mend: str
) -> None:
    code, _, err = desk(*arguments)
    assert code == 2 and mend in err


def test_without_a_broker_or_a_master_that_is_said(
    mosquitto: Mosquitto, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = Desk(mosquitto.url, capsys)("fleet", "pause", "--all")
    assert code == 2 and "no master ever was on mqtt://" in err
    code, _, err = Desk(f"mqtt://127.0.0.1:{free_port()}", capsys)("fleet", "list")
    assert code == 2 and "is the broker running?" in err


def test_a_master_that_is_gone_is_told_and_tells_everything_again(hall: Served, desk: Desk) -> None:
    # given orders that are closed and open, and what another run left behind
    assert desk("orders", "submit", "--id", "no", "--sku", "SKU-XX")[0] == 1
    assert desk("orders", "submit", "--id", "much", "--sku", "SKU-02", "--quantity", "9999")[0] == 0
    orders = {row["order_id"]: row["status"] for row in desk.rows("orders", "list")}
    assert (orders["no"], orders["much"]) == ("refused", "open")
    close = {"type": "StationClosed", "request": "once", "station": "pick-3"}
    publish(hall, {"commands": close}, retain=False)
    wait_for(lambda: replies(hall, "once"), "an answer")
    # when the master is killed, its last will says so, and nobody waits for an answer
    hall.server.send_signal(signal.SIGKILL)
    hall.server.wait()
    wait_for(lambda: hall.ear.last("about")["state"] == "OFFLINE", "the last will")
    code, _, err = desk("fleet", "pause", "--all")
    assert code == 2 and "the master of jd_small is offline" in err
    assert len(desk.rows("fleet", "list")) == 40, "what is known can be looked at"
    # and the broker forgets everything, but for what somebody else left
    hall.broker.kill()
    hall.broker.start()
    ghost = {"robot": "ghost", "order_id": "ghost", "status": "open"}
    publish(hall, {"fleet/ghost/state": ghost, "orders/ghost/status": ghost}, retain=True)
    hall.ear.kept.clear()
    # then who goes on with the run tells it again, and clears what is not its own
    hall.serve("--resume", str(hall.run))
    wait_for(lambda: len(hall.ear.robots()) >= 40, "the robots again")
    for name in orders:
        wait_for(lambda name=name: hall.ear.last(f"orders/{name}/status"), f"order {name} again")
    again = {row["order_id"]: row["status"] for row in desk.rows("orders", "list")}
    closed = {name: status for name, status in orders.items() if status != "open"}
    assert closed.items() <= again.items() and again["much"] == "open" and "ghost" not in again
    wait_for(lambda: "ghost" not in hall.ear.robots(), "the ghost is gone")
    assert {row["robot"] for row in desk.rows("fleet", "list")} == set(hall.ear.robots())
    # and what was asked before is answered alike, and not done again
    assert desk("fleet", "open-station", "pick-3")[0] == 0
    publish(hall, {"commands": close}, retain=False)
    first, second = wait_for(lambda: (r := replies(hall, "once"))[1:] and r, "the answer again")
    assert first == second and first["accepted"]
    assert "pick-3" not in desk("fleet", "closures")[1]
    assert desk("fleet", "pause", "--all")[0] == desk("fleet", "resume", "--all")[0] == 0


def test_everything_that_was_said_is_of_the_document(hall: Served, desk: Desk) -> None:
    assert desk("orders", "submit", "--sku", "SKU-XX")[0] == 1
    assert desk("fleet", "pause", "sorter-01")[0] == desk("fleet", "resume", "sorter-01")[0] == 0
    kinds: Counter[tuple[str, str]] = Counter()
    complaints = []
    for topic, payload, _ in hall.ear.heard:
        part = topic.split("/")[3]
        kind = json.loads(payload).get("type", "") if payload else ""
        kinds[part, kind] += 1
        if kinds[part, kind] <= 20 and b"ghost" not in payload:
            complaints.append(wrong("jd_small", topic, payload))
    assert not [text for text in complaints if text]
    assert {part for part, _ in kinds} >= {"about", "kpi", "events", "fleet", "orders", "commands",
                                          "replies", "host", "equipment"}  # fmt: skip


def publish(hall: Served, messages: dict[str, Any], *, retain: bool) -> bool:
    """As any program would."""

    async def send() -> None:
        async with MqttLink(hall.url) as link:
            for name, content in messages.items():
                link.publish(f"{TOPICS}/{name}", json.dumps(content).encode(), 1, retain)
            await link.flush(5)

    asyncio.run(send())
    return True


def replies(hall: Served, request: str) -> list[Any]:
    """To one request, so far."""
    said = [json.loads(m[1]) for m in list(hall.ear.heard) if m[0] == f"{TOPICS}/replies"]
    return [reply for reply in said if reply["request"] == request]


def test_on_the_shipped_broker_an_operator_is_answered_and_may_do_no_more(
    mosquitto_program: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # given Mosquitto as it is shipped, and a master on it
    folder, ports = tmp_path / "broker", (free_port(), free_port())
    init = ["broker", "init", str(folder), "--site", str(SITE), "--port", str(ports[0])]
    assert main([*init, "--certificate-port", str(ports[1])]) == 0
    assert main(["broker", "add", str(folder), "operator", "anna"]) == 0
    assert main(["broker", "add", str(folder), "host", "wms"]) == 0
    text = (folder / "mosquitto.conf").read_text()
    broker = Mosquitto(folder, text + ("\nuser root\n" if os.geteuid() == 0 else ""), ports[0])
    broker.start()
    url, ca = f"mqtts://localhost:{ports[0]}", folder / "ca.crt"

    def password(user: str) -> str:
        return (folder / "users" / f"{user}.password").read_text().strip()

    server = start(
        tmp_path, "serve", "serve", str(SITE), "--override", "a test", "--mqtt", url,
        "--ca", str(ca), "--user", "master", "--record", "live.run",
        LIGHTSOUT_MQTT_PASSWORD=password("master"),
    )  # fmt: skip
    host = MqttLink(url, user="host", password=password("host"), tls=Tls(ca=ca))
    ear = Ear(lambda: host)
    try:
        wait_for(lambda: ear.last("about"), "the master is there")
        monkeypatch.setenv("LIGHTSOUT_MQTT_PASSWORD", password("operator-anna"))
        as_anna = ("--user", "operator-anna", "--ca", str(ca))
        desk = Desk(url, capsys)
        # then an operator's requests are answered
        assert desk("orders", "submit", "--id", "o", "--sku", "SKU-01", *as_anna)[0] == 0
        assert desk("fleet", "close-station", "pick-1", *as_anna)[0] == 0
        assert desk("orders", "list", "o", *as_anna)[0] == 0
        code, _, err = desk("fleet", "pause", "nobody", *as_anna)
        assert code == 1 and "no robot 'nobody'" in err
        # and who isn't known, or may only look, is told so
        code, _, err = desk("fleet", "list", "--user", "operator-bob", "--ca", str(ca))
        assert code == 2 and "check user, password and certificate" in err
        monkeypatch.setenv("LIGHTSOUT_MQTT_PASSWORD", password("host-wms"))
        code, _, err = desk("fleet", "pause", "--all", "--user", "host-wms", "--ca", str(ca),
                            "--timeout", "0.5")  # fmt: skip
        assert code == 2 and "may not write" in err
        assert not [m for m in ear.heard if b"RobotsPaused" in m[1] and m[0].endswith("/events")]
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(30)
        ear.close()
        broker.kill()
