"""What the executables say on a machine without ROS 2, and what a node needs of its messages."""

import importlib.util
from typing import Any, get_args

import pytest

from orchestrator.api.published import Activity
from orchestrator.commands import ros_nodes
from orchestrator.core.messages import AnswerRequest, RobotsEvacuated, RobotsPaused, RobotsResumed
from orchestrator.ros import messages as ros
from orchestrator.ros import missing, translation
from orchestrator.ros.asking import SWITCHES, TRIGGERS, outcome
from orchestrator.ros.names import Names
from orchestrator.ros.rmf import MODES
from orchestrator.ros.topics import ALARMS, REPLIES, ROBOT_STATES, TF, placed, told

HAS_ROS = importlib.util.find_spec("rclpy") is not None


@pytest.mark.skipif(HAS_ROS, reason="ROS 2 is here: nothing is missing")
@pytest.mark.parametrize("name", ["orchestrator", "simulator", "replay"])
def test_without_ros_they_say_what_is_missing(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert getattr(ros_nodes, name)() == 2
    assert "ROS 2 is not there -> source /opt/ros/<distro>/setup.bash" in capsys.readouterr().err


def test_a_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    lacking = {"nav2_msgs", "ortools"}
    monkeypatch.setattr(missing, "find_spec", lambda name: None if name in lacking else object())
    said = missing.why_not(nav2=True)
    assert "nav2_msgs: missing -> apt install ros-<distro>-nav2-msgs" in said
    assert "ortools: missing -> pip install" in said
    assert missing.why_not(nav2=False) == said.partition("; ")[2]
    lacking.clear()
    assert missing.why_not(nav2=True, mqtt=True) == ""


@pytest.mark.skipif(not HAS_ROS, reason="no ROS 2 here: rclpy is not importable")
def test_every_message_can_be_filled() -> None:
    from orchestrator.ros.speaking import message_class  # noqa: PLC0415

    for kind in ros.KINDS.values():
        made = ros.filled(message_class(kind.TYPE), kind())
        assert type(made).__name__ == kind.TYPE.rpartition("/")[2]


def test_a_message_is_filled_field_by_field_however_deep() -> None:
    """Into classes of another library, which are made without arguments."""
    found = ros.filled(type("Clock", (), {"__init__": _clock}), translation.clock(1_500_000_001))
    assert (found.clock.sec, found.clock.nanosec) == (1, 500_000_001)


def _clock(self: Any) -> None:
    self.clock = type("Time", (), {"sec": 0, "nanosec": 0})()


def test_services_mean_everybody() -> None:
    assert TRIGGERS["pause"]("a") == RobotsPaused(request="a")
    assert TRIGGERS["resume"]("a") == RobotsResumed(request="a")
    assert SWITCHES["evacuate"]("a", True) == RobotsEvacuated(request="a")
    assert SWITCHES["evacuate"]("a", False) == RobotsResumed(request="a")
    answer = AnswerRequest(request="a", accepted=False, reason="why")
    assert outcome(answer, 1.0) == (False, "why")
    assert outcome(None, 2.0) == (False, "no answer within 2 s -> is the node active?")


def test_times_and_turns_come_back() -> None:
    assert translation.run_ns(translation.time(translation.stamp_ns(12_345_678_901))) == (
        12_345_678_901
    )
    for theta in (0.0, 1.0, -3.0, 3.14159):
        assert translation.heading(translation.turned(theta)) == pytest.approx(theta)


def test_every_activity_has_its_mode_in_rmf() -> None:
    assert set(MODES) == set(get_args(Activity))


def test_names_are_allowed_and_nobody_shares_one() -> None:
    names = Names()
    assert names("tote_amr-01") == "tote_amr_01"
    assert names("tote_amr.01") == "tote_amr_01_2"
    assert names("7") == "r_7"
    assert names("tote_amr-01") == "tote_amr_01"
    assert names.robot("tote_amr_01_2") == "tote_amr.01"
    assert names.frame("7") == "r_7/base_link"
    assert all(level.replace("_", "").isalnum() for level in map(names, ("ä ö", "", "a/b")))


def test_topics_of_mqtt_have_their_place() -> None:
    root = "lightsout/v1/jd_small"
    assert told("jd_small", f"{root}/fleet/a-1/state") is ROBOT_STATES
    assert told("jd_small", f"{root}/replies") is REPLIES
    assert told("jd_small", f"{root}/nothing") is None
    assert told("jd_small", "uagv/v2/a/b/order") is None
    assert placed(ALARMS, "/hall/") == "/hall/alarms"
    assert placed(ALARMS, "") == "/alarms"
    assert placed(TF, "hall") == "/tf"
