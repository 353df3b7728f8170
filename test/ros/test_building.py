"""The building behind the node, with robots that run Nav2, without ROS 2: its whole life."""

import json
import math
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from orchestrator.certificate import CertificateError
from orchestrator.cli import main
from orchestrator.commands.ros_building import Building
from orchestrator.core.messages import OrderReceived
from orchestrator.journal import RunReader
from orchestrator.layout import LayoutError
from orchestrator.ros import rmf
from orchestrator.ros.asking import SWITCHES, TRIGGERS
from orchestrator.ros.display import Said
from orchestrator.ros.nav2.way import Pose
from orchestrator.ros.parameters import Settings, SettingsError, embedded_port, settings_of
from orchestrator.vda5050.model import Action
from sim.load.hall import Start, hall
from sim.nav2 import SimNav2
from sim.scenario import ScenarioError

SPEED = 10.0
COUNT = 5
PLACE = hall(COUNT, 3)
WAIT_S = 60.0  # real; nothing waits that long


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A hall whose vehicles run Nav2."""
    folder = tmp_path / "hall"
    folder.mkdir()
    for name, text in PLACE.files.items():
        (folder / name).write_text(text)
    spec = yaml.safe_load(PLACE.files["site.yaml"])
    spec["vehicles"] = [{"manufacturer": "nav2", "serial": "*", "fleet": "amr"}]
    (folder / "site.yaml").write_text(yaml.safe_dump(spec, sort_keys=False))
    return folder


class Floor:
    """The robots, in a thread of their own; the node's side of actions."""

    def __init__(self, starts: Sequence[Start]) -> None:
        self.sims = {
            s.serial: SimNav2((s.x, s.y, s.theta), 1.5, 1.5, math.radians(120)) for s in starts
        }
        self.said: dict[str, list[Any]] = defaultdict(list)
        self.broken: list[str] = []
        self.building = self.new()
        self._lock, self._end = threading.Lock(), threading.Event()
        self._thread = threading.Thread(target=self._play, daemon=True)
        self._thread.start()

    def new(self) -> Building:
        """A node that is started anew."""
        self.building = Building(self.shows, self, broken=self.broken.append)
        for serial, sim in self.sims.items():
            sim.hears = Hears(self, serial)
        return self.building

    def settings(self, site: Path, **more: Any) -> Settings:
        record = str(site.parent / "live.run")
        return Settings(
            str(site), speed=SPEED, override="test", record=record,
            nav2_robots=tuple(self.sims), nav2_poses="amcl_pose", rmf_level="L1", **more,
        )  # fmt: skip

    def shows(self, said: Said) -> None:
        self.said[said.topic.name].append(said.message)

    def texts(self, topic: str) -> list[dict[str, Any]]:
        return [json.loads(message.data) for message in list(self.said[topic])]

    def follow(self, serial: str, goal: int, poses: Sequence[Pose]) -> None:
        with self._lock:
            self.sims[serial].follow(self.now_ns(), goal, [tuple(p) for p in poses])

    def cancel(self, serial: str, goal: int) -> None:
        with self._lock:
            self.sims[serial].cancel(goal)

    def act(self, serial: str, action: Action) -> None:
        with self._lock:
            self.sims[serial].act(self.now_ns(), action.id)

    def relocate(self, serial: str, pose: Pose) -> None:
        self.sims[serial].relocate(tuple(pose))

    def now_ns(self) -> int:
        return round(time.monotonic_ns() * SPEED)

    def _play(self) -> None:
        before = self.now_ns()
        while not self._end.wait(0.01):
            now = self.now_ns()
            with self._lock:
                for serial, sim in self.sims.items():
                    sim.step(now, (now - before) / 1e9)
                    pose = Pose(*sim.pose)
                    self.building.robot(serial, lambda robot, at, pose=pose: robot.seen(at, pose))
            before = now

    def close(self) -> None:
        self._end.set()
        self._thread.join()
        self.building.stop()


class Hears:
    """A robot's answers, to whatever building there is."""

    def __init__(self, floor: Floor, serial: str) -> None:
        self._floor, self._serial = floor, serial

    def __getattr__(self, name: str) -> Callable[..., None]:
        def tell(_: int, *values: Any, **named: Any) -> None:
            self._floor.building.robot(
                self._serial, lambda robot, now: getattr(robot, name)(now, *values, **named)
            )

        return tell


@pytest.fixture
def floor() -> Iterator[Floor]:
    made = Floor(PLACE.starts)
    yield made
    made.close()


def wait(until: Callable[[], Any], what: str) -> None:
    end = time.monotonic() + WAIT_S
    while not until():
        assert time.monotonic() < end, what
        time.sleep(0.02)


def kill(building: Building) -> None:
    """Something in it fails, at any moment."""

    def fail(*_: Any) -> None:
        raise RuntimeError("killed")

    assert building.serving is not None
    building.serving.board.tell = fail  # type: ignore[method-assign]


def robots(floor: Floor) -> int:
    serving = floor.building.serving
    return len(serving.live.core.world.robots) if serving else 0


def order(name: str, number: int) -> bytes:
    stops = [
        f"n-{row}-{column}"
        for row, column in (divmod(PLACE.stops[number], 8), divmod(PLACE.stops[-1 - number], 8))
    ]
    return json.dumps(
        {"type": "OrderReceived", "request": f"r{name}", "order_id": name, "kind": "transport",
         "stops": stops}
    ).encode()  # fmt: skip


def done(floor: Floor) -> set[str]:
    rows = floor.texts("order_statuses")
    return {row["order_id"] for row in rows if row["status"] == "done"}


def test_a_life_orders_a_pause_and_an_end(
    site: Path, floor: Floor, capsys: pytest.CaptureFixture[str]
) -> None:
    building, settings = floor.building, floor.settings(site)
    assert "64 nodes" in building.configure(settings)
    building.start()
    wait(lambda: robots(floor) == COUNT, "all join")
    building.heard("orders", order("a", 0))
    wait(
        lambda: {"request": "ra", "accepted": True, "reason": ""} in floor.texts("replies"), "reply"
    )
    building.heard("orders", b'{"type": "OrderReceived"}')
    wait(lambda: any("can't be read" in row["text"] for row in floor.texts("alarms")), "an alarm")
    wait(lambda: "a" in done(floor), "the order is done")

    assert {building.trouble(name) for name in floor.sims} == {""}
    wrong = building.robots["load-00000"]
    wrong.fault("nav2Failed", "WARNING", "as a test has it")
    assert building.trouble("load-00000") == "nav2Failed: as a test has it"
    assert building.trouble("nobody") == ""
    wrong.errors.clear()
    wrong.failing = "nav2Failed: its last goal"
    assert building.trouble("load-00000") == "nav2Failed: its last goal"
    building.heard("orders", order("b", 1))
    wait(lambda: any(sim.speed_mps > 0.2 for sim in floor.sims.values()), "somebody drives")
    outcome = building.ask(TRIGGERS["pause"])
    assert outcome.success and outcome.message == "accepted"
    assert building.pause() == ""
    assert all(sim.speed_mps == 0 for sim in floor.sims.values())
    building.start()  # activated again
    wait(lambda: "b" in done(floor), "it goes on")
    assert building.ask(lambda name: SWITCHES["evacuate"](name, True)).success
    assert building.ask(lambda name: SWITCHES["evacuate"](name, False)).success

    building.stop()
    for topic in (
        "map",
        "layout",
        "robots",
        "reservations",
        "/tf",
        "/diagnostics",
        "events",
        "kpi",
        "about",
    ):
        assert floor.said[topic], topic
    assert not floor.broken
    fleets = floor.said["/fleet_states"]
    assert fleets[-1].name == "amr" and len(fleets[-1].robots) == COUNT
    modes = {robot.mode.mode for fleet in fleets for robot in fleet.robots}
    assert rmf.MOVING in modes
    for fleet in fleets:
        for robot in fleet.robots:
            assert robot.location.level_name == "L1" and robot.battery_percent == 100
            assert [at.index for at in robot.path[:1]] != [robot.location.index]
    capsys.readouterr()
    assert main(["replay", settings.record, "--check"]) == 0
    assert "every command is the recorded one" in capsys.readouterr().out

    building.configure(settings)  # and once more: the same run goes on
    building.start()
    wait(lambda: robots(floor) == COUNT, "they are known")
    building.heard("orders", order("c", 2))
    wait(lambda: "c" in done(floor), "and drive")
    building.stop()
    assert main(["replay", settings.record, "--check"]) == 0

    other = floor.new()  # a node that is to begin anew
    new = replace(settings, when_closed="new")
    for _ in range(2):  # the second time it goes on with its own
        other.configure(new)
        other.start()
        wait(lambda: robots(floor) == COUNT, "all join")
        other.stop()
    names = sorted(path.name for path in Path(settings.record).parent.glob("live*.run"))
    assert names == ["live-2.run", "live.run"], "the first run keeps its file"
    assert not floor.broken


def test_a_node_that_was_killed_and_started_again_loses_no_order(site: Path, floor: Floor) -> None:
    settings = floor.settings(site)
    first = floor.building
    first.configure(settings)
    first.start()
    wait(lambda: robots(floor) == COUNT, "all join")
    for number in range(3):
        first.heard("orders", order(f"o{number}", number))
    wait(lambda: len(floor.texts("replies")) == 3, "all are accepted")
    wait(lambda: any(sim.speed_mps > 0.2 for sim in floor.sims.values()), "somebody drives")
    second = floor.new()  # nobody hears the first any more
    kill(first)
    wait(lambda: floor.broken == ["RuntimeError: killed"], "the reason is told")
    first.stop()
    second.configure(settings)
    second.start()
    wait(lambda: {"o0", "o1", "o2"} <= done(floor), "they are done")
    second.stop()
    with RunReader(Path(settings.record)) as reader:
        events = [entry.event for entry in reader.entries()]
    assert len([e for e in events if isinstance(e, OrderReceived)]) == 3
    assert main(["replay", settings.record, "--check"]) == 0


def test_what_can_t_be_configured_is_said(site: Path, floor: Floor) -> None:
    building = floor.building
    with pytest.raises(
        ScenarioError, match="-> one of jd_large, jd_medium, jd_small, nav2_hall, or a folder"
    ):
        building.configure(Settings("nowhere"))
    with pytest.raises(LayoutError, match="is no site"):
        building.configure(floor.settings(site / "nowhere"))
    with pytest.raises(CertificateError, match="not rehearsed"):
        building.configure(Settings(str(site)))
    (site / "site.yaml").write_text(PLACE.files["site.yaml"])
    with pytest.raises(SettingsError, match=r"add \{manufacturer: nav2"):
        building.configure(floor.settings(site))


def test_the_embedded_broker_takes_a_port(site: Path, floor: Floor) -> None:
    assert [embedded_port(url) for url in ("", "mqtt://a:1", "embedded", "embedded:1884")] == [
        0, 0, 1883, 1884,
    ]  # fmt: skip
    with pytest.raises(SettingsError, match="names no port"):
        floor.building.configure(replace(floor.settings(site), mqtt_url="embedded:x"))


def test_a_record_of_something_else_is_refused(site: Path, floor: Floor) -> None:
    settings = floor.settings(site)
    words = ["run", str(site), "--fleet", "amr=0", "--hours", "0.001", "--quiet"]
    words += ["--record", settings.record]
    assert main(words) == 0
    floor.building.configure(settings)
    with pytest.raises(SettingsError, match="is no live run"):
        floor.building.start()
    assert floor.building.ask(TRIGGERS["pause"]).success is False


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({}, "site: is empty"),
        ({"site": 3}, "site: 3 is no text"),
        ({"site": "x", "speed": "fast"}, "speed: 'fast' is no float"),
        ({"site": "x", "speed": 0}, "speed: 0 must be 0.01 to 1000"),
        ({"site": "x", "seed": True}, "seed: True is no int"),
        ({"site": "x", "orders": "all"}, "orders: 'all' is none of none, site"),
        ({"site": "x", "nav2_robots": "a"}, "nav2_robots: 'a' is no list of texts"),
        ({"site": "x", "nav2_robots": ["a", "a"]}, "a is named twice"),
    ],
)
def test_wrong_parameters_are_named(values: dict[str, Any], error: str) -> None:
    with pytest.raises(SettingsError, match=error):
        settings_of(values)
