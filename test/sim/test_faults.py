"""Robots that die, are restarted from afar, or by a person."""

from __future__ import annotations

from typing import Any

import pytest
from one_robot import OneRobot, line

from orchestrator.core.messages import Event, RecoverRobot, RecoveryFailed, RobotRecovered
from orchestrator.layout.site_file import RobotDies
from sim.clock import SECOND_NS, Streams
from sim.faults import Deaths
from sim.scenario import ScenarioError

HOUR_S = 3600


class Ward:
    """One robot, and what is said and told of it."""

    def __init__(self, seed: int = 1, fleets: tuple[str, ...] = (), **spec: Any) -> None:
        self.world = OneRobot(line([5.0, 5.0]))
        self.said: list[Event] = []
        self.told: list[tuple[int, str, dict[str, Any]]] = []
        rates = {"per_robot_hour": 0.0, "restart_s": (45, 120)} | spec
        self.deaths = Deaths(
            self.world.clock, Streams(seed), RobotDies(fleets=fleets, **rates), [self.world.robot],
            ["amr"], ("n0", "n1", "n2"), lambda _, event: self.said.append(event),
            lambda kind, fact: self.told.append((self.world.clock.now_ns, kind, fact)),
        )  # fmt: skip

    def dead(self) -> Ward:
        self.world.robot.die("test")
        return self


def test_deaths_come_at_the_rate_and_from_the_seed() -> None:
    def instants(seed: int) -> list[int]:
        ward = Ward(seed, per_robot_hour=1.0)
        ward.world.stopped_for_good = lambda robot, _: (  # type: ignore[method-assign]
            seen.append(ward.world.clock.now_ns), setattr(robot, "dead", False),
            robot.place(0, 0, 1000.0),
        )  # fmt: skip
        seen: list[int] = []
        ward.world.run(300 * HOUR_S)
        return seen

    assert instants(5) == instants(5) != instants(6)
    assert 240 < len(instants(5)) < 360


def test_only_named_fleets_die() -> None:
    ward = Ward(fleets=("other",), per_robot_hour=10.0)
    ward.world.run(2 * HOUR_S)
    assert not ward.world.deaths


def test_a_restart_takes_its_time_and_the_robot_goes_on_along_its_base() -> None:
    ward = Ward(restart_success=1.0)
    ward.world.at(0, 0, 1)
    ward.world.clock.at(3 * SECOND_NS, lambda _: ward.dead())
    ward.world.run(10)
    assert ward.world.robot.dead
    ward.deaths.recover(RecoverRobot(robot=0, attempt=1))
    ward.world.run(10 + 44)
    assert ward.said == []
    ward.world.run(10 + 121)
    assert ward.said == [RobotRecovered(robot=0)]
    assert [kind for _, kind, _ in ward.told] == ["fault_ended"]
    ward.world.run(200)
    assert ward.world.robot.node == 2 and ward.world.robot.standing


def test_a_restart_may_fail() -> None:
    ward = Ward(restart_success=0.0).dead()
    ward.deaths.recover(RecoverRobot(robot=0, attempt=3))
    ward.world.run(121)
    assert ward.said == [RecoveryFailed(robot=0, attempt=3)] and ward.world.robot.dead
    assert ward.told == []


def test_an_empty_battery_does_not_come_back_from_afar() -> None:
    ward = Ward(restart_success=1.0)
    ward.world.robot.charge_permille = 0.0
    ward.dead().deaths.recover(RecoverRobot(robot=0, attempt=1))
    ward.world.run(121)
    assert ward.said == [RecoveryFailed(robot=0, attempt=1)]


def test_maintenance_takes_ten_minutes_always_succeeds_and_is_a_touch() -> None:
    ward = Ward(restart_success=0.0)
    ward.world.robot.loads = ["tote-7"]
    ward.dead().deaths.recover(RecoverRobot(robot=0, attempt=7, maintenance=True))
    ward.world.run(599)
    assert ward.world.robot.dead
    ward.world.run(600)
    assert ward.said == [RobotRecovered(robot=0)] and not ward.world.robot.dead
    (time_ns, kind, fact), _ = ward.told
    assert (time_ns, kind, fact["loads"]) == (600 * SECOND_NS, "human_touched", ["tote-7"])


def test_a_restart_of_a_robot_that_lives_changes_nothing() -> None:
    ward = Ward()
    ward.deaths.recover(RecoverRobot(robot=0, attempt=1))
    ward.world.run(200)
    assert ward.said == [] and ward.told == []


def test_another_restart_does_not_move_the_next_death() -> None:
    def first_death(restarts: int) -> int:
        ward = Ward(3, per_robot_hour=0.5)
        for _ in range(restarts):
            ward.deaths.recover(RecoverRobot(robot=0, attempt=1))
        ward.world.run(50 * HOUR_S)
        return ward.world.deaths[0][0]

    assert first_death(0) == first_death(4)


def test_it_dies_at_the_node_where_it_is_told_to_from_then_on() -> None:
    for after_s, dies in ((0, True), (9, False)):
        ward = Ward(at=({"node": "n1", "after_s": after_s},))
        reached = ward.world.reached

        def report(robot: int, edge: int, ward: Ward = ward, reached: Any = reached) -> None:
            reached(robot, edge)
            ward.deaths.passed(ward.world.robot)

        ward.world.reached = report  # type: ignore[method-assign]
        ward.world.at(0, 0, 1)
        ward.world.run(60)
        assert len(ward.world.deaths) == dies
        assert ward.world.pose()[0] == pytest.approx(6.0 if dies else 10.0)


def test_a_death_at_a_node_that_does_not_exist_is_named() -> None:
    with pytest.raises(ScenarioError, match="no node 'n9' -> "):
        Ward(at=({"node": "n9"},))


@pytest.mark.parametrize("death", ["drive fault", "battery empty"])
def test_it_dies_once_at_a_time(death: str) -> None:
    ward = Ward()
    ward.world.at(0, 0, 1)
    for tenth in range(8):
        ward.world.clock.at((30 + tenth) * SECOND_NS // 10, lambda _: ward.world.robot.die(death))
    ward.world.run(60)
    assert [reason for _, reason in ward.world.deaths] == [death]
