"""On a real ROS 2: launch files, nodes, lifecycle, Nav2-like robots. Skipped where there is none.

What is launched must be installed as a package (`colcon build`, then its setup file); the nodes alone
run from where the code is.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

if importlib.util.find_spec("rclpy") is None:
    pytest.skip("no ROS 2 here: rclpy is not importable", allow_module_level=True)

sys.path.insert(0, str(Path(__file__).parent))

import real_ros as real
from real_ros import Ears, Started, wait
from shapely import affinity
from shapely.geometry import Polygon

from orchestrator.cli import main
from orchestrator.core.messages import OrderReceived
from orchestrator.journal import RunReader
from orchestrator.layout import load_site

HALL = real.ROOT / "sites" / "nav2_hall"
END_S = 5.0


def installed() -> bool:
    """The package is where `ros2 launch` finds it."""
    from ament_index_python import packages  # noqa: PLC0415

    try:
        packages.get_package_share_directory("lightsout")
    except packages.PackageNotFoundError:
        return False
    return shutil.which("ros2") is not None


launched = pytest.mark.skipif(
    not installed(), reason="the package is not installed: colcon build, and source its setup file"
)


@pytest.fixture
def domain() -> int:
    """Of this test alone, as far as anybody knows."""
    return 1 + (os.getpid() + time.monotonic_ns() // 1_000_000) % 100


@pytest.fixture
def ears(domain: int) -> Iterator[Ears]:
    made = Ears(domain)
    for topic, kind in {
        "/tf": "tf2_msgs/msg/TFMessage",
        "/clock": "rosgraph_msgs/msg/Clock",
        "/diagnostics": "diagnostic_msgs/msg/DiagnosticArray",
        "/lightsout/events": "std_msgs/msg/String",
        "/lightsout/replies": "std_msgs/msg/String",
    }.items():
        made.hear(topic, kind)
    for topic, kind in {
        "/lightsout/map": "nav_msgs/msg/OccupancyGrid",
        "/lightsout/layout": "visualization_msgs/msg/MarkerArray",
        "/lightsout/robots": "visualization_msgs/msg/MarkerArray",
        "/lightsout/order_statuses": "std_msgs/msg/String",
    }.items():
        made.hear(topic, kind, latched=True)
    yield made
    made.close()


@pytest.fixture
def start(domain: int, tmp_path: Path) -> Iterator[Any]:
    """`start(words)`: a command that is gone when the test is over."""
    running: list[Started] = []

    def begin(words: list[str]) -> Started:
        running.append(Started(words, domain, tmp_path))
        return running[-1]

    yield begin
    for each in running:
        each.kill()


def launch(name: str, *arguments: str) -> list[str]:
    ros2 = shutil.which("ros2")
    assert ros2 is not None
    return [ros2, "launch", "lightsout", f"{name}.launch.py", *arguments]


def free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return int(door.getsockname()[1])


def joined(ears: Ears, count: int) -> bool:
    return len({e["robot"] for e in ears.texts("/lightsout/events") if e["type"] == "RobotJoined"}
               ) >= count  # fmt: skip


def done(ears: Ears) -> set[str]:
    return {row["order_id"] for row in ears.texts("/lightsout/order_statuses")
            if row["status"] == "done"}  # fmt: skip


def wait_done(
    ears: Ears, fleet: Started, names: set[str], meanwhile: Callable[[], bool] = lambda: True
) -> None:
    """Until these orders are done; else what is open, and why."""
    wait(lambda: meanwhile() and names <= done(ears), lambda: (
        f"{sorted(names - done(ears))} are open, {ears.problems()}\n{fleet.text[-2000:]}"
    ), 400.0)  # fmt: skip


def stand(ears: Ears, seconds: float = 2.0) -> bool:
    """Nobody moves for so long."""
    before = dict(ears.places)
    time.sleep(seconds)
    return bool(before) and before == ears.places


def checks(run: Path) -> bool:
    """A complete journal: every command is made again from its events."""
    return main(["replay", str(run), "--check"]) == 0


# --- the demo ----------------------------------------------------------------------------------------


@launched
def test_the_demo_comes_up_stops_goes_on_and_ends(ears: Ears, start: Any, tmp_path: Path) -> None:
    url = f"mqtt_url:=embedded:{free_port()}"
    demo = start(launch("demo", "speed:=3.0", "record:=demo.run", url))
    wait(lambda: joined(ears, 36), lambda: f"they join\n{demo.text[-2000:]}")
    for topic in ("/tf", "/clock", "/diagnostics", "/lightsout/map", "/lightsout/layout",
                  "/lightsout/robots", "/lightsout/events"):  # fmt: skip
        wait(lambda topic=topic: ears.heard[topic], f"{topic} says something")
    assert len(ears.heard["/lightsout/map"][-1].data) > 1000
    wait(lambda: len(ears.places) > 35, lambda: f"robots have frames: {sorted(ears.places)}")
    assert ears.state() == "active"
    wait(lambda: not stand(ears, 0.5), "somebody moves")

    assert ears.trigger("/lightsout/pause").success
    wait(lambda: stand(ears), "all robots stand")
    assert stand(ears, 5.0)
    assert ears.trigger("/lightsout/resume").success
    wait(lambda: not stand(ears, 0.5), "they go on")

    assert ears.becomes("deactivate") and ears.state() == "inactive"
    wait(lambda: stand(ears, 3.0), "what they told before has been heard", 30.0)
    assert ears.becomes("cleanup") and ears.state() == "unconfigured"
    assert ears.becomes("configure") and ears.becomes("activate")
    wait(lambda: not stand(ears, 0.5), "they go on with the same run")

    code, seconds = demo.interrupt()
    assert code == 0 and seconds < END_S, f"{code} after {seconds} s\n{demo.text[-3000:]}"
    assert not demo.processes()
    assert "Traceback" not in demo.text, demo.text[-4000:]
    assert [path.name for path in tmp_path.glob("*.run")] == ["demo.run"]
    assert checks(tmp_path / "demo.run")


# --- Nav2-like robots --------------------------------------------------------------------------------


class Contacts:
    """Looks at every frame that is told whether two bodies touch."""

    def __init__(self, ears: Ears) -> None:
        self._ears, self._from, self.found, self.looks = ears, 0, set[tuple[str, str]](), 0
        shape = load_site(HALL).spec.fleets["amr"].footprint_m
        self._shape, self._at = Polygon(shape), dict[str, tuple[float, float, float]]()

    def look(self) -> bool:
        """At what was told since; always true, to be waited with."""
        messages = list(self._ears.heard["/tf"])[self._from :]
        self._from += len(messages)
        for message in messages:
            for each in message.transforms:
                at = each.transform.translation
                turn = real.translation.heading(each.transform.rotation)
                self._at[each.child_frame_id] = (at.x, at.y, turn)
            self._touching()
        return True

    def _touching(self) -> None:
        self.looks += 1
        places = sorted(self._at.items(), key=lambda row: row[1])
        for number, (one, a) in enumerate(places):
            for other, b in places[number + 1 :]:
                if b[0] - a[0] > 0.9:
                    break
                if abs(b[1] - a[1]) < 0.9 and self._body(a).intersects(self._body(b)):
                    self.found.add((one, other))

    def _body(self, at: tuple[float, float, float]) -> Polygon:
        turned = affinity.rotate(self._shape, at[2], origin=(0, 0), use_radians=True)
        return affinity.translate(turned, at[0], at[1])


@launched
def test_twenty_nav2_like_robots_end_their_tasks_without_a_contact(
    ears: Ears, start: Any, tmp_path: Path
) -> None:
    """As it is launched out of the box, but for its orders: those of a talker."""
    words = ("simulate:=true", "speed:=4.0", "orders:=none", "record:=fleet.run")
    fleet = start(launch("nav2_fleet", *words))
    wait(lambda: joined(ears, 20), lambda: f"all join\n{fleet.text[-2000:]}")
    contacts = Contacts(ears)
    for number in range(20):
        ears.order(order(number))
    names = {f"o{number}" for number in range(20)}
    wait_done(ears, fleet, names, contacts.look)
    assert contacts.looks > 100 and not contacts.found
    accepted = {row["request"] for row in ears.texts("/lightsout/replies") if row["accepted"]}
    assert {f"r{number}" for number in range(20)} <= accepted
    assert not [e for e in ears.texts("/lightsout/events") if e["type"] == "RobotFaulted"]
    code, seconds = fleet.interrupt()
    assert code == 0 and seconds < END_S, f"{code} after {seconds} s\n{fleet.text[-3000:]}"
    assert "Traceback" not in fleet.text, fleet.text[-4000:]
    assert checks(tmp_path / "fleet.run")


def order(number: int) -> dict[str, Any]:
    """A transport from a stop of the lower half to one of the upper half."""
    x, low, high = 2 + 2 * (number % 6), (1, 3, 4, 6)[number % 4], (7, 9, 10, 12)[number // 4 % 4]
    return {
        "type": "OrderReceived", "request": f"r{number}", "order_id": f"o{number}",
        "kind": "transport", "stops": [f"n{x:+03d}{low:+03d}", f"n{x:+03d}{high:+03d}"],
    }  # fmt: skip


@launched
def test_robots_that_are_heard_of_by_amcl_alone_end_their_tasks(
    ears: Ears, start: Any, tmp_path: Path
) -> None:
    robots = "robots:=" + ",".join(f"robot_{number}" for number in range(1, 7))
    words = ("simulate:=true", "speed:=2.0", "orders:=none", "record:=amcl.run", robots)
    fleet = start(launch("nav2_fleet", "nav2_poses:=amcl_pose", *words))
    wait(lambda: joined(ears, 6), lambda: f"all join\n{fleet.text[-2000:]}")
    for number in range(6):
        ears.order(order(number))
    names = {f"o{number}" for number in range(6)}
    wait_done(ears, fleet, names)
    assert not [e for e in ears.texts("/lightsout/events") if e["type"] == "RobotFaulted"]
    code, seconds = fleet.interrupt()
    assert code == 0 and seconds < END_S, f"{code} after {seconds} s\n{fleet.text[-3000:]}"


@launched
def test_an_orchestrator_that_is_killed_comes_back_and_loses_no_order(
    ears: Ears, start: Any, tmp_path: Path
) -> None:
    robots = "robots:=" + ",".join(f"robot_{number}" for number in range(1, 9))
    words = ("simulate:=true", "speed:=4.0", "orders:=none", "record:=kept.run", robots)
    fleet = start(launch("nav2_fleet", *words))
    wait(lambda: joined(ears, 8), lambda: f"all join\n{fleet.text[-2000:]}")
    for number in range(8):
        ears.order(order(number))
    wait(lambda: not stand(ears, 0.5), "they drive")
    [line] = [row for row in fleet.lines if "[orchestrator-1]: process started with pid" in row]
    os.kill(int(line.rpartition("[")[2].rstrip("]")), signal.SIGKILL)
    fleet.says("process has died")
    names = {f"o{number}" for number in range(8)}
    wait_done(ears, fleet, names)
    code, seconds = fleet.interrupt()
    assert code == 0 and seconds < END_S, f"{code} after {seconds} s\n{fleet.text[-3000:]}"
    with RunReader(tmp_path / "kept.run") as reader:
        heard = [e.event.order_id for e in reader.entries() if isinstance(e.event, OrderReceived)]
    assert sorted(heard) == sorted(names), "each once"
    assert checks(tmp_path / "kept.run")


# --- bad input ---------------------------------------------------------------------------------------


def test_a_missing_site_is_told_and_the_node_can_be_configured_again(
    ears: Ears, start: Any, tmp_path: Path
) -> None:
    node = start(real.node("orchestrator", "site:=nowhere", "override:=test",
                           f"record:={tmp_path / 'a.run'}"))  # fmt: skip
    ears.is_state("unconfigured")
    assert not ears.becomes("configure")
    ears.is_state("unconfigured")
    assert not ears.becomes("activate"), "there is no such transition from here"
    wait(lambda: "nowhere" in ears.problems().get("lightsout: orchestrator", ""), "the reason")
    answer = ears.trigger("/lightsout/pause")
    assert not answer.success and "is the node active?" in answer.message
    ears.parameter("site", str(HALL))
    assert ears.becomes("configure") and ears.becomes("activate")
    wait(lambda: "lightsout: orchestrator" not in ears.problems(), "it is well")
    code, seconds = node.interrupt()
    assert code == 0 and seconds < END_S, node.text[-3000:]
    assert checks(tmp_path / "a.run")


@pytest.mark.parametrize(
    ("parameter", "says"),
    [("speed:=fast", "speed"), ("seed:=1.5", "seed"), ("nav2_robots:=7", "nav2_robots"),
     ("stop_s:=1000.0", "stop_s")],
)  # fmt: skip
def test_a_parameter_of_the_wrong_kind_ends_the_node_and_is_named(
    start: Any, parameter: str, says: str
) -> None:
    node = start(real.node("orchestrator", parameter))
    assert node.ended() == 2
    [line] = [row for row in node.lines if row.startswith("lightsout: ")]
    assert says in line
    assert "Traceback" not in node.text


@launched
@pytest.mark.parametrize("argument", ["speed:=fast", "seed:=many", "autostart:=perhaps"])
def test_a_launch_argument_of_the_wrong_kind_is_named(start: Any, argument: str) -> None:
    started = start(launch("orchestrator", argument))
    assert started.ended() != 0
    name, _, value = argument.partition(":=")
    assert f"{name}: {value!r} " in started.text and "Traceback" not in started.text


# --- Nav2 servers that misbehave ---------------------------------------------------------------------


def test_servers_that_reject_abort_or_never_answer_and_a_robot_that_never_appears(
    ears: Ears, start: Any, tmp_path: Path, domain: int
) -> None:
    """Each is told on diagnostics by its own reason; robot_4 goes on."""
    from bad_nav2 import BadFleet  # noqa: PLC0415

    names = ["robot_1", "robot_2", "robot_3", "robot_4", "robot_5"]
    moods = {"robot_1": "rejects", "robot_2": "aborts", "robot_3": "silent"}  # robot_5: nobody
    fleet = BadFleet(domain, HALL, names[:4], moods, 2.0)
    try:
        start(real.node(
            "orchestrator", f"site:={HALL}", "override:=test", f"record:={tmp_path / 'b.run'}",
            "autostart:=true", "speed:=2.0", f"nav2_robots:={json.dumps(names)}",
        ))  # fmt: skip
        wait(lambda: joined(ears, 4), "who is there joins")
        for number in range(8):
            ears.order(order(number))
        reasons = {
            "robot_1": "its controller server rejects goals",
            "robot_2": "CONTROLLER_TIMED_OUT: as it was told to",
            "robot_3": "its controller server does not answer",
        }

        def told() -> bool:
            return all(
                any(reason in text for name, text in ears.history() if name.endswith(robot))
                for robot, reason in reasons.items()
            )

        wait(told, lambda: f"each reason is told: {sorted(set(ears.history()))}", 120.0)
        nobody = ears.problems()["lightsout: nav2 robot_5"]
        assert nobody.startswith("there is no action server /robot_5/")
        wait(lambda: done(ears), lambda: f"the rest runs on: {ears.problems()}", 200.0)
    finally:
        fleet.close()
