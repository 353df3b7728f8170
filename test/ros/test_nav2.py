"""Robots that run Nav2 in the fleet: whole stories, with everything that such a robot may do wrong."""

import math
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from nav2_hall import Hall

from orchestrator.core.messages import (
    BackedOut,
    ClearingFailed,
    LaneBlocked,
    LaneCleared,
    NodeReached,
    RobotFaulted,
    RobotRecovered,
    RobotsPaused,
    RobotsResumed,
)
from orchestrator.ros.nav2.tables import CODES, GOAL, Meaning
from orchestrator.ros.nav2.way import Leg

ONE = "load-00000"


@pytest.fixture
def hall() -> Hall:
    """Four robots at work."""
    made = Hall(4)
    assert made.run(10, made.joined)
    made.order(120)
    assert made.run(30, lambda: driving(made, ONE))
    return made


def driving(hall: Hall, serial: str) -> bool:
    return hall.sims[serial].speed_mps > 0.5 and len(hall.goals.get(serial, [])) > 1


def goes_on(hall: Hall, serial: str = ONE, nodes: int = 3, seconds: float = 60) -> bool:
    """It reaches more nodes."""
    before = len(hall.heard(NodeReached, serial))
    return hall.run(seconds, lambda: len(hall.heard(NodeReached, serial)) >= before + nodes)


def well(hall: Hall) -> None:
    assert not hall.contacts
    assert not hall.refused
    assert not hall.beyond


def test_a_fleet_ends_its_tasks_without_a_contact_and_drives_only_what_is_released() -> None:
    hall = Hall(20)
    assert hall.run(10, hall.joined)
    hall.order(40)
    assert hall.run(2) is False
    assert hall.run(300, lambda: hall.open == 0), f"{hall.open} orders are still open"
    assert not hall.faults()
    assert not hall.alarms
    well(hall)


def test_goals_are_extended_while_it_drives_and_split_where_it_turns(hall: Hall) -> None:
    assert goes_on(hall, nodes=8)
    for goals in hall.goals.values():
        for poses in goals:
            assert len({round(math.remainder(p.theta, math.tau), 3) for p in poses}) == 1
    speeds = []
    hall.run(20, lambda: bool(speeds.append(hall.sims[ONE].speed_mps)))
    assert sum(speed > 1.0 for speed in speeds) > len(speeds) / 5, "it does not stop at each node"


@pytest.mark.parametrize("code", [100, 102, 107, 999])
def test_a_goal_that_is_aborted_is_tried_again(hall: Hall, code: int) -> None:
    hall.sims[ONE].mood.aborts = [code]
    assert goes_on(hall)
    assert not hall.faults()
    well(hall)


def test_a_server_that_rejects_makes_it_broken_and_the_others_go_on(hall: Hall) -> None:
    hall.sims[ONE].mood.rejects = True
    assert hall.run(60, lambda: bool(hall.faults()))
    fault = hall.faults()[0]
    assert fault.robot == hall.robot(ONE).index
    assert "rejects goals (3 times)" in fault.reason
    assert "rejects goals" in hall.robots[ONE].failing
    assert goes_on(hall, "load-00002")
    hall.sims[ONE].mood.rejects = False
    assert hall.run(200, lambda: bool(hall.heard(RobotRecovered, ONE)))
    assert goes_on(hall, seconds=120)
    assert not hall.robots[ONE].failing
    well(hall)


def test_a_server_that_never_answers_is_named(hall: Hall) -> None:
    hall.sims[ONE].mood.silent = True
    assert hall.run(90, lambda: bool(hall.faults()))
    assert "does not answer" in hall.faults()[0].reason
    assert goes_on(hall, "load-00002")
    hall.sims[ONE].mood.silent = False
    assert hall.run(200, lambda: bool(hall.heard(RobotRecovered, ONE)))
    assert goes_on(hall, seconds=120)
    well(hall)


def test_a_goal_that_nobody_answered_is_cancelled(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be accepted after all, when its floor is no longer the robot's."""
    cancelled: list[tuple[str, int]] = []
    monkeypatch.setattr(hall, "cancel", lambda serial, goal: cancelled.append((serial, goal)))
    hall.sims[ONE].mood.silent = True
    assert hall.run(90, lambda: hall.robots[ONE].failing.startswith("nav2Silent"))
    assert (ONE, hall.robots[ONE].goals_sent) in cancelled


@pytest.mark.parametrize("code", [c for c, (_, m) in CODES.items() if m == Meaning.SETTINGS])
def test_settings_that_can_t_work_are_told_at_once(hall: Hall, code: int) -> None:
    hall.sims[ONE].mood.aborts = [code]
    assert hall.run(30, lambda: bool(hall.faults()))
    assert CODES[code][0] in hall.faults()[0].reason
    assert "mend its Nav2 parameters" in hall.faults()[0].reason


def test_something_in_its_way_is_told_and_it_goes_on_when_that_is_gone(hall: Hall) -> None:
    hall.sims[ONE].mood.stuck = True
    assert hall.run(60, lambda: bool(hall.heard(LaneBlocked, ONE)))
    edge = hall.heard(LaneBlocked, ONE)[0].edge
    assert edge == hall.core.world.traffic.released[hall.robot(ONE).index][0].edge
    hall.sims[ONE].mood.stuck = False
    assert goes_on(hall, seconds=200)
    well(hall)


def test_what_stays_in_its_way_is_backed_out_from(hall: Hall) -> None:
    sim = hall.sims[ONE]
    sim.mood.stuck = True
    assert hall.run(60, lambda: bool(hall.heard(LaneBlocked, ONE)))
    edge = hall.heard(LaneBlocked, ONE)[0].edge
    hall.queue.append(ClearingFailed(edge=edge, attempt=1))
    assert hall.run(300, lambda: bool(hall.heard(BackedOut, ONE)))
    at = hall.xy(hall.heard(BackedOut, ONE)[0].node)
    assert math.dist(sim.pose[:2], at) < 0.1, "it is where the core believes that it is"
    sim.mood.stuck = False
    hall.queue.append(LaneCleared(edge=edge))
    hall.order(40, seed=2)
    assert goes_on(hall, seconds=200)
    well(hall)


def test_a_robot_that_leaves_its_way_is_held(hall: Hall) -> None:
    sim = hall.sims[ONE]
    sim.mood.strays_mps = 0.5
    assert hall.run(30, lambda: bool(hall.faults()))
    assert "off the way that it holds" in hall.faults()[0].reason
    assert hall.run(10, lambda: sim.speed_mps == 0)
    stands, goals = sim.pose, len(hall.goals[ONE])
    assert hall.robots[ONE].errors["offPath"].level == "FATAL"
    hall.run(20)
    assert sim.pose == stands and len(hall.goals[ONE]) == goals, "it gets no goal off its way"
    sim.mood.strays_mps = 0.0
    leg = hall.robots[ONE].held.legs()[0]
    way_m, off_m = leg.project(*stands[:2])
    assert 0.3 < off_m < 1.0
    sim.pose = leg.at(way_m)  # somebody pushed it back
    assert hall.run(60, lambda: bool(hall.heard(RobotRecovered, ONE)))
    assert goes_on(hall)
    assert not hall.beyond


def test_a_robot_that_does_not_know_where_it_is_is_told_so(hall: Hall) -> None:
    hall.sims[ONE].mood.blind = True
    assert hall.run(30, lambda: bool(hall.faults()))
    assert hall.faults()[0].kind == "robot_slipped"
    assert hall.run(200, lambda: bool(hall.heard(RobotRecovered, ONE))), "it was relocalised"
    assert goes_on(hall, seconds=120)


def test_robots_that_say_where_they_are_as_amcl_does_end_their_tasks() -> None:
    """Their last word before they stand is behind them; and who stands says nothing."""
    hall = Hall(8, amcl=True)
    assert hall.run(10, hall.joined)
    hall.order(16)
    hall.run(5)
    assert hall.run(400, lambda: hall.open == 0)
    hall.run(60)
    assert not hall.faults()
    assert not hall.contacts and not hall.refused


def test_one_that_feels_itself_drive_and_hears_nothing_of_amcl_is_lost() -> None:
    hall = Hall(4, amcl=True)
    assert hall.run(10, hall.joined)
    hall.order(40)
    assert hall.run(30, lambda: driving(hall, ONE))
    hall.sims[ONE].mood.blind = True
    assert hall.run(30, lambda: bool(hall.faults()))
    assert [fault.kind for fault in hall.faults()] == ["robot_slipped"]


def test_a_pause_stops_everybody_and_ends(hall: Hall) -> None:
    hall.queue.append(RobotsPaused(request="p"))
    assert hall.run(10, lambda: all(sim.speed_mps == 0 for sim in hall.sims.values()))
    hall.run(3)
    places = {serial: sim.pose for serial, sim in hall.sims.items()}
    hall.run(20)
    assert places == {serial: sim.pose for serial, sim in hall.sims.items()}
    hall.queue.append(RobotsResumed(request="q"))
    assert goes_on(hall)
    assert not [event for event in hall.events if isinstance(event, RobotFaulted)]
    well(hall)


def test_a_robot_that_is_never_seen_does_not_join() -> None:
    hall = Hall(4)
    hall.sims[ONE].mood.blind = True
    hall.run(20)
    assert [robot.name for robot in hall.core.world.robots] == [
        "load-00001", "load-00002", "load-00003",
    ]  # fmt: skip
    hall.sims[ONE].mood.blind = False
    assert hall.run(10, hall.joined)


# --- corridors: NavigateThroughPoses -----------------------------------------------------------------


@pytest.fixture
def corridors() -> Hall:
    """Four robots at work on lanes that are corridors."""
    made = Hall(4, corridor_m=0.35)
    assert made.run(10, made.joined)
    made.order(120)
    assert made.run(30, lambda: driving(made, ONE))
    return made


def off_m(hall: Hall, serial: str) -> float:
    """How far off the edges that it holds a robot is."""
    at = hall.robot(serial).index
    traffic, roadmap = hall.core.world.traffic, hall.site.roadmap
    edges = [move.edge for move in traffic.released[at]]
    lines = [(hall.xy(roadmap.edge_tail[e]), hall.xy(roadmap.edge_head[e])) for e in edges]
    legs = [Leg(a, b, 0.0, 0) for a, b in lines] or [
        Leg(hall.xy(traffic.at[at]), hall.xy(traffic.at[at]), 0.0, 0)
    ]
    return min(leg.project(*hall.sims[serial].pose[:2])[1] for leg in legs)


def test_in_corridors_robots_plan_their_own_way_and_nobody_meets() -> None:
    """Each goes round something on every stretch."""
    hall = Hall(12, corridor_m=0.35)
    for sim in hall.sims.values():
        sim.mood.roams_m = 0.15
    assert hall.run(10, hall.joined)
    hall.order(30)
    far = []
    done = hall.run(400, lambda: bool(far.append(off_m(hall, ONE))) or (
        hall.open == 0 and hall.now_ns > 20e9))  # fmt: skip
    assert done, f"{hall.open} orders are still open"
    assert hall.freely == set(hall.sims)
    assert 0.12 < max(far) < 0.75 * 0.35
    assert not hall.faults()
    assert not hall.alarms
    well(hall)


def test_one_goal_leads_round_corners_in_corridors(corridors: Hall) -> None:
    corridors.run(40)
    ways = [[p.theta for p in poses] for goals in corridors.goals.values() for poses in goals]
    assert any(len({round(theta, 2) for theta in way}) > 1 for way in ways)
    well(corridors)


def test_a_robot_that_leaves_its_corridor_is_held_before_it_is_out(corridors: Hall) -> None:
    sim = corridors.sims[ONE]
    sim.mood.roams_m = 1.0
    assert corridors.run(60, lambda: bool(corridors.faults()))
    assert "off the way that it holds" in corridors.faults()[0].reason
    assert corridors.run(10, lambda: sim.speed_mps == 0)
    goals = len(corridors.goals[ONE])
    corridors.run(20)
    assert len(corridors.goals[ONE]) == goals, "it gets no goal there"
    sim.mood.roams_m = 0.0
    leg = corridors.robots[ONE].held.legs()[0]
    sim.pose = leg.at(leg.project(*sim.pose[:2])[0])
    assert corridors.run(60, lambda: bool(corridors.heard(RobotRecovered, ONE)))
    assert goes_on(corridors)
    assert not corridors.contacts


def test_a_corridor_without_a_way_through_is_a_blocked_lane(corridors: Hall) -> None:
    corridors.sims[ONE].mood.aborts = [308] * 3
    assert corridors.run(30, lambda: bool(corridors.heard(LaneBlocked, ONE)))
    assert goes_on(corridors, seconds=200)
    well(corridors)


def test_what_stays_in_a_corridor_is_backed_out_from(corridors: Hall) -> None:
    sim = corridors.sims[ONE]
    sim.mood.stuck = True
    assert corridors.run(60, lambda: bool(corridors.heard(LaneBlocked, ONE)))
    edge = corridors.heard(LaneBlocked, ONE)[0].edge
    corridors.queue.append(ClearingFailed(edge=edge, attempt=1))
    assert corridors.run(300, lambda: bool(corridors.heard(BackedOut, ONE)))
    assert math.dist(sim.pose[:2], corridors.xy(corridors.heard(BackedOut, ONE)[0].node)) < 0.1
    sim.mood.stuck = False
    corridors.queue.append(LaneCleared(edge=edge))
    corridors.order(40, seed=2)
    assert goes_on(corridors, seconds=200)
    well(corridors)


def test_every_state_of_a_goal_leads_to_its_end() -> None:
    for state in GOAL:
        assert state == "over" or "over" in GOAL[state]
