"""Stories of a vehicle's actions: on nodes, by blocking type; instant ones; modes and faults."""

from __future__ import annotations

import math

import pytest
from one_vehicle import PICK_S, Bench, do, now, order

from sim.clock import SECOND_NS


def test_picks_where_it_is_told_and_drives_on() -> None:
    made = order(0, 3, actions={2: (do("pick", loadId="tote-1"),)})
    bench = Bench().say(made)
    assert bench.statuses() == {"pick": "WAITING"}
    bench.after(11)
    assert bench.statuses() == {"pick": "RUNNING"} and bench.state.last_node == "n2"
    (command,) = bench.done
    assert (command.kind, command.load, command.bay) == ("pick", "tote-1", 0)
    bench.after(60)
    assert bench.statuses() == {"pick": "FINISHED"} and bench.state.last_node == "n3"
    arrived = dict((edge, at / 1e9) for at, edge in bench.nodes)
    assert arrived[2] - arrived[1] >= PICK_S


def test_a_pick_that_fails_is_told_and_so_is_one_where_nothing_is() -> None:
    bench = Bench()
    bench.outcome = "failed"
    bench.say(order(0, 3, actions={2: (do("pick"),), 3: (do("drop"),)})).after(60)
    assert bench.statuses() == {"pick": "FAILED", "drop": "FAILED"}
    assert bench.state.last_node == "n3" and len(bench.done) == 2
    bench = Bench().say(order(0, 1, actions={1: (do("pick"), do("startCharging"))})).after(60)
    assert bench.statuses() == {"pick": "FAILED", "startCharging": "FAILED"} and not bench.done


def starts(bench: Bench) -> dict[str, float]:
    """When each action was first seen running."""
    found: dict[str, float] = {}
    for seconds, state in bench.states():
        for action in state.actions:
            if action.status == "RUNNING":
                found.setdefault(action.id, seconds)
    return found


@pytest.mark.parametrize(
    ("blocking", "together", "stops"),
    [("NONE", True, False), ("SINGLE", False, False), ("SOFT", True, True), ("HARD", False, True)],
)
def test_blocking_types(blocking: str, together: bool, stops: bool) -> None:
    """Given two actions of a type on a node, then they run together or not, driving or not."""
    actions = (do("detectObject", "a", blocking), do("detectObject", "b", blocking))
    bench = Bench().say(order(0, 3, actions={1: actions})).after(60)
    begun = starts(bench)
    assert (begun["a"] == begun["b"]) is together
    free = Bench().say(order(0, 3)).after(60)
    assert (bench.nodes[-1][0] > free.nodes[-1][0]) is stops
    assert set(bench.statuses().values()) == {"FINISHED"}


def test_a_hard_action_waits_for_those_before_it_and_lets_none_by() -> None:
    actions = (
        do("detectObject", "a", "NONE"), do("detectObject", "b", "HARD"),
        do("detectObject", "c", "SOFT"), do("detectObject", "d", "NONE"),
    )  # fmt: skip
    bench = Bench().say(order(0, 1, actions={0: actions})).after(60)
    begun = starts(bench)
    assert (begun["a"], begun["b"], begun["c"], begun["d"]) == (0, 2, 4, 4)
    assert bench.nodes[0][0] > 6 * SECOND_NS


def test_charges_at_a_charger_and_stops_when_it_drives() -> None:
    bench = Bench().say(order(0, 3, actions={3: (do("startCharging"),)})).after(60)
    power = bench.state.power
    assert power is not None and power.charging and bench.statuses()["startCharging"] == "FINISHED"
    bench.say(now(do("stopCharging", "s1")))
    assert not bench.state.power.charging and bench.statuses()["s1"] == "FINISHED"  # type: ignore[union-attr]
    bench.say(now(do("startCharging", "s2"))).say(order(3, 1, name="o2")).after(30)
    assert not bench.state.power.charging  # type: ignore[union-attr]


def test_the_stitching_node_may_bring_its_actions_again() -> None:
    pick = {2: (do("pick"),)}
    bench = Bench().say(order(0, 2, actions=pick)).after(30)
    bench.say(order(2, 1, update=1, actions=pick)).after(30)
    assert len(bench.done) == 1 and bench.state.last_node == "n3"


# --- instant actions -----------------------------------------------------------------------------


def test_cancel_drives_on_to_the_next_node_it_can_stop_at() -> None:
    """Given a vehicle at full speed before a node, when its order is cancelled, then it ends at the
    first node that its brakes allow, is idle there, and takes a new order from there."""
    bench = Bench().say(order(0, 5, horizon=1, actions={5: (do("pick", "p"),)})).after(4.5)
    bench.say(now(do("cancelOrder", "c")))
    assert bench.statuses() == {"p": "FAILED", "c": "RUNNING"}
    assert [n.id for n in bench.state.nodes] == ["n1", "n2"], "n1 is too near to stop at"
    bench.say(order(5, 1, update=1))
    assert bench.errors() == ["orderUpdateError"]
    bench.after(30)
    state = bench.state
    assert bench.statuses() == {"p": "FAILED", "c": "FINISHED"}
    assert (state.last_node, state.nodes, state.edges, state.driving) == ("n2", (), (), False)
    bench.say(order(2, 1, update=2, sequence=4))
    assert bench.errors()[-1] == "orderUpdateError", "what is cancelled is not continued"
    bench.say(order(2, 1, name="o2")).after(30)
    assert bench.state.last_node == "n3" and bench.errors() == []
    assert "c" not in bench.statuses(), "a new order ends the story of what was done at once"


def test_cancel_waits_for_a_pick_that_has_begun() -> None:
    bench = Bench().say(order(0, 3, actions={2: (do("pick"),)})).after(11)
    bench.say(now(do("cancelOrder", "c")))
    assert bench.statuses() == {"pick": "RUNNING", "c": "RUNNING"}
    bench.after(10)
    assert bench.statuses() == {"pick": "FINISHED", "c": "FINISHED"}
    assert bench.state.last_node == "n2"


def test_cancel_at_a_node_with_no_way_left() -> None:
    bench = Bench().say(order(0, 1, horizon=2)).after(30).say(now(do("cancelOrder", "c")))
    assert bench.statuses() == {"c": "FINISHED"} and not bench.state.nodes


def test_nothing_to_cancel() -> None:
    bench = Bench().say(now(do("cancelOrder", "c")))
    assert bench.statuses() == {"c": "FAILED"} and bench.errors() == ["noOrderToCancel"]
    assert bench.state.errors[0].references["actionId"] == "c"
    bench.say(order(0, 2), now(do("cancelOrder", "d", orderId="another")))
    assert bench.statuses()["d"] == "FAILED" and bench.state.driving


def test_pause_and_on() -> None:
    bench = Bench().say(order(0, 3)).after(4).say(now(do("startPause", "p")))
    assert bench.state.paused and bench.statuses()["p"] == "RUNNING"
    bench.after(5)
    assert bench.statuses()["p"] == "FINISHED" and not bench.state.driving
    stands = bench.pose()
    assert stands[0] == pytest.approx(4.0, abs=0.01), "2 m of way, 1 m/s: it brakes at once"
    bench.say(order(3, 1, update=1)).after(20)
    assert bench.pose() == stands and len(bench.state.nodes) == 4 - len(bench.nodes)
    bench.say(now(do("stopPause", "q")))
    assert not bench.state.paused and bench.statuses()["q"] == "FINISHED"
    bench.after(60)
    assert bench.state.last_node == "n4"


def test_pauses_anywhere() -> None:
    for tenths in range(0, 160, 7):
        bench = Bench().say(order(0, 3)).after(tenths / 10).say(now(do("startPause", "p")))
        bench.after(1.0).say(now(do("stopPause", "q"))).after(0.3).say(now(do("startPause", "r")))
        bench.after(10)
        assert not bench.state.driving
        bench.say(now(do("stopPause", "s"))).after(60)
        assert bench.state.last_node == "n3" and [edge for _, edge in bench.nodes] == [0, 1, 2]


def test_cancels_anywhere() -> None:
    for tenths in range(0, 200, 7):
        bench = Bench().say(order(0, 4)).after(tenths / 10)
        bench.say(now(do("cancelOrder", "c"))).after(20)
        state = bench.state
        assert state.errors or bench.statuses()["c"] == "FINISHED"
        assert not state.nodes and not state.driving and not bench.robot.base
        at = math.floor(bench.robot.position()[0] / 4 + 0.5)
        assert state.last_node == f"n{at}" and bench.robot.position()[0] == pytest.approx(4 * at)


def test_an_instant_action_that_comes_twice_is_done_once() -> None:
    bench = Bench().say(now(do("factsheetRequest", "f")), now(do("factsheetRequest", "f")))
    assert len(bench.others()) == 3 and bench.statuses() == {"f": "FINISHED"}


def test_what_it_does_not_know_fails() -> None:
    bench = Bench().say(now(do("dance")))
    assert bench.statuses() == {"dance": "FAILED"} and bench.errors() == ["instantActionError"]
    for number in range(200):
        bench.say(now(do("stateRequest", f"s{number}")))
    assert len(bench.statuses()) == 50, "it does not remember for ever"


# --- modes and faults ----------------------------------------------------------------------------


def test_out_of_automatic_the_order_is_gone_and_back_it_waits_at_a_node() -> None:
    bench = Bench().say(order(0, 4, actions={4: (do("detectObject", "a"),)})).after(6)
    bench.agent.set_mode("MANUAL")
    bench.after(10)
    state = bench.state
    assert (state.mode, state.nodes, state.edges, state.driving) == ("MANUAL", (), (), False)
    bench.say(order(1, 1, name="o2"))
    assert "orderError" in bench.errors()
    bench.agent.set_mode("AUTOMATIC")
    bench.after(20)
    state = bench.state
    assert state.mode == "AUTOMATIC" and not state.driving
    at = int(state.last_node[1:])
    assert state.position is not None and state.position.x == pytest.approx(4.0 * at)
    bench.say(order(at, 1, name="o2")).after(30)
    assert bench.state.last_node == f"n{at + 1}"


def test_a_dead_vehicle_says_so_and_goes_on_when_it_is_back() -> None:
    bench = Bench().say(order(0, 4)).after(6)
    bench.robot.die("drive fault")
    bench.after(20)
    (error,) = bench.state.errors
    assert (error.kind, error.level) == ("driveFault", "FATAL") and not bench.state.driving
    bench.say(order(0, 1, name="o2"))
    assert "orderError" in bench.errors()
    bench.robot.revive()
    bench.agent.recovered()
    bench.after(60)
    assert bench.state.last_node == "n4" and "driveFault" not in bench.errors()


def test_a_dead_vehicle_may_be_told_to_forget_its_order() -> None:
    bench = Bench().say(order(0, 4)).after(6)
    bench.robot.die("drive fault")
    bench.after(5).say(now(do("cancelOrder", "c"))).after(5)
    assert len(bench.robot.base) == 1 and bench.statuses() == {"c": "RUNNING"}
    bench.robot.revive()
    bench.agent.recovered()
    bench.after(30)
    assert bench.statuses() == {"c": "FINISHED"} and bench.state.last_node == "n2"


def test_a_lost_vehicle_is_helped_by_a_position() -> None:
    bench = Bench().say(order(0, 2)).after(3)
    bench.robot.die("slipped", "robot_slipped")
    bench.after(5)
    assert bench.state.position is not None and not bench.state.position.localized
    bench.say(now(do("initPosition", "i", x="100", y="0", theta="0.0", mapId="map")))
    assert bench.statuses()["i"] == "FAILED"
    bench.say(now(do("initPosition", "j", x="2.0", y="0", theta="0.0", mapId="map"))).after(5)
    assert bench.statuses()["j"] == "FINISHED" and bench.state.position.localized
    assert bench.after(30).state.last_node == "n2"
