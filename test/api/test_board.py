"""What a site tells: retained, when it changes, within bounds; and nothing of another run is left."""

from __future__ import annotations

import json
from typing import Any

import pytest
from test_flow import Story

from orchestrator.api import order_statuses, robot_states
from orchestrator.api.board import Board
from orchestrator.api.kpis import Traffic
from orchestrator.api.naming import Naming
from orchestrator.api.presence import MasterThere, about
from orchestrator.core.messages import (
    CloseOrder,
    LaneClosed,
    LaneOpened,
    Line,
    OrderCancelled,
    OrderChanged,
    OrderReceived,
    RobotFaulted,
    RobotRetired,
    RobotsPaused,
    StationClosed,
    Ticked,
    ZoneClosed,
)
from orchestrator.core.step import step

SECOND_NS = 10**9
Message = tuple[str, Any, int, bool]


class Link:
    """A broker that keeps what is retained."""

    def __init__(self) -> None:
        self.connected = True
        self.room = True
        self.sent: list[Message] = []
        self.kept: dict[str, Any] = {}

    def publish(self, topic: str, payload: bytes, qos: int = 0, retain: bool = False) -> bool:
        if not self.room:
            return False
        value = json.loads(payload) if payload else None
        self.sent.append((topic, value, qos, retain))
        if retain:
            self.kept[topic] = value
        return True

    def of(self, part: str) -> list[Any]:
        return [value for topic, value, _, _ in self.sent if part in topic]


class Hall(Story):
    """A story whose every event and command the board hears of."""

    def __init__(self, **values: Any) -> None:
        self.link, self.board, self.real_ns = Link(), None, SECOND_NS
        self.offset_ns = 0  # of UTC to the run's time
        super().__init__(**values)
        naming = Naming(self.world.site)
        for robot in self.world.robots:
            naming.joined(robot.name)
        self.board: Any = Board(
            "ring", naming, self.link, lambda: self.world,
            lambda: (self.world.time_ns, self.world.time_ns + self.offset_ns),
            lambda: Traffic(5, 3, 2, 1, 8, 2),
            run="abc", version="1.0",
        )  # fmt: skip

    def say(self, *events: Any) -> None:
        queue = list(events)
        while queue:
            self.time_ns += SECOND_NS // 20
            event = queue.pop(0)
            commands = step(self.world, self.time_ns, event)
            if self.board is not None:
                self.board.event(7, event)
            for command in commands:
                self.seen.append(command)
                if self.board is not None:
                    self.board.command(command)
                queue += self.answer(command)

    def tell(self, seconds: float = 1.0) -> list[Message]:
        """Real time passes."""
        before = len(self.link.sent)
        self.real_ns += round(seconds * SECOND_NS)
        self.board.tell(self.real_ns)
        return self.link.sent[before:]


def outbound(order_id: str = "o", sku: str = "SKU-01", **values: Any) -> OrderReceived:
    return OrderReceived(order_id=order_id, kind="outbound", lines=(Line(sku, 2),), **values)


def test_robots_are_told_when_they_change_and_at_most_once_a_second() -> None:
    hall = Hall()
    hall.board.came_up()
    states = [
        value for topic, value, *rest in hall.tell() if "/fleet/" in topic and rest == [0, True]
    ]
    assert [state["robot"] for state in states] == ["amr-0", "amr-1", "amr-2"]
    assert {state["activity"] for state in states} == {"idle"} and states[0][
        "battery_percent"
    ] == 100
    # when one fails, that is told, and the others are not
    hall.say(RobotFaulted(robot=1, reason="broken", kind="robot_manual"))
    assert not [m for m in hall.tell(0.5) if "/fleet/" in m[0]], "not twice within a second"
    (message,) = [m for m in hall.tell(0.5) if "/fleet/" in m[0]]
    assert message[0] == "lightsout/v1/ring/fleet/amr-1/state"
    assert (message[1]["activity"], message[1]["fault"], message[1]["manual"]) == (
        "faulted", "robot_manual", True,
    )  # fmt: skip
    # and a request that names nobody is about all of them
    hall.say(RobotsPaused(request="p"), RobotRetired(robot=0))
    told = [m[1] for m in hall.tell(1.0) if "/fleet/" in m[0]]
    assert [state["paused"] for state in told] == [["pause all"]] * 3
    assert [state["retired"] for state in told] == [True, False, False]
    assert not hall.tell(1.0)


def test_where_a_robot_is_waits_when_there_is_too_much_to_tell(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hall = Hall()
    hall.board.came_up()
    hall.tell()
    hall.tell()
    monkeypatch.setattr(robot_states, "PER_S", 1)
    for robot in hall.world.robots:
        robot.battery_permille -= 100
    hall.board.robots.moved(0)
    hall.board.robots.moved(1)
    hall.board.robots.changed(2)
    told = [m[1]["robot"] for _ in range(4) for m in hall.tell(1.0) if "/fleet/" in m[0]]
    assert told == ["amr-2", "amr-0", "amr-1"]


def test_a_state_that_nobody_marked_is_told_within_a_minute() -> None:
    hall = Hall()
    hall.board.came_up()
    hall.tell()
    hall.world.robots[2].battery_permille = 420
    for _ in range(61):
        hall.tell(1.0)
    assert hall.link.of("/amr-2/")[-1]["battery_percent"] == 42


def test_without_a_connection_nothing_piles_up() -> None:
    hall = Hall()
    hall.link.connected = False
    hall.say(RobotsPaused(request="p"))
    assert not hall.tell(60) and not hall.link.sent
    hall.link.connected = True
    hall.board.came_up()
    topics = [m[0] for m in hall.tell()]
    assert sum("/fleet/" in topic for topic in topics) == 3
    assert topics[-1].endswith("/kpi")


def test_an_order_is_told_from_its_beginning_to_its_end() -> None:
    hall = Hall()
    hall.say(outbound(due_ns=90 * SECOND_NS, priority=2, request="r"))
    (status,) = hall.link.of("orders/o/")
    assert status["status"] == "open" and status["lines"][0]["done"] == 0
    assert status["due_at"] == "1970-01-01T00:01:30.000Z" and status["priority"] == 2
    hall.ticks(30)
    last = hall.link.of("orders/o/")[-1]
    assert last["status"] == "done" and last["lines"] == [
        {
            "sku": "SKU-01",
            "quantity": 2,
            "done": 2,
            "tote": last["lines"][0]["tote"],
            "rejected": "",
        }
    ]
    assert all(m[2:] == (1, True) for m in hall.link.sent if "/orders/" in m[0])
    hall.say(outbound("no", sku="XYZ"))
    assert hall.link.of("orders/no/")[-1]["status"] == "refused"
    assert "XYZ" in hall.link.of("orders/no/")[-1]["reason"]
    figures = next(m[1] for m in hall.tell() if m[0].endswith("/kpi"))
    assert (figures["orders_done"], figures["orders_refused"], figures["orders_open"]) == (1, 1, 0)
    assert figures["lights_out_share"] == 0.5 and figures["messages_dropped"] == 2
    assert sum(figures["robots"].values()) == 3 and figures["stop_and_go_share"] == 0.25


def test_a_change_and_a_cancellation_are_told() -> None:
    hall = Hall(robots=1)
    much = OrderReceived(order_id="o", kind="outbound", lines=(Line("SKU-01", 500),))
    hall.say(much, OrderChanged(order_id="o", priority=9), OrderCancelled(order_id="o"))
    told = hall.link.of("orders/o/")
    assert [(s["status"], s["priority"]) for s in told] == [
        ("open", 0),
        ("open", 9),
        ("cancelled", 9),
    ]


def test_closed_statuses_are_cleared_after_a_while_and_above_a_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hall = Hall()
    hall.say(*(outbound(f"no/{n}", sku="XYZ") for n in range(4)))
    topics = [f"lightsout/v1/ring/orders/no%2F{n}/status" for n in range(4)]
    assert all(hall.link.kept[topic]["status"] == "refused" for topic in topics)
    monkeypatch.setattr(order_statuses, "KEPT_MAX", 3)
    hall.tell()
    hall.tell()
    assert [hall.link.kept[topic] is None for topic in topics] == [True, False, False, False]
    hall.world.time_ns += order_statuses.KEPT_S * SECOND_NS
    hall.tell()
    assert all(hall.link.kept[topic] is None for topic in topics)


def test_what_found_no_room_and_what_a_broker_forgot_is_told_again() -> None:
    hall = Hall()
    hall.say(outbound("a", sku="XYZ"))
    hall.link.room = False
    hall.say(outbound("b", sku="XYZ"), RobotsPaused(), outbound("c"))
    hall.link.room = True
    hall.tell()
    hall.tell()
    assert {t.split("/")[4]: v["status"] for t, v, _, _ in hall.link.sent if "/orders/" in t} == {
        "a": "refused", "b": "refused", "c": "open",
    }  # fmt: skip
    hall.link.sent.clear()
    hall.board.came_up()
    hall.tell()
    assert len(hall.link.of("/orders/")) == 3


def test_a_fold_tells_nothing_and_remembers_everything() -> None:
    hall = Hall()
    hall.say(outbound("no", sku="XYZ"))
    closing = [c for c in hall.seen if isinstance(c, CloseOrder)]
    folded = Hall()
    folded.board.folded(outbound("no", sku="XYZ"), closing)
    assert not folded.link.sent
    folded.world.time_ns = 3 * SECOND_NS  # the clock is set only when all is folded
    folded.offset_ns = 60 * SECOND_NS
    folded.board.came_up()
    folded.tell()
    (status,) = folded.link.of("orders/no/")
    assert status["status"] == "refused" and status["at"].startswith("1970-01-01T00:01:00")


@pytest.mark.parametrize(
    ("topic", "cleared"),
    [
        ("lightsout/v1/ring/fleet/amr-0/state", False),
        ("lightsout/v1/ring/fleet/amr-9/state", True),
        ("lightsout/v1/ring/fleet/amr%2D0/state", True),
        ("lightsout/v1/ring/orders/o/status", False),
        ("lightsout/v1/ring/orders/other/status", True),
    ],
)
def test_what_another_run_left_is_cleared(topic: str, cleared: bool) -> None:
    hall = Hall()
    hall.say(outbound())
    hall.link.sent.clear()
    assert hall.board.message(topic, b"{}", retained=False) and not hall.link.sent
    assert hall.board.message(topic, b"{}", retained=True)
    assert hall.link.sent == ([(topic, None, 1, True)] if cleared else [])
    assert not hall.board.message("lightsout/v1/ring/orders", b"{}", retained=True)
    assert not hall.board.message("uagv/v2/acme/amr-0/state", b"{}", retained=True)


def test_what_is_closed_is_told_when_it_changes() -> None:
    hall = Hall()
    hall.board.came_up()
    hall.tell()
    hall.say(LaneClosed(edge=0), StationClosed(station=1), RobotsPaused(robot=1), Ticked())
    hall.say(ZoneClosed(zone="z", nodes=(hall.world.site.roadmap.edge_tail[0],)))
    hall.tell()
    before, after = hall.link.of("/closures")
    assert before["lanes"] == before["restrictions"] == [] and before["stations"] == {}
    assert after["lanes"] == [hall.world.site.roadmap.edge_ids[0]]
    assert after["stations"][hall.world.site.stations[1].id] == ["asked"]
    assert [(row["name"], row["robot"], row["zone"]) for row in after["restrictions"]] == [
        ("pause robot amr-1", "amr-1", ""), ("close zone z", "", "z"),
    ]  # fmt: skip
    assert all(m[2:] == (1, True) for m in hall.link.sent if "/closures" in m[0])
    hall.say(LaneOpened(edge=0), LaneOpened(edge=0))
    hall.tell()
    hall.tell()
    assert len(hall.link.of("/closures")) == 3


def test_events_and_alarms_have_names_and_times() -> None:
    hall = Hall()
    hall.say(RobotFaulted(robot=1, reason="broken"), Ticked())
    hall.board.alarm("amr-1", "look at it")
    events = hall.link.of("/events")
    assert [event["type"] for event in events] == ["RobotFaulted", "NoteException"]
    assert events[0] == {
        "at": events[0]["at"], "seq": 7, "type": "RobotFaulted", "robot": "amr-1", "reason": "broken",
    }  # fmt: skip
    assert hall.link.of("/alarms") == [
        {"at": "1970-01-01T00:00:00.350Z", "subject": "amr-1", "text": "look at it"}
    ]


def test_the_last_will_is_the_same_topic() -> None:
    topic, payload = about("ring", "abc", "1.0", online=False)
    assert topic == about("ring", "abc", "1.0", online=True)[0] == "lightsout/v1/ring/about"
    assert json.loads(payload)["state"] == "OFFLINE"


def test_a_last_will_that_comes_late_is_set_right() -> None:
    hall = Hall()
    late = about("ring", "before", "1.0", online=False)
    assert hall.board.message(*late, retained=True) and not hall.link.sent, "not there yet"
    hall.board.came_up()
    hall.board.message(*about("ring", "abc", "1.0", online=True), retained=False)
    assert len(hall.link.of("/about")) == 1
    hall.board.message(*late, retained=False)
    assert [m["state"] for m in hall.link.of("/about")] == ["ONLINE", "ONLINE"]
    hall.board.presence.tell(online=False)
    hall.board.message(*about("ring", "abc", "1.0", online=False), retained=False)
    assert len(hall.link.of("/about")) == 3, "gone is gone"


def test_a_second_master_of_the_site_is_an_alarm() -> None:
    hall = Hall()
    now_s = [100.0]
    hall.board.presence._clock_s = lambda: now_s[0]
    hall.board.came_up()
    now_s[0] += 60.0
    for _ in range(3):
        hall.board.message(*about("ring", "other", "1.0", online=True), retained=False)
    (alarm,) = hall.link.of("/alarms")
    assert "run other says that it is this site's master, too -> stop one" in alarm["text"]
    assert len(hall.link.of("/about")) == 2, "the other is told who was there first"


def test_a_master_ends_where_another_one_lives() -> None:
    hall = Hall()
    hall.board.came_up()
    other = about("ring", "other", "1.0", online=True)
    assert hall.board.message(*other, retained=True), "kept of one that may be gone"
    with pytest.raises(MasterThere, match="run other is the master of ring on this broker already"):
        hall.board.message(*other, retained=False)
    hall.board.came_up()  # one user, one connection: the other one had it meanwhile
    with pytest.raises(MasterThere):
        hall.board.message(*about("ring", "other", "1.0", online=False), retained=True)
