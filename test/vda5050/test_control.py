"""The master against one vehicle that does what the test says."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from orchestrator.core.messages import (
    ActionEnded,
    BackedOut,
    BackOut,
    BaseTrimmed,
    BatteryCrossed,
    CommandRefused,
    Event,
    ExtendBase,
    LaneBlocked,
    NodeReached,
    RecoverRobot,
    RecoveryFailed,
    RobotFaulted,
    RobotJoined,
    RobotRecovered,
    StartAction,
    StopRobot,
    TrimBase,
)
from orchestrator.core.request_messages import PauseRobot, ResumeRobot
from orchestrator.layout import LoadedSite, load_site
from orchestrator.vda5050 import model as m
from orchestrator.vda5050.codec import codec_of
from orchestrator.vda5050.control import reading, recovering, strangers
from orchestrator.vda5050.control.absent import Known
from orchestrator.vda5050.control.control import Control
from orchestrator.vda5050.control.joining import Declared, Rule, contradictions
from orchestrator.vda5050.quirks import Quirks

SITE = Path(__file__).parents[2] / "sites" / "jd_small"
SECOND = 1_000_000_000


@cache
def loaded() -> LoadedSite:
    return load_site(SITE)


def way(length: int) -> list[int]:
    """Edges one behind the other, from a parking place on."""
    roadmap = loaded().site.roadmap
    node = next(bay.node for bay in roadmap.bays if bay.kind == "parking")
    found: list[int] = []
    while len(found) < length:
        edge = next(
            e for e in roadmap.out_edges[node]
            if e < roadmap.edges and roadmap.node_bay[roadmap.edge_head[e]] < 0
        )  # fmt: skip
        found.append(edge)
        node = roadmap.edge_head[edge]
    return found


class Story:
    """A master, a vehicle, and what they said."""

    def __init__(self, protocol: str = "2.1", **options: Any) -> None:
        self.site = loaded().site
        self.roadmap = self.site.roadmap
        self.codec = codec_of(protocol)
        self.now_ns = 10**18
        self.events: list[Event] = []
        self.alarms: list[tuple[str, str]] = []
        self.orders: list[m.Order] = []
        self.instants: list[m.Action] = []
        self.headers: dict[str, list[int]] = {"order": [], "instantActions": []}
        self.header = 0
        self.room = True  # the core takes it in
        self.prompt = True  # and says so at once
        self.control = Control(
            self.site,
            [Rule("acme", "amr-*", 0, protocol, options.pop("quirks", Quirks()))],
            [Declared("tote_amr", 1.6, 0.8, 0.9, 0.66, ("pick", "drop")), *options.pop("more", [])],
            self.publish,
            self.post,
            run="r",
            alarm=lambda subject, text: self.alarms.append((subject, text)),
            map_id="hall",
            **options,
        )
        self.edges = way(12)
        self.start = self.roadmap.edge_tail[self.edges[0]]
        self.node = self.start
        self.facts: dict[str, Any] = {"last_node": self.roadmap.node_ids[self.start]}

    def post(self, event: Event) -> None:
        self.events.append(event)
        if isinstance(event, RobotJoined) and self.prompt:
            self.control.answered(event, taken=self.room)

    def publish(self, topic: str, payload: bytes, qos: int, retain: bool) -> None:
        assert topic.startswith("uagv/v") and (qos, retain) == (0, False)
        name = topic.rsplit("/", 1)[1]
        got = self.codec.decode(name, payload)
        assert isinstance(got, tuple)
        self.headers[name].append(got[0].header_id)
        if isinstance(got[1], m.Order):
            self.orders.append(got[1])
        else:
            self.instants += got[1].actions

    def state(
        self, wait_s: float = 1.0, serial: str = "amr-1", aged_s: float = 0.0, **facts: Any
    ) -> list[Event]:
        """The vehicle reports; what it said before stays true. Return the events that come of it."""
        self.facts |= facts
        self.now_ns += round(wait_s * SECOND)
        self.header += 1
        x, y = self.roadmap.node_x_mm[self.node] / 1000, self.roadmap.node_y_mm[self.node] / 1000
        known = {
            "power": m.PowerSupply(charge_percent=80, charging=False),
            "position": m.Position(x=x, y=y, theta=0, map_id="hall"),
        } | self.facts
        header = m.Header(
            header_id=self.header, time_ns=self.now_ns - round(aged_s * SECOND),
            version=self.codec.version,
            manufacturer="acme", serial=serial,
        )  # fmt: skip
        before = len(self.events)
        self.say("state", self.codec.encode(m.State(header=header, **known)), serial)
        return self.events[before:]

    def say(self, name: str, payload: bytes, serial: str = "amr-1") -> None:
        major = self.codec.version[0]
        self.control.message(self.now_ns, f"uagv/v{major}/acme/{serial}/{name}", payload)

    def tell(self, command: Any) -> None:
        self.control.command(self.now_ns, command)

    def tick(self, wait_s: float = 1.0) -> list[Event]:
        self.now_ns += round(wait_s * SECOND)
        before = len(self.events)
        self.control.tick(self.now_ns)
        return self.events[before:]

    def join(self) -> None:
        self.state()
        self.state(wait_s=6)
        assert isinstance(self.events[0], RobotJoined)
        self.events.clear()

    def echo(self, passed: int = 0, **facts: Any) -> list[Event]:
        """It has the last order, and has passed so many of its edges."""
        order = self.orders[-1]
        ids = {n.sequence: n for o in self.orders if o.id == order.id for n in o.nodes}
        edges = {e.sequence: e for o in self.orders if o.id == order.id for e in o.edges}
        here = ids[2 * passed]
        self.node = self.roadmap.node_ids.index(here.id)
        nodes = [ids[s] for s in sorted(ids) if s > 2 * passed]
        ahead = [edges[s] for s in sorted(edges) if s > 2 * passed]
        known: dict[str, Any] = {
            "nodes": tuple(
                m.NodeState(id=n.id, sequence=n.sequence, released=n.released) for n in nodes
            ),
            "edges": tuple(
                m.EdgeState(id=e.id, sequence=e.sequence, released=e.released) for e in ahead
            ),
            "driving": bool(ahead),
        }
        return self.state(
            order_id=order.id, order_update=order.update, last_node=here.id,
            last_node_sequence=2 * passed, **known | facts,
        )  # fmt: skip

    def extend(self, first: int, last: int) -> None:
        self.tell(ExtendBase(robot=0, edges=tuple(self.edges[first:last])))


def joined(**options: Any) -> Story:
    story = Story(**options)
    story.join()
    return story


def shape(order: m.Order) -> tuple[list[int], list[int], list[bool]]:
    nodes, edges = order.nodes, order.edges
    return [n.sequence for n in nodes], [e.sequence for e in edges], [n.released for n in nodes]


# --- joining -------------------------------------------------------------------------------------


def test_a_vehicle_that_stands_on_a_node_joins_once_its_factsheet_was_asked_for() -> None:
    story = Story()
    assert story.state() == []
    assert [a.kind for a in story.instants] == ["factsheetRequest"]
    (event,) = story.state(wait_s=6)
    assert isinstance(event, RobotJoined)
    assert (event.robot, event.name, event.fleet) == (0, "amr-1", 0)
    assert (event.node, event.battery_permille) == (story.start, 800)


def test_who_is_not_taken_in_asks_again() -> None:
    story = Story()
    story.room = False
    story.state()
    assert len(story.state(wait_s=6)) == 1
    assert len(story.state()) == 1
    story.room = True
    (event,) = story.state()
    assert isinstance(event, RobotJoined) and event.robot == 0
    assert story.state() == []


def test_who_reports_while_it_waits_for_an_answer_asks_once() -> None:
    # given two vehicles that may join, and a core that takes its time
    story = Story()
    for serial in ("amr-1", "amr-2"):
        story.state(serial=serial)
    story.prompt = False
    (asked,) = story.state(wait_s=6)
    # when both report again before the first is answered
    assert story.state() == story.state(serial="amr-2") == []
    story.control.answered(asked, taken=True)
    asked = story.events[-1]
    assert isinstance(asked, RobotJoined) and asked.name == "amr-2"
    story.control.answered(asked, taken=True)
    # then each has asked once
    assert [event.name for event in story.events] == ["amr-1", "amr-2"]


def test_who_is_not_taken_in_asks_ever_more_seldom_and_counts_as_standing_there() -> None:
    story, heard = bodies()
    story.room = False
    story.state()
    asked = [bool(story.state(wait_s=5))]
    asked += [bool(story.state()) for _ in range(200)]
    assert 6 < sum(asked) < 15
    assert heard[1][3] is False and heard[-1][3] is True
    story.room = True
    for _ in range(40):
        story.state()
    assert story.control.by_robot


def test_strangers_are_shown_and_ignored() -> None:
    story = Story()
    story.state(serial="other-9")
    story.state(serial="other-9")
    assert story.events == [] and story.orders == [] and story.instants == []
    assert [name for name, _ in story.alarms] == ["acme/other-9"]
    assert "no entry" in story.control.strangers["acme/other-9"]


def bodies(**options: Any) -> tuple[Story, list[tuple[str, int, Any, bool]]]:
    """A story, and the bodies that are no robots of the building."""
    heard: list[tuple[str, int, Any, bool]] = []
    story = Story(
        elsewhere=lambda *row: heard.append(
            (row[0], row[1], row[2] and (row[2].x, row[2].y), row[3])
        ),
        **options,
    )
    return story, heard


def test_a_stranger_on_this_floor_is_a_body() -> None:
    story, heard = bodies()
    here = m.Position(x=3, y=4, theta=0, map_id="hall")
    story.state(serial="other-9", position=here)
    assert heard.pop() == ("acme/other-9", -1, (3, 4), True)
    story.state(serial="other-9", position=m.Position(x=3, y=4, theta=0, map_id="another hall"))
    assert heard.pop()[2] is None
    story.say("state", b"\xff" * 1000, "other-9")
    assert not heard
    header = m.Header(
        header_id=9, time_ns=0, version="2.1.0", manufacturer="acme", serial="other-9"
    )
    message = m.Connection(header=header, connection="OFFLINE")
    story.say("connection", story.codec.encode(message), "other-9")
    assert heard.pop() == ("acme/other-9", -1, None, False)


def test_who_has_not_joined_is_a_body_until_it_has() -> None:
    story, heard = bodies()
    story.state(mode="MANUAL")
    story.state(mode="MANUAL")
    assert heard[-1][0] == "amr-1" and heard[-1][1:2] == (0,) and heard[-1][3], "it stays"
    story.state(wait_s=6, mode="AUTOMATIC")
    story.state(wait_s=6)
    assert story.control.by_robot and heard[-1] == ("amr-1", 0, None, False)


def test_who_is_driven_off_its_way_by_hand_is_a_body_there() -> None:
    story, heard = bodies()
    story.join()
    story.extend(0, 2)
    story.echo(1)
    heard.clear()
    story.state(mode="MANUAL")
    assert heard == [], "it is on its way still"
    story.state(position=m.Position(x=-3, y=-4, theta=0, map_id="hall"))
    assert heard.pop() == ("amr-1", 0, (-3, -4), True)
    del story.facts["position"]
    story.state(mode="AUTOMATIC")
    assert heard.pop() == ("amr-1", 0, None, False)


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"mode": "MANUAL"}, "operating mode MANUAL"),
        ({"position": m.Position(x=-90, y=0, theta=0, map_id="hall"), "last_node": ""}, "no node"),
        ({"errors": (m.Error(kind="wheel", level="FATAL"),)}, "reports wheel"),
    ],
)
def test_who_can_not_join_is_told_why(facts: dict[str, Any], reason: str) -> None:
    story = Story()
    story.state(**facts)
    story.state(wait_s=10)
    assert story.events == [] and reason in story.alarms[-1][1]
    assert len(story.alarms) == 1, "once"


def test_a_factsheet_against_the_site_refuses_the_vehicle() -> None:
    story = Story()
    story.state()
    sheet = m.Factsheet(
        header=m.Header(header_id=0, time_ns=0, version="2.1.0", manufacturer="acme", serial="amr-1"),
        series="big", length_m=1.4, width_m=0.6, speed_mps_max=0.5,
        actions=(m.SupportedAction(kind="pick", scopes=("NODE",)),),
    )  # fmt: skip
    story.say("factsheet", story.codec.encode(sheet))
    assert story.state(wait_s=1) == []
    text = story.alarms[-1][1]
    assert "1.4 x 0.6 m" in text and "0.5 m/s" in text and "actions drop" in text


# --- orders --------------------------------------------------------------------------------------


def test_what_is_released_is_the_base_and_what_is_planned_the_horizon() -> None:
    plan = way(12)[2:5]
    story = joined(planned=lambda _: plan)
    story.extend(0, 2)
    (order,) = story.orders
    assert shape(order) == ([0, 2, 4, 6, 8, 10], [1, 3, 5, 7, 9], [True] * 3 + [False] * 3)
    assert order.update == 0 and order.nodes[0].id == story.roadmap.node_ids[story.start]
    ids = [story.roadmap.edge_ids[e] for e in story.edges[:5]]
    assert [e.id for e in order.edges] == ids


def test_updates_wait_for_the_echo_and_begin_at_the_last_node_of_the_base() -> None:
    story = joined()
    story.extend(0, 2)
    story.extend(2, 3)
    story.extend(3, 5)
    assert len(story.orders) == 1, "nothing behind what is not echoed"
    story.echo()
    first, update = story.orders
    assert (update.id, update.update) == (first.id, 1)
    assert update.nodes[0].id == first.nodes[-1].id
    assert shape(update) == ([4, 6, 8, 10], [5, 7, 9], [True] * 4)


def test_nodes_that_were_passed_become_events_each_once_and_in_sequence() -> None:
    story = joined()
    story.extend(0, 4)
    assert [e for e in story.echo() if isinstance(e, NodeReached)] == []
    reached = [e.edge for e in story.echo(2) if isinstance(e, NodeReached)]
    assert reached == story.edges[:2]
    assert [e for e in story.echo(2) if isinstance(e, NodeReached)] == []
    assert [e.edge for e in story.echo(4) if isinstance(e, NodeReached)] == story.edges[2:4]


def test_a_new_order_begins_only_when_the_vehicle_says_that_it_is_idle() -> None:
    story = joined()
    story.extend(0, 2)
    story.echo(2)
    story.extend(2, 4)
    first, second = story.orders
    assert second.id != first.id and second.update == 0
    assert shape(second) == ([0, 2, 4], [1, 3], [True] * 3)


def test_what_is_not_echoed_is_sent_again_and_at_last_an_alarm() -> None:
    story = joined()
    story.extend(0, 2)
    for _ in range(30):
        story.tick()
        story.header += 1
    sent = [o for o in story.orders if o == story.orders[0]]
    assert len(sent) == len(story.orders) == 10, "the identical message, a bounded number of times"
    assert story.headers["order"] == list(range(10)), "each with a header of its own"
    faults = [e for e in story.events if isinstance(e, RobotFaulted)]
    assert [f.kind for f in faults] == ["robot_silent"]
    assert any("is not echoed" in text for _, text in story.alarms)


def test_an_order_that_was_not_echoed_is_sent_again_as_it_was_when_the_vehicle_is_heard() -> None:
    # given a vehicle that did not echo its order in time: it may be on its way still
    story = joined()
    story.extend(0, 2)
    for _ in range(30):
        story.tick()
    sent = len(story.orders)
    # when it is heard again, idle
    assert RobotRecovered(robot=0) in story.state()
    story.tick()
    # then the same order goes to it, so often as before, and no other
    assert len(story.orders) == sent + 1
    assert all(order == story.orders[0] for order in story.orders)
    assert [e.edge for e in story.echo(2) if isinstance(e, NodeReached)] == story.edges[:2]


def test_an_update_that_was_not_echoed_is_tried_anew_after_a_sign_of_life() -> None:
    story = joined()
    story.extend(0, 2)
    story.echo(1)
    story.extend(2, 3)
    for _ in range(40):
        story.tick()
    sent = len(story.orders)
    assert RobotRecovered(robot=0) in story.state()
    assert story.tick() == [], "it has its tries again"
    assert len(story.orders) == sent + 1 and story.orders[-1] == story.orders[-2]


def test_header_ids_count_per_topic() -> None:
    story = joined()
    story.extend(0, 1)
    story.echo()
    story.extend(1, 2)
    assert story.headers == {"instantActions": [0], "order": [0, 1]}


def test_an_order_that_is_refused_is_cancelled_and_begun_anew() -> None:
    story = joined()
    story.extend(0, 3)
    error = m.Error(
        kind="orderError", level="WARNING", references={"orderId": story.orders[0].id},
        description="no map",
    )  # fmt: skip
    story.state(errors=(error,))
    assert any("refuses order" in text for _, text in story.alarms)
    story.state(errors=())
    assert story.orders[-1].id != story.orders[0].id
    assert len(story.orders[-1].edges) == 3


# --- actions -------------------------------------------------------------------------------------


def test_an_action_is_an_order_of_one_node() -> None:
    story = joined()
    bay = story.roadmap.node_bay[story.start]
    story.tell(StartAction(robot=0, action=41, kind="pick", load="t7", bay=bay))
    (order,) = story.orders
    (action,) = order.nodes[0].actions
    assert (action.kind, action.blocking, action.parameters["loadId"]) == ("pick", "HARD", "t7")
    state = m.ActionState(id=action.id, status="RUNNING")
    assert story.echo(actions=(state,)) == []
    state = m.ActionState(id=action.id, status="FINISHED")
    assert story.echo(actions=(state,)) == [ActionEnded(robot=0, action=41)]
    assert story.echo(actions=(state,)) == []
    # and then it drives on with a new order, whose first node has no action
    story.extend(0, 1)
    assert story.orders[-1].id != order.id and story.orders[-1].nodes[0].actions == ()


def test_an_action_that_failed_is_told() -> None:
    story = joined()
    story.tell(StartAction(robot=0, action=9, kind="drop", load="t7"))
    name = story.orders[0].nodes[0].actions[0].id
    found = story.echo(actions=(m.ActionState(id=name, status="FAILED"),))
    assert found == [ActionEnded(robot=0, action=9, outcome="failed")]


def test_charge_is_told_at_each_twentieth() -> None:
    story = joined()
    told = []
    for percent in (80, 79, 74.9, 74, 60):
        power = m.PowerSupply(charge_percent=percent, charging=False)
        told += [
            e.battery_permille for e in story.state(power=power) if isinstance(e, BatteryCrossed)
        ]
    assert told == [790, 749, 600]


def test_what_lies_behind_the_base_is_cut_where_the_vehicle_is_to_act() -> None:
    # given a vehicle that was told of a way behind its base
    way: list[int] = []
    story = joined(planned=lambda _: way)
    way += story.edges[2:4]
    story.extend(0, 2)
    assert shape(story.orders[-1])[2] == [True, True, True, False, False]
    # when it is to act at the end of its base: with nodes ahead it would never be idle
    story.echo(2, driving=False)
    story.tell(StartAction(robot=0, action=41, kind="pick", load="t7"))
    # then an update of one node cuts the rest off, and the action follows
    cut = story.orders[-1]
    assert cut.update == 1 and shape(cut) == ([4], [], [True])
    story.state(order_update=1, nodes=(), edges=())
    assert [a.kind for a in story.orders[-1].nodes[0].actions] == ["pick"]
    assert len(story.orders) == 3


def test_a_charger_is_left_before_anything_else() -> None:
    story = joined()
    story.tell(StartAction(robot=0, action=41, kind="stop_charging"))
    story.extend(0, 2)
    (order,) = story.orders
    assert [a.kind for a in order.nodes[0].actions] == ["stopCharging"]
    name = order.nodes[0].actions[0].id
    story.echo(actions=(m.ActionState(id=name, status="FINISHED"),))
    assert len(story.orders[-1].edges) == 2


def test_who_takes_no_order_while_it_charges_is_told_to_stop_by_an_instant_action() -> None:
    story = joined(quirks=Quirks(instant_actions=("stopCharging",)))
    story.tell(StartAction(robot=0, action=41, kind="stop_charging"))
    story.extend(0, 2)
    assert story.orders == [] and story.instants[-1].kind == "stopCharging"
    story.state()
    assert story.orders == [], "it has not ended"
    story.state(actions=(m.ActionState(id=story.instants[-1].id, status="FINISHED"),))
    assert len(story.orders[-1].edges) == 2


def test_an_instant_action_that_an_error_refuses_is_not_repeated() -> None:
    story = joined()
    story.control.pause(story.now_ns, 0)
    refused = m.Error(
        kind="instantActionError", level="WARNING", references={"actionId": story.instants[-1].id}
    )
    story.state(errors=(refused,))
    for _ in range(15):
        story.tick(2)
    assert [each.kind for each in story.instants].count("startPause") == 1
    assert ("amr-1", "refuses startPause: instantActionError") in story.alarms


def test_a_vehicle_that_fails_to_stand_is_an_alarm() -> None:
    story = joined()
    story.tell(PauseRobot(robot=0, emergency=True))
    failed = m.ActionState(id=story.instants[-1].id, status="FAILED", result="no brake")
    story.state(actions=(failed,))
    story.state()
    assert story.alarms.count(("amr-1", "startPause failed: no brake")) == 1


def test_who_cries_all_the_time_is_not_told_of_all_the_time() -> None:
    story = joined(protocol="3.0")
    for number in range(100):
        story.state(errors=tuple(m.Error(kind=f"e{number}-{i}", level="URGENT") for i in range(20)))
    assert 30 <= len(story.alarms) <= 45
    assert any("were left out" in text for _, text in story.alarms)
    # and somebody else is heard
    story.say("state", b"{", serial="amr-2")
    assert story.alarms[-1][0] == "amr-2"


def test_a_flood_about_the_connection_is_a_flood() -> None:
    story = joined()
    for number in range(2000):
        header = m.Header(
            header_id=number, time_ns=story.now_ns, version="2.1.0", manufacturer="acme",
            serial="amr-1",
        )  # fmt: skip
        word = ("ONLINE", "CONNECTION_BROKEN")[number % 2]
        story.say("connection", story.codec.encode(m.Connection(header=header, connection=word)))
    assert story.control.vehicles["acme", "amr-1"].counts.flooded > 1000
    assert faults(story) == ["robot_nonsense"]


def test_a_stranger_that_sends_garbage_is_not_read_more_often_than_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    story = Story()
    read: list[str] = []
    monkeypatch.setattr(strangers, "_word_of", lambda major, topic, payload: read.append(topic))
    for _ in range(100):
        story.say("state", b"x" * 1000, serial="truck-1")
        story.say("connection", b"x", serial="truck-1")
    assert sorted(read) == ["connection", "state"]


def test_a_vehicle_that_is_paused_stands_until_it_is_told_to_go_on() -> None:
    story = joined()
    story.extend(0, 2)
    story.echo(1)
    story.control.pause(story.now_ns, 0)
    assert story.instants[-1].kind == "startPause"
    story.tick(3)
    assert [each.kind for each in story.instants].count("startPause") == 2, "not echoed"
    (name,) = {each.id for each in story.instants if each.kind == "startPause"}
    ended = m.ActionState(id=name, status="FINISHED")
    story.state(paused=True, driving=False, actions=(ended,))
    assert story.tick(50) == [], "it stands because it was told to"
    story.control.pause(story.now_ns, 0, on=False)
    assert story.instants[-1].kind == "stopPause"


def test_a_vehicle_may_begin_to_move_until_it_has_answered_its_pause() -> None:
    story = joined()
    story.extend(0, 2)
    story.echo(1, driving=False)
    vehicle = story.control.vehicles["acme", "amr-1"]
    assert not vehicle.may_move
    story.control.pause(story.now_ns, 0)
    assert vehicle.may_move and not vehicle.drives
    ended = m.ActionState(id=story.instants[-1].id, status="FINISHED")
    story.state(paused=True, driving=False, actions=(ended,))
    assert not vehicle.may_move


# --- odd messages --------------------------------------------------------------------------------


def test_repeats_reorderings_and_gaps_are_counted_and_do_no_harm() -> None:
    story = joined()
    story.extend(0, 3)
    story.echo(2)
    vehicle = story.control.vehicles["acme", "amr-1"]
    story.header += 5
    story.echo(2)
    assert vehicle.counts.missing == 5
    old = story.header
    story.header = old - 3
    story.now_ns -= 20 * SECOND
    assert story.echo(0) == []
    assert vehicle.counts.reordered == 1
    story.header = old
    story.now_ns += 19 * SECOND
    assert [e for e in story.echo(3) if isinstance(e, NodeReached)] == [
        NodeReached(robot=0, edge=story.edges[2])
    ]


def test_a_vehicle_that_starts_anew_counts_from_zero() -> None:
    story = joined()
    story.header = 5000
    story.state()
    story.header = 0
    story.extend(0, 1)
    assert [e for e in story.echo(1) if isinstance(e, NodeReached)]


def test_garbage_is_counted_and_much_of_it_stops_the_vehicle_alone() -> None:
    story = joined()
    for _ in range(25):
        story.say("state", b"\xff" * 100)
    faults = [e for e in story.events if isinstance(e, RobotFaulted)]
    assert [(f.robot, f.kind) for f in faults] == [(0, "robot_nonsense")]
    assert len(story.alarms) < 5


def faults(story: Story) -> list[str]:
    return [e.kind for e in story.events if isinstance(e, RobotFaulted)]


def well(story: Story) -> bool:
    return any(isinstance(e, RobotRecovered) for e in story.events)


def test_garbage_between_good_states_stops_the_vehicle_until_it_has_behaved_for_a_while() -> None:
    story = joined()
    for _ in range(50):
        story.say("state", b"\xff" * 100)
        story.state()
    assert faults(story) == ["robot_nonsense"] and not well(story), "once, and it stays out"
    for _ in range(30):
        story.state()
    assert not well(story)
    for _ in range(15):
        story.state()
    assert well(story)
    assert any("odd messages" in text for _, text in story.alarms)


def test_after_a_minute_without_garbage_one_good_state_is_enough() -> None:
    story = joined()
    for _ in range(25):
        story.say("state", b"\xff" * 100)
    story.state(wait_s=30)
    assert not well(story)
    story.state(wait_s=31)
    assert well(story)


def test_who_floods_is_not_read_any_more_and_kept_out_and_others_are_heard() -> None:
    story = joined()
    counts = story.control.vehicles["acme", "amr-1"].counts
    for _ in range(1000):
        story.state(wait_s=0.001)
    assert counts.states < 250 and counts.flooded > 750
    assert faults(story) == ["robot_nonsense"]
    assert any("more than 20 in a second" in text for _, text in story.alarms)
    story.state(serial="amr-2")
    assert story.control.vehicles["acme", "amr-2"].counts.states == 1
    for _ in range(62):
        story.state()
    assert well(story)


def test_who_repeats_what_it_said_long_ago_is_not_believed() -> None:
    # given a vehicle that has said more than anybody could reorder
    story = joined()
    story.extend(0, 3)
    first = story.header
    story.echo(0)
    for _ in range(80):
        story.echo(2)
    header, facts = story.header, dict(story.facts)
    story.events.clear()
    # when it says once more, again and again, what it said at the beginning
    for _ in range(45):
        story.header = first
        story.echo(0, aged_s=90)
        story.header, story.facts = header, dict(facts)
        story.echo(2)
        header += 1
    # then nothing of it is believed, and it is stopped
    vehicle = story.control.vehicles["acme", "amr-1"]
    assert vehicle.state.last_node_sequence == 4 and vehicle.counts.reordered == 45
    assert faults(story) == ["robot_nonsense"]
    assert not [e for e in story.events if isinstance(e, NodeReached)]


def test_a_vehicle_that_starts_anew_with_a_clock_that_is_wrong_is_believed_at_its_third_word() -> (
    None
):
    story = joined()
    story.header = 5000
    story.state()
    story.header, story.now_ns = 0, story.now_ns - 3600 * SECOND
    vehicle = story.control.vehicles["acme", "amr-1"]
    for _ in range(2):
        story.state()
        assert vehicle.state.header.header_id == 5001
    story.state()
    assert vehicle.state.header.header_id == 3 and not faults(story)


def test_a_network_that_doubles_and_reorders_makes_nobody_a_liar() -> None:
    story = joined()
    for number in range(400):
        story.state()
        if number % 10 < 3:  # one in ten is late, two in ten come twice
            story.header -= 3 if number % 10 == 0 else 1
            story.now_ns -= 3 * SECOND if number % 10 == 0 else SECOND
            story.state()
            story.header += 3 if number % 10 == 0 else 1
            story.now_ns += 2 * SECOND if number % 10 == 0 else 0
    assert not faults(story)


def test_a_liar_stays_out_while_it_lies_also_on_the_way() -> None:
    story = joined()
    story.extend(0, 3)
    story.echo(1)
    place = m.Position(x=-50, y=-50, theta=0, map_id="hall")
    for _ in range(20):
        story.echo(1, position=place)
    assert faults(story) == ["robot_nonsense"] and not well(story)
    del story.facts["position"]
    story.echo(2)
    done = m.ActionState(id=story.instants[-1].id, status="FINISHED")
    story.state(nodes=(), edges=(), driving=False, actions=(done,))
    assert well(story)


def test_somebody_elses_header_is_not_believed() -> None:
    story = joined()
    header = m.Header(header_id=9, time_ns=0, version="2.1.0", manufacturer="acme", serial="amr-2")
    state = m.State(header=header, power=m.PowerSupply(charge_percent=1, charging=False))
    story.say("state", story.codec.encode(state))
    assert story.events == [] and "somebody else's" in story.alarms[-1][1]


def test_a_pose_off_the_way_stops_the_vehicle() -> None:
    story = joined()
    story.extend(0, 2)
    story.echo()
    place = m.Position(x=-50, y=-50, theta=0, map_id="hall")
    found = [e for _ in range(4) for e in story.echo(position=place)]
    assert [(e.kind) for e in found if isinstance(e, RobotFaulted)] == ["robot_nonsense"]


# --- faults and recovery -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "kind"),
    [
        ({"errors": (m.Error(kind="drive", level="FATAL"),)}, "robot_dead"),
        ({"mode": "INTERVENED"}, "robot_manual"),
        ({"safety": m.SafetyState(emergency_stop="MANUAL")}, "robot_dead"),
        (
            {"position": m.Position(x=0, y=0, theta=0, map_id="hall", localized=False)},
            "robot_slipped",
        ),
    ],
)
def test_a_fault_ends_with_the_order_that_it_had(facts: dict[str, Any], kind: str) -> None:
    story = joined(protocol="3.0")
    story.extend(0, 3)
    story.echo(1)
    before = dict(story.facts)
    found = story.state(**facts)
    assert [e.kind for e in found if isinstance(e, RobotFaulted)] == [kind]
    story.extend(3, 4)
    assert len(story.orders) == 1, "nothing is sent to who is not well"
    story.tell(RecoverRobot(robot=0, attempt=1))
    story.facts = before
    found = story.echo(2)
    assert RobotRecovered(robot=0) in found
    assert NodeReached(robot=0, edge=story.edges[1]) in found
    assert story.orders[-1].update == 1, "and it gets what was released meanwhile"


def test_after_a_restart_of_the_vehicle_the_rest_of_its_base_is_a_new_order() -> None:
    story = joined()
    story.extend(0, 4)
    story.echo(1)
    story.state(errors=(m.Error(kind="drive", level="FATAL"),))
    found = story.state(
        errors=(), order_id="", order_update=0, nodes=(), edges=(), driving=False,
        last_node_sequence=0,
    )  # fmt: skip
    assert RobotRecovered(robot=0) in found
    assert [e.id for e in story.orders[-1].edges] == [
        story.roadmap.edge_ids[e] for e in story.edges[1:4]
    ]
    assert story.orders[-1].nodes[0].id == story.facts["last_node"]


def test_driven_on_by_hand_it_goes_on_from_where_it_is() -> None:
    story = joined()
    story.extend(0, 4)
    story.echo(1)
    story.state(mode="MANUAL")
    story.node = story.roadmap.edge_head[story.edges[2]]
    found = story.state(
        mode="AUTOMATIC", order_id="", nodes=(), edges=(), driving=False,
        last_node=story.roadmap.node_ids[story.node], last_node_sequence=0,
    )  # fmt: skip
    assert RobotRecovered(robot=0, edge=story.edges[2]) in found
    assert [e.id for e in story.orders[-1].edges] == [story.roadmap.edge_ids[story.edges[3]]]


def test_driven_elsewhere_by_hand_it_does_not_come_back() -> None:
    story = joined()
    story.extend(0, 2)
    story.echo(1)
    story.state(mode="MANUAL")
    story.tell(RecoverRobot(robot=0, attempt=2))
    story.node = story.roadmap.edge_head[story.edges[11]]
    found = story.state(
        mode="AUTOMATIC", order_id="", nodes=(), edges=(), driving=False,
        last_node=story.roadmap.node_ids[story.node], last_node_sequence=0,
    )  # fmt: skip
    assert not any(isinstance(e, RobotRecovered) for e in found)
    assert story.tick(61) == [RecoveryFailed(robot=0, attempt=2)]


def test_where_it_is_is_told_in_numbers() -> None:
    story = joined()
    lost = m.Position(x=0, y=0, theta=1.0, map_id="hall", localized=False)
    story.state(position=lost)
    story.tell(RecoverRobot(robot=0, attempt=1, how="relocalise"))
    action = story.instants[-1]
    x, y = (axis[story.start] / 1000 for axis in (story.roadmap.node_x_mm, story.roadmap.node_y_mm))
    assert action.kind == "initPosition"
    assert action.parameters == {
        "x": x, "y": y, "theta": 1.0, "mapId": "hall",
        "lastNodeId": story.roadmap.node_ids[story.start],
    }  # fmt: skip


def test_silence_is_a_fault_and_a_sign_of_life_ends_it() -> None:
    story = joined()
    assert story.tick(60) == []
    (event,) = story.tick(6)
    assert isinstance(event, RobotFaulted) and event.kind == "robot_silent"
    assert RobotRecovered(robot=0) in story.state()


def test_a_driving_vehicle_must_be_heard_soon_after_its_next_node() -> None:
    story = joined()
    story.extend(0, 2)
    story.echo()
    assert story.tick(8) == []
    assert [e.kind for e in story.tick(20) if isinstance(e, RobotFaulted)] == ["robot_silent"]


def test_a_vehicle_that_talks_nonsense_is_stopped_and_begins_anew() -> None:
    story = joined()
    story.extend(0, 3)
    story.echo(1)
    story.tell(StopRobot(robot=0))
    assert story.instants[-1].kind == "cancelOrder"
    cancel = m.ActionState(id=story.instants[-1].id, status="FINISHED")
    story.tell(RecoverRobot(robot=0, attempt=1))
    assert not any(isinstance(e, RobotRecovered) for e in story.echo(1))
    assert not story.state(nodes=(), edges=(), driving=False), "its cancellation has not ended"
    found = story.state(nodes=(), edges=(), driving=False, actions=(cancel,))
    assert RobotRecovered(robot=0) in found
    assert len(story.orders[-1].edges) == 2


def test_a_trimmed_base_comes_back_shorter() -> None:
    story = joined()
    story.extend(0, 4)
    story.echo(1)
    story.state(errors=(m.Error(kind="drive", level="FATAL"),))
    story.tell(TrimBase(robot=0, edges=tuple(story.edges[2:4])))
    done = m.ActionState(id=story.instants[-1].id, status="FINISHED")
    found = story.state(errors=(), nodes=(), edges=(), driving=False, actions=(done,))
    kinds = [type(e) for e in found if isinstance(e, BaseTrimmed | RobotRecovered)]
    assert kinds == [BaseTrimmed, RobotRecovered]
    assert [e.id for e in story.orders[-1].edges] == [story.roadmap.edge_ids[story.edges[1]]]


def trims(events: list[Event]) -> list[tuple[int, ...]]:
    return [e.edges for e in events if isinstance(e, BaseTrimmed)]


def test_what_a_dead_vehicle_holds_is_free_only_when_it_is_known_to_stand() -> None:
    story = joined()
    story.extend(0, 5)
    story.echo(1)
    dead = (m.Error(kind="drive", level="FATAL"),)
    assert trims(story.echo(1, errors=dead)) == []
    story.tell(TrimBase(robot=0, edges=tuple(story.edges[2:5])))
    assert story.instants[-1].kind == "cancelOrder"
    cancel = m.ActionState(id=story.instants[-1].id, status="RUNNING")
    # it rolls on into what it was not to drive any more
    assert trims(story.echo(2, actions=(cancel,))) == []
    done = m.ActionState(id=cancel.id, status="FINISHED")
    assert trims(story.state(nodes=(), edges=(), actions=(done,))) == [], "it drives still"
    lost = m.Position(x=0, y=0, theta=0, map_id="hall", localized=False)
    assert trims(story.state(driving=False, position=lost)) == [], "where?"
    roadmap = story.roadmap
    ends = roadmap.edge_tail[story.edges[2]], roadmap.edge_head[story.edges[2]]
    x, y = (sum(axis[n] for n in ends) / 2000 for axis in (roadmap.node_x_mm, roadmap.node_y_mm))
    between = m.Position(x=x, y=y, theta=0, map_id="hall")
    assert trims(story.state(position=between)) == [tuple(story.edges[3:5])]
    assert trims(story.state()) == [], "once"
    del story.facts["position"]
    story.state(errors=())
    assert [e.id for e in story.orders[-1].edges] == [roadmap.edge_ids[story.edges[2]]]


def test_who_is_too_dead_to_end_its_order_but_has_cut_it_gives_free_what_it_cut() -> None:
    story = joined()
    story.extend(0, 4)
    dead = (m.Error(kind="drive", level="FATAL"),)
    story.echo(1, errors=dead, driving=False)
    story.tell(TrimBase(robot=0, edges=tuple(story.edges[2:4])))
    cancel = m.ActionState(id=story.instants[-1].id, status="RUNNING")
    nodes, edges = story.facts["nodes"], story.facts["edges"]
    short = {"nodes": nodes[:1], "edges": edges[:1]}
    assert trims(story.state(**short)) == [], "it may have been told before it heard"
    assert trims(story.state(nodes=nodes, edges=edges, actions=(cancel,))) == []
    assert trims(story.state(**short)) == [tuple(story.edges[2:4])]


def test_a_dead_vehicle_that_is_not_heard_keeps_all_and_comes_back_with_it() -> None:
    before = joined()
    before.extend(0, 4)
    before.echo(1)
    story = Story(session="1")
    story.facts, story.header, story.now_ns = before.facts, before.header, before.now_ns
    story.node, base = before.node, tuple(before.edges[1:4])
    story.control.restore({"amr-1": Known(0, 0, before.node, base, None, "robot_dead")})
    story.tell(TrimBase(robot=0, edges=base[1:]))
    assert trims(story.tick(100)) == []
    dead = (m.Error(kind="drive", level="FATAL"),)
    assert trims(story.state(errors=dead)) == [] and story.instants[-1].kind == "cancelOrder"
    done = m.ActionState(id=story.instants[-1].id, status="FINISHED")
    assert trims(story.state(nodes=(), edges=(), driving=False, actions=(done,))) == [base[1:]]


def test_who_says_that_something_lies_ahead_backs_out_when_asked() -> None:
    story = joined()
    story.extend(0, 3)
    story.echo(1)
    error = m.Error(kind="pathBlocked", level="WARNING")
    story.echo(1, driving=False, errors=(error,))
    found = [e for _ in range(4) for e in story.echo(1, driving=False)]
    assert [e for e in found if isinstance(e, LaneBlocked)] == [
        LaneBlocked(robot=0, edge=story.edges[1])
    ]
    found = [e for _ in range(30) for e in story.echo(1, driving=False)]
    assert [e for e in found if isinstance(e, LaneBlocked)] == [
        LaneBlocked(robot=0, edge=story.edges[1])
    ], "it is told anew while it says so: the lane may have been said to be cleared"
    story.tell(BackOut(robot=0))
    cancel = story.instants[-1]
    assert cancel.kind == "cancelOrder"
    done = m.ActionState(id=cancel.id, status="FINISHED")
    found = story.state(nodes=(), edges=(), errors=(), actions=(done,))
    assert BackedOut(robot=0, node=story.node) in found
    assert len(story.orders) == 1, "what it held is void"


def test_who_has_gone_on_before_it_could_back_out_goes_on() -> None:
    story = joined()
    story.extend(0, 3)
    story.echo(1)
    story.tell(BackOut(robot=0))
    done = m.ActionState(id=story.instants[-1].id, status="FINISHED")
    found = story.echo(2, nodes=(), edges=(), driving=False, actions=(done,))
    assert NodeReached(robot=0, edge=story.edges[1]) in found
    assert not [each for each in found if isinstance(each, BackedOut)]
    assert [e.id for e in story.orders[-1].edges] == [story.roadmap.edge_ids[story.edges[2]]]


# --- a master that was started again -------------------------------------------------------------


def test_after_a_restart_of_the_master_nothing_is_lost_or_done_twice() -> None:
    # given a vehicle that drives a base of three edges, and a master that has gone
    before = joined()
    before.extend(0, 3)
    before.echo(1)
    # when another one takes over, whose core has released two edges more meanwhile
    story = Story(session="1")
    story.orders = list(before.orders)
    story.facts, story.header, story.now_ns = before.facts, before.header, before.now_ns
    base = tuple(story.edges[1:5])
    story.control.restore({"amr-1": Known(0, 0, before.node, base, None, "")})
    assert [e for e in story.echo(1) if not isinstance(e, BatteryCrossed)] == []
    assert story.instants == [] and len(story.orders) == 1, "it may end what it is at"
    assert [e.edge for e in story.echo(3) if isinstance(e, NodeReached)] == story.edges[1:3]
    # then it gets the rest as a new order
    assert [e.id for e in story.orders[-1].edges] == [
        story.roadmap.edge_ids[e] for e in story.edges[3:5]
    ]
    assert story.orders[-1].id not in [o.id for o in before.orders]


def test_an_action_that_ended_while_the_master_was_gone_is_not_given_again() -> None:
    before = joined()
    pick = StartAction(robot=0, action=41, kind="pick", load="t7")
    before.tell(pick)
    name = before.orders[0].nodes[0].actions[0].id
    story = Story(session="1")
    story.orders = list(before.orders)
    story.header, story.now_ns = before.header, before.now_ns
    story.control.restore({"amr-1": Known(0, 0, story.start, (), pick, "")})
    assert story.echo(actions=(m.ActionState(id=name, status="RUNNING"),))[1:] == []
    found = story.echo(actions=(m.ActionState(id=name, status="FINISHED"),))
    assert ActionEnded(robot=0, action=41) in found
    assert len(story.orders) == 1


def restarted(before: Story, base: tuple[int, ...], *, paused: bool) -> Story:
    """Another master, whose core knows the vehicle from before."""
    story = Story(session="1")
    story.orders = list(before.orders)
    story.facts, story.header, story.now_ns = before.facts, before.header, before.now_ns
    known = Known(0, 0, before.node, base, None, "", paused)
    story.control.restore({"amr-1": known})
    return story


def test_after_a_restart_of_the_master_a_paused_vehicle_stays_paused() -> None:
    # given a vehicle that was paused, and restarted while no master was there: it has forgotten it
    before = joined()
    before.extend(0, 2)
    before.echo(2)
    story = restarted(before, tuple(before.edges[2:4]), paused=True)
    story.echo(2, paused=False)
    # then it is told again, and gets nothing to drive before it is resumed
    assert story.instants[-1].kind == "startPause"
    done = m.ActionState(id=story.instants[-1].id, kind="startPause", status="FINISHED")
    story.state(paused=True, actions=(done,))
    assert len(story.orders) == len(before.orders)
    story.state(paused=False)
    assert [each.kind for each in story.instants].count("startPause") == 2, "it lost it once more"
    story.tell(ResumeRobot(robot=0))
    assert story.instants[-1].kind == "stopPause"
    assert len(story.orders) == len(before.orders) + 1


def test_a_resumption_that_the_master_could_not_say_is_said_by_the_next_one() -> None:
    before = joined()
    before.tell(PauseRobot(robot=0))
    done = m.ActionState(id=before.instants[-1].id, kind="startPause", status="FINISHED")
    before.state(paused=True, actions=(done,))
    story = restarted(before, (), paused=False)
    story.state()
    assert [each.kind for each in story.instants] == ["stopPause"]


def test_a_pause_by_a_button_at_the_vehicle_is_told_and_not_ended_from_afar() -> None:
    story = joined(protocol="3.0")
    story.extend(0, 3)
    story.echo(1)
    error = m.Error(kind="obstacleDetected", level="WARNING")
    story.echo(1, paused=True, driving=False, errors=(error,))
    for _ in range(20):
        story.echo(1, driving=False)
    assert [text for _, text in story.alarms if "paused at the vehicle" in text] == [
        "is paused at the vehicle: it stands until somebody resumes it there"
    ]
    assert not [e for e in story.events if isinstance(e, LaneBlocked | RobotFaulted)]
    assert story.instants[-1].kind != "stopPause"


def test_a_pause_that_crosses_its_end_is_ended_as_well() -> None:
    story = joined()
    story.tell(PauseRobot(robot=0))
    story.tell(ResumeRobot(robot=0))
    assert [each.kind for each in story.instants][-2:] == ["startPause", "stopPause"]


def test_who_is_paused_and_not_heard_of_since_a_restart_is_paused_when_it_is() -> None:
    story = restarted(joined(), (), paused=False)
    story.tell(PauseRobot(robot=0))
    assert story.instants == []
    story.state()
    assert [each.kind for each in story.instants] == ["startPause"]


def test_who_is_paused_is_told_so_at_once_and_goes_on_when_resumed() -> None:
    story = joined()
    story.extend(0, 3)
    story.echo(1)
    story.tell(PauseRobot(robot=0))
    assert story.instants[-1].kind == "startPause"
    done = m.ActionState(id=story.instants[-1].id, status="FINISHED")
    assert not [e for e in story.echo(1, driving=False, paused=True, actions=(done,))]
    assert story.tick(60) == [], "standing, it may report each 30 s"
    story.tell(ResumeRobot(robot=0))
    assert story.instants[-1].kind == "stopPause"


# --- what vehicles tell of themselves, by the tables ---------------------------------------------


def finished(story: Story, kind: str) -> m.ActionState:
    """The end of the last instant action of this kind."""
    name = next(each.id for each in reversed(story.instants) if each.kind == kind)
    return m.ActionState(id=name, status="FINISHED")


@pytest.mark.parametrize("mode", ["MANUAL", "SERVICE", "TEACH_IN", "STARTUP"])
def test_by_hand_a_vehicle_clears_its_order_and_gets_the_rest_anew(mode: str) -> None:
    # given a vehicle that was taken over by hand: its orderId stays, its nodes are gone
    story = joined(protocol="3.0")
    story.extend(0, 4)
    story.echo(1)
    gone: dict[str, Any] = {"nodes": (), "edges": (), "driving": False}
    assert [e.kind for e in story.state(mode=mode, **gone) if isinstance(e, RobotFaulted)] == [
        "robot_manual"
    ]
    # when it is asked for meanwhile, then nothing is sent: the standard forbids it
    sent = len(story.instants)
    story.tell(RecoverRobot(robot=0, attempt=1))
    story.tell(PauseRobot(robot=0))
    story.tell(ResumeRobot(robot=0))
    assert (len(story.instants), len(story.orders)) == (sent, 1)
    # and when it is automatic again, then it gets the rest of its base as a new order
    assert RobotRecovered(robot=0) in story.state(mode="AUTOMATIC")
    assert story.orders[-1].id != story.orders[0].id
    assert [e.id for e in story.orders[-1].edges] == [
        story.roadmap.edge_ids[e] for e in story.edges[1:4]
    ]


def test_who_comes_back_from_manual_without_a_position_is_told_where_it_is() -> None:
    story = joined()
    story.extend(0, 2)
    story.echo(1)
    story.state(mode="MANUAL", nodes=(), edges=(), driving=False)
    lost = m.Position(x=0, y=0, theta=0.5, map_id="hall", localized=False)
    story.state(mode="AUTOMATIC", position=lost)
    assert story.instants[-1].kind == "initPosition"
    assert story.instants[-1].parameters["lastNodeId"] == story.facts["last_node"]
    story.facts.pop("position")
    assert RobotRecovered(robot=0) in story.state()


def test_who_was_paused_while_it_was_driven_by_hand_is_told_so_afterwards() -> None:
    story = joined()
    story.state(mode="MANUAL")
    story.tell(PauseRobot(robot=0))
    assert [a.kind for a in story.instants] == ["factsheetRequest"]
    story.state(mode="AUTOMATIC")
    assert story.instants[-1].kind == "startPause"


def test_who_lost_its_position_by_3_0_has_slipped_though_it_says_fatal() -> None:
    story = joined(protocol="3.0")
    lost = m.Position(x=0, y=0, theta=0, map_id="hall", localized=False)
    error = m.Error(kind="LOCALIZATION_ERROR", level="FATAL")
    found = story.state(position=lost, errors=(error,))
    assert [e.kind for e in found if isinstance(e, RobotFaulted)] == ["robot_slipped"]


def test_a_broken_connection_is_an_alarm_and_a_state_a_proof_of_life() -> None:
    story = joined()
    vehicle = story.control.vehicles["acme", "amr-1"]

    def told(word: str) -> None:
        header = m.Header(
            header_id=1, time_ns=0, version="2.1.0", manufacturer="acme", serial="amr-1"
        )
        story.say("connection", story.codec.encode(m.Connection(header=header, connection=word)))

    told("CONNECTION_BROKEN")
    told("CONNECTION_BROKEN")
    assert [text for _, text in story.alarms] == ["connection CONNECTION_BROKEN"]
    story.state()
    assert vehicle.connection == "ONLINE", "though it did not say so"
    told("OFFLINE")
    told("ONLINE")
    assert story.instants[-1].kind == "stateRequest", "what has it done meanwhile?"


def test_who_hibernates_may_be_silent_and_is_woken_before_it_gets_an_order() -> None:
    story = joined(protocol="3.0")

    def told(word: str) -> None:
        header = m.Header(
            header_id=1, time_ns=0, version="3.0.0", manufacturer="acme", serial="amr-1"
        )
        story.say("connection", story.codec.encode(m.Connection(header=header, connection=word)))

    told("HIBERNATING")
    assert story.tick(600) == []
    story.extend(0, 2)
    assert story.orders == [] and story.instants[-1].kind == "stopHibernation"
    told("ONLINE")
    assert len(story.orders) == 1


@pytest.mark.parametrize(
    ("level", "alarms", "orders", "faults"),
    [("WARNING", 0, 1, 0), ("URGENT", 1, 1, 0), ("CRITICAL", 2, 2, 0), ("FATAL", 1, 1, 1)],
)
def test_errors_count_by_their_level(level: str, alarms: int, orders: int, faults: int) -> None:
    story = joined(protocol="3.0")
    story.extend(0, 3)
    story.echo(1)
    error = m.Error(kind="gripper", level=level)
    events = story.echo(1, errors=(error,))
    if level == "CRITICAL":
        assert story.instants[-1].kind == "cancelOrder"
        done = finished(story, "cancelOrder")
        story.state(nodes=(), edges=(), driving=False, instant_actions=(done,))
    else:
        events += story.echo(1)
    assert len(story.alarms) == alarms, story.alarms
    assert len(story.orders) == orders
    assert sum(isinstance(e, RobotFaulted) for e in events) == faults


def test_a_new_order_is_not_void_because_of_the_error_that_was_there_before() -> None:
    story = joined(protocol="3.0")
    story.extend(0, 3)
    story.echo(1)
    story.echo(1, errors=(m.Error(kind="gripper", level="CRITICAL"),))
    done = finished(story, "cancelOrder")
    story.state(nodes=(), edges=(), driving=False, instant_actions=(done,))
    for _ in range(5):
        story.echo(0)
    assert len(story.orders) == 2


@pytest.mark.parametrize("kind", ["START_NODE_OUT_OF_RANGE", "INVALID_ORDER_ACTION", "orderError"])
def test_a_refusal_is_one_in_the_words_of_every_version(kind: str) -> None:
    story = joined(protocol="3.0")
    story.extend(0, 3)
    about = {"orderId": story.orders[0].id}
    story.state(errors=(m.Error(kind=kind, level="WARNING", references=about),))
    story.state(errors=())
    assert len(story.orders) == 2 and story.orders[1].id != story.orders[0].id


def test_an_old_error_that_does_not_say_whose_refuses_no_new_order() -> None:
    story = joined()
    story.state(errors=(m.Error(kind="orderError", level="WARNING"),))
    story.extend(0, 2)
    story.state()
    assert len(story.orders) == 1 and not any("refuses" in text for _, text in story.alarms)


def test_an_order_that_a_vehicle_has_dropped_is_begun_anew_a_bounded_number_of_times() -> None:
    story = joined()
    story.extend(0, 3)
    story.echo(1)
    faults: list[Event] = []
    for _ in range(4):  # switched off and on: it stands, and knows no order
        for _ in range(4):
            found = story.state(
                order_id="", order_update=0, nodes=(), edges=(), driving=False, last_node_sequence=0
            )
            faults += [e for e in found if isinstance(e, RobotFaulted)]
        story.echo(0)
    assert len({o.id for o in story.orders}) == 5
    assert any("has dropped order" in text for _, text in story.alarms)
    assert faults and isinstance(faults[0], RobotFaulted) and "dropped" in faults[0].reason


def test_an_action_that_has_ended_does_not_begin_again() -> None:
    story = joined()
    story.tell(StartAction(robot=0, action=41, kind="pick", load="t7"))
    name = story.orders[0].nodes[0].actions[0].id
    story.echo(actions=(m.ActionState(id=name, status="RUNNING"),))
    story.echo(actions=(m.ActionState(id=name, status="WAITING"),))
    assert story.control.vehicles["acme", "amr-1"].counts.odd_steps == 1
    found = story.echo(actions=(m.ActionState(id=name, status="FINISHED"),))
    assert found == [ActionEnded(robot=0, action=41)]


# --- base, loads, factsheet ----------------------------------------------------------------------


def test_who_asks_for_more_base_gets_an_update_that_may_be_lost_once_more() -> None:
    story = joined()
    story.extend(0, 2)
    story.echo()
    story.extend(2, 4)
    assert len(story.orders) == 2
    asks: dict[str, Any] = {"order_update": 0, "new_base_request": True}
    story.state(wait_s=0.1, **asks)
    assert len(story.orders) == 2, "it is on its way still"
    story.state(wait_s=0.5, **asks)
    assert len(story.orders) == 3 and story.orders[2] == story.orders[1]
    assert story.control.vehicles["acme", "amr-1"].counts.base_requests == 1


def test_stops_at_the_end_of_a_base_are_counted() -> None:
    story = joined(planned=lambda _: way(12)[2:4])
    story.extend(0, 2)
    story.echo(0)
    story.echo(2, driving=True)
    story.echo(2, driving=False)
    counts = story.control.vehicles["acme", "amr-1"].counts
    assert (counts.nodes, counts.stops) == (2, 1)


def told_sheet(story: Story, **facts: Any) -> None:
    header = m.Header(
        header_id=0, time_ns=0, version=story.codec.version, manufacturer="acme", serial="amr-1"
    )
    story.say("factsheet", story.codec.encode(m.Factsheet(header=header, series="s", **facts)))


def test_loads_go_to_the_devices_that_a_vehicle_has_as_it_allows() -> None:
    story = joined(protocol="3.0")
    every = [
        m.SupportedAction(kind=kind, scopes=("NODE",), blocking=("NONE", "SOFT"))
        for kind in ("pick", "drop")
    ]
    told_sheet(story, devices=("left", "right"), actions=tuple(every))
    aboard = [m.Load(id="t1", place="left")]
    story.state(loads=tuple(aboard))
    story.tell(StartAction(robot=0, action=1, kind="pick", load="t2"))
    (pick,) = story.orders[-1].nodes[0].actions
    assert pick.parameters["lhd"] == "right" and pick.blocking == "SOFT"
    story.echo(actions=(m.ActionState(id=pick.id, status="FINISHED"),))
    assert "t2 is not among its loads" in story.alarms[-1][1]
    story.state(loads=(*aboard, m.Load(id="t2", place="right")))
    story.tell(StartAction(robot=0, action=2, kind="drop", load="t1"))
    (drop,) = story.orders[-1].nodes[0].actions
    assert drop.parameters["lhd"] == "left"


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"load_kg_max": 20}, "carries 20 kg at most, fleet big 50"),
        ({"devices": ("a",)}, "has 1 places for loads, fleet big 2"),
        (
            {"actions": (m.SupportedAction(kind="pick", scopes=("EDGE",)),)},
            "pick (as EDGE, not NODE)",
        ),
    ],
)
def test_what_a_factsheet_can_not_do_is_a_contradiction(facts: dict[str, Any], reason: str) -> None:
    header = m.Header(header_id=0, time_ns=0, version="", manufacturer="a", serial="b")
    sheet = m.Factsheet(header=header, series="s", **facts)
    declared = Declared("big", 1, 1, 1, 1, ("pick",), load_kg=50, places=2)
    assert reason in "; ".join(contradictions(sheet, declared))


def test_a_factsheet_is_asked_for_what_the_vehicle_calls_it() -> None:
    header = m.Header(header_id=0, time_ns=0, version="", manufacturer="a", serial="b")
    lift = m.SupportedAction(kind="lift", scopes=("NODE",))
    sheet = m.Factsheet(header=header, series="s", actions=(lift,))
    declared = Declared("big", 1, 1, 1, 1, ("pick",))
    assert contradictions(sheet, declared, Quirks(action_kinds={"pick": "lift"})) == []
    assert "actions pick" in contradictions(sheet, declared)[0]


def test_a_3_0_vehicle_that_remembers_many_instant_actions_is_told_to_forget_them() -> None:
    story = joined(protocol="3.0")
    ended = tuple(m.ActionState(id=f"i{n}", status="FINISHED") for n in range(21))
    story.state(instant_actions=(*ended, finished(story, "factsheetRequest")))
    assert story.instants[-1].kind == "clearInstantActions"


# --- quirks --------------------------------------------------------------------------------------


def test_progress_needs_the_node_gone_unless_the_vehicle_keeps_it() -> None:
    for quirks, passed in ((Quirks(), 1), (Quirks(keeps_last_node_in_states=True), 2)):
        story = joined(quirks=quirks)
        story.extend(0, 2)
        last = story.orders[0].nodes[-1]
        kept = (m.NodeState(id=last.id, sequence=4, released=True),)
        found = story.echo(2, nodes=kept)
        assert sum(isinstance(e, NodeReached) for e in found) == passed
        assert any("keeps_last_node" in text for _, text in story.alarms) is (passed == 1)
        if passed == 2:
            story.extend(2, 3)
            assert len(story.orders) == 2, "it is idle all the same"


def test_whether_it_drives_may_have_to_be_told_from_its_pose() -> None:
    error = m.Error(kind="pathBlocked", level="WARNING")
    for unreliable in (False, True):
        story = joined(quirks=Quirks(driving_unreliable=unreliable))
        story.extend(0, 3)
        found = [e for _ in range(6) for e in story.echo(1, driving=True, errors=(error,))]
        assert any(isinstance(e, LaneBlocked) for e in found) is unreliable, (
            "it always says driving"
        )


def test_no_node_to_which_an_update_is_added_has_actions() -> None:
    """So it does not matter whether a vehicle wants them repeated there, or would do them twice."""
    story = joined()
    story.tell(StartAction(robot=0, action=1, kind="pick", load="t"))
    name = story.orders[0].nodes[0].actions[0].id
    story.extend(0, 2)
    story.echo(actions=(m.ActionState(id=name, status="RUNNING"),))
    assert len(story.orders) == 1, "nothing is added to an order that acts"
    story.echo(actions=(m.ActionState(id=name, status="FINISHED"),))
    story.echo(1)
    story.extend(2, 4)
    assert [o.update for o in story.orders] == [0, 0, 1]
    assert all(not o.nodes[0].actions for o in story.orders[1:])


# --- poses beside the states ---------------------------------------------------------------------


def test_poses_of_visualization_are_seen_and_nothing_else_of_it() -> None:
    seen: list[tuple[int, float]] = []
    story = joined(seen=lambda robot, place: seen.append((robot, place.x)))
    assert ("uagv/v2/+/+/visualization", 0) in story.control.filters()
    seen.clear()

    def show(x: float, wait_s: float = 0.1, **more: Any) -> None:
        story.now_ns += round(wait_s * SECOND)
        place = {"x": x, "y": 0, "theta": 0, "mapId": "hall", "positionInitialized": True}
        story.say("visualization", json.dumps({"agvPosition": place | more}).encode())

    before, alarms = len(story.events), len(story.alarms)
    show(1.0)
    show(2.0, wait_s=0.01)  # too often
    show(3.0)
    show(4.0, positionInitialized=False)
    show(5.0, wait_s=0.01)  # too often
    story.say("visualization", b"\xff")
    story.say("visualization", b"{}")
    assert seen == [(0, 1.0), (0, 3.0)]
    old = {"timestamp": "1999-01-01T00:00:00Z", "agvPosition": None}
    place = {"x": 9, "y": 0, "theta": 0, "mapId": "hall", "positionInitialized": True}
    story.now_ns += SECOND
    story.say("visualization", json.dumps(old | {"agvPosition": place}).encode())
    assert len(seen) == 2, "older than its last state"
    assert (len(story.events), len(story.alarms)) == (before, alarms)


# --- who is not there ----------------------------------------------------------------------------


def test_who_is_never_heard_again_after_a_restart_has_fallen_silent() -> None:
    # given a robot that the core knows, whose vehicle died while no master was there
    story = restarted(joined(), (), paused=False)
    assert story.tick() == [] and story.tick(60) == []
    # then the core is told, once, and what it does about it has its time as well
    (fault,) = story.tick(6)
    assert isinstance(fault, RobotFaulted) and (fault.robot, fault.kind) == (0, "robot_silent")
    assert any("robot_silent" in text for _, text in story.alarms)
    story.tell(RecoverRobot(robot=0, attempt=1, how="restart"))
    assert story.tick(30) == []
    assert story.tick(31) == [RecoveryFailed(robot=0, attempt=1)]
    assert story.tick(100) == []
    # and when it is heard at last, it is well again
    assert RobotRecovered(robot=0, edge=-1) in story.state()


def test_a_robot_that_was_to_back_out_does_so_when_it_is_heard_after_a_restart() -> None:
    before = joined()
    before.extend(0, 3)
    before.echo(1)
    story = restarted(before, tuple(before.edges[1:3]), paused=False)
    story.tell(BackOut(robot=0))  # before it is heard; or the core wanted so before the restart
    story.echo(1, driving=False)
    assert story.instants[-1].kind == "cancelOrder"
    done = m.ActionState(id=story.instants[-1].id, status="FINISHED")
    found = story.state(nodes=(), edges=(), actions=(done,))
    assert BackedOut(robot=0, node=story.node) in found
    assert len(story.orders) == 1


def test_who_fails_while_it_is_to_back_out_is_not_to_do_so_afterwards() -> None:
    # given a vehicle that failed when the core already wanted it to back out
    story = joined()
    story.extend(0, 3)
    story.echo(1)
    story.echo(1, errors=(m.Error(kind="motor", level="FATAL"),))
    story.tell(BackOut(robot=0))
    story.echo(1, errors=())
    cancel = m.ActionState(id=story.instants[-1].id, status="FINISHED")
    assert well_of(story.state(nodes=(), edges=(), driving=False, actions=(cancel,)))
    # when it later has to begin anew, it is not said that it has backed out
    story.echo(0)
    for _ in range(4):
        story.state(order_id="", nodes=(), edges=(), driving=False)
    assert not [each for each in story.events if isinstance(each, BackedOut)]


def well_of(events: list[Event]) -> bool:
    return any(isinstance(event, RobotRecovered) for event in events)


def test_who_was_not_there_to_hear_that_it_shall_stand_is_told_again() -> None:
    # given a vehicle that drives, and does not hear that it is to stand
    story = joined()
    story.extend(0, 3)
    story.echo(1)
    story.tell(PauseRobot(robot=0, emergency=True))
    for _ in range(15):
        story.tick(2)
    count = len(story.instants)
    # when it is heard again, and still drives
    story.echo(1)
    assert [each.kind for each in story.instants[count:]] == ["startPause"]
    assert len(story.orders) == 1


def test_who_is_paused_gets_no_base_though_it_asks_for_it() -> None:
    story = joined()
    story.extend(0, 2)
    story.echo()
    story.extend(2, 4)
    story.tell(PauseRobot(robot=0))
    story.state(wait_s=0.6, order_update=0, new_base_request=True)
    assert len(story.orders) == 2


def test_a_factsheet_against_the_site_keeps_out_who_had_joined_without_one() -> None:
    story = joined()
    able = [m.SupportedAction(kind=kind, scopes=("NODE",)) for kind in ("pick", "drop")]
    told_sheet(story, length_m=1.4, actions=tuple(able))
    assert faults(story) == ["robot_dead"]
    story.state()
    assert not well(story), "its state is clean, it is as large as before"
    told_sheet(story, actions=tuple(able))
    story.state()
    assert well(story)


# --- the last check, once more -------------------------------------------------------------------


class Bar:
    """The last check: these edges may not be driven just now."""

    def __init__(self, *edges: int, always: bool = False) -> None:
        self.edges, self.always, self.asked = set(edges), always, 0

    def __call__(self, robot: int, edges: Any) -> str:
        self.asked += 1
        return "somebody is there" if self.always or self.edges & set(edges) else ""


def refused(events: list[Event]) -> list[tuple[int, ...]]:
    return [e.edges for e in events if isinstance(e, CommandRefused)]


def barred() -> tuple[Story, Bar]:
    """A vehicle that has joined, with a check that lets everything through as yet."""
    bar = Bar()
    return joined(may_drive=bar), bar


def fail_and_cancel(story: Story, passed: int) -> list[Event]:
    """Its drive fails and is well again, and it has forgotten its order."""
    story.echo(passed, errors=(m.Error(kind="drive", level="FATAL"),))
    return story.state(errors=(), nodes=(), edges=(), driving=False)


def test_what_had_to_wait_for_an_echo_is_checked_when_it_is_sent() -> None:
    story, bar = barred()
    story.extend(0, 2)
    story.extend(2, 5)
    assert not bar.asked, "it has passed just now"
    bar.edges = {story.edges[3]}
    found = story.echo()
    assert refused(found) == [tuple(story.edges[3:5])]
    assert [e.id for e in story.orders[-1].edges if e.released] == [
        story.roadmap.edge_ids[story.edges[2]]
    ]
    assert any("somebody is there" in text for _, text in story.alarms)


def test_what_is_sent_anew_after_a_fault_is_checked_and_goes_back_to_the_core() -> None:
    story, bar = barred()
    story.extend(0, 3)
    story.echo(1)
    bar.edges = {story.edges[1]}
    found = fail_and_cancel(story, 1)
    # it stands at a node: all that it held is the core's again, and it may be sent elsewhere
    kinds = [type(e) for e in found if isinstance(e, CommandRefused | RobotRecovered)]
    assert kinds == [RobotRecovered, CommandRefused]
    assert refused(found) == [tuple(story.edges[1:3])] and len(story.orders) == 1
    assert story.state() == [] and story.tick(5) == []
    bar.edges = set()
    story.extend(1, 3)
    assert len(story.orders) == 2


def test_the_edge_that_it_may_be_on_is_kept_and_asked_for_again() -> None:
    story, bar = barred()
    story.extend(0, 3)
    story.echo(1)
    bar.edges = {story.edges[1]}
    xs, ys = story.roadmap.node_x_mm, story.roadmap.node_y_mm
    ends = story.roadmap.edge_tail[story.edges[1]], story.roadmap.edge_head[story.edges[1]]
    x, y = (sum(axis[n] for n in ends) / 2000 for axis in (xs, ys))
    story.facts["position"] = m.Position(x=x, y=y, theta=0, map_id="hall")
    found = fail_and_cancel(story, 1)
    assert refused(found) == [(story.edges[2],)], "not the one that it stands on"
    asked, alarms = bar.asked, len(story.alarms)
    for _ in range(100):
        assert refused(story.state(wait_s=0.1)) == []
    assert len(story.orders) == 1 and len(story.alarms) == alarms
    assert bar.asked - asked <= 4 * 10, "not with each word of it"
    bar.edges = set()
    story.state(wait_s=1.1)
    assert [e.id for e in story.orders[-1].edges if e.released] == [
        story.roadmap.edge_ids[story.edges[1]]
    ]


def test_who_may_not_drive_anywhere_just_now_keeps_what_it_holds() -> None:
    story, bar = barred()
    story.extend(0, 3)
    story.echo(1)
    bar.always = True
    assert refused(fail_and_cancel(story, 1)) == [()], "told once"
    assert refused(story.state()) == [] and len(story.orders) == 1
    bar.always = False
    story.state(wait_s=1.1)
    assert len(story.orders[-1].edges) == 2


def test_what_a_vehicle_gets_after_a_restart_of_the_master_is_checked() -> None:
    before = joined()
    bar = Bar(before.edges[1])
    story = Story(session="1", may_drive=bar)
    story.facts, story.header, story.now_ns = before.facts, before.header, before.now_ns
    base = tuple(before.edges[0:3])  # in the books, and never sent
    story.control.restore({"amr-1": Known(0, 0, before.node, base, None, "")})
    assert refused(story.state()) == [base[1:]]
    assert [e.id for e in story.orders[-1].edges] == [story.roadmap.edge_ids[base[0]]]


def test_an_order_that_may_be_lost_is_not_sent_again_into_somebody() -> None:
    story, bar = barred()
    story.extend(0, 2)
    bar.edges = {story.edges[0]}
    story.tick(3)
    story.tick(3)
    assert len(story.orders) == 1
    assert sum("is not sent" in text for _, text in story.alarms) == 1
    bar.edges = set()
    story.tick(3)
    assert len(story.orders) == 2


def test_who_lies_about_its_pose_is_cancelled_at_once_and_its_word_is_worth_nothing() -> None:
    poses: list[Any] = []
    story = joined(seen=lambda _robot, place: poses.append(place and (place.x, place.y)))
    story.extend(0, 3)
    story.echo(1)
    assert poses[-1] is not None
    lie = m.Position(x=-50, y=-50, theta=0, map_id="hall")
    for _ in range(3):
        story.echo(1, position=lie)
        assert poses[-1] is None, "from the first lie on"
    assert faults(story) == ["robot_nonsense"]
    assert [a.kind for a in story.instants if a.kind == "cancelOrder"] == ["cancelOrder"]
    del story.facts["position"]
    story.echo(2)
    assert not well(story), "its cancellation has not ended"
    done = m.ActionState(id=story.instants[-1].id, status="FINISHED")
    story.state(nodes=(), edges=(), driving=False, actions=(done,))
    assert well(story) and poses[-1] is not None
    assert [e.id for e in story.orders[-1].edges if e.released] == [
        story.roadmap.edge_ids[story.edges[2]]
    ]


# --- errors of ours ------------------------------------------------------------------------------


def test_an_error_of_ours_about_one_vehicle_ends_nothing_and_several_keep_it_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[tuple[str, str]] = []
    poses: list[Any] = []
    story = joined(
        broke=lambda name, error: told.append((name, str(error))),
        seen=lambda _robot, place: poses.append(place),
    )
    story.extend(0, 3)
    story.echo(1)
    v = story.control.vehicles["acme", "amr-1"]
    true_read = reading.read

    def read(desk: Any, one: Any, state: Any) -> None:
        if one is v:
            raise KeyError("a bug")
        true_read(desk, one, state)

    monkeypatch.setattr(reading, "read", read)
    story.state()
    story.state()
    assert not faults(story) and told == [("acme/amr-1", "'a bug'")], "in full once"
    assert any(name == "amr-1" and "KeyError" in text for name, text in story.alarms)
    story.state()
    assert faults(story) == ["robot_nonsense"] and story.instants[-1].kind == "cancelOrder"
    done = m.ActionState(id=story.instants[-1].id, status="FINISHED")
    before = v.counts.broken
    story.state()
    assert v.counts.broken == before == 3 and poses[-1] is None, "it is not heard"
    story.state(serial="amr-2")
    assert ("acme", "amr-2") in story.control.vehicles, "others are"
    # when the bug strikes no more, and a while is over, then it is back
    monkeypatch.setattr(reading, "read", true_read)
    calm = {"nodes": (), "edges": (), "driving": False, "actions": (done,)}
    story.state(wait_s=30, **calm)
    assert not well(story)
    for _ in range(3):
        story.state(wait_s=31)
    assert well(story) and len(story.orders) == 2


def test_an_error_of_ours_while_time_passes_is_one_vehicles(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    story = joined(broke=lambda _name, _error: None)

    def watch(desk: Any, v: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(recovering, "watch", watch)
    for _ in range(5):
        story.tick()
    assert faults(story) == ["robot_nonsense"]
    assert any("ZeroDivisionError" in text for _, text in story.alarms)
