"""A run as a bag: other people's readers open it, and the run comes out of it whole."""

import json
import math
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import msgspec
import pytest

from orchestrator.cli import main
from orchestrator.journal import RunReader
from orchestrator.ros import definitions
from orchestrator.ros.translation import EPOCH_S

pytest.importorskip("mcap", reason="mcap is not installed: make setup")
pytest.importorskip("rosbags", reason="rosbags is not installed: make setup")

from mcap.reader import make_reader
from mcap.writer import Writer
from rosbags.interfaces import QosDurability
from rosbags.rosbag2.reader import Reader
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

SITE = str(Path(__file__).parents[2] / "sites" / "jd_small")
JAZZY = get_typestore(Stores.ROS2_JAZZY)
ROBOT = "tote_amr-01"
HOURS = 0.05


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three minutes."""
    path = tmp_path_factory.mktemp("run") / "a.run"
    words = ["run", SITE, "--hours", str(HOURS), "--record", str(path), "--quiet"]
    assert main(words) == 0
    return path


@pytest.fixture(scope="module")
def bag(run: Path) -> Path:
    path = run.with_suffix(".mcap")
    assert main(["export", str(run), "--mcap", str(path), "--path", ROBOT]) == 0
    return path


@pytest.fixture(scope="module")
def said(bag: Path) -> dict[str, list[tuple[int, Any]]]:
    """Everything in it, read by rosbags: topic -> (run's time in ns, message)."""
    found: dict[str, list[tuple[int, Any]]] = defaultdict(list)
    with Reader(bag) as reader:
        for connection, time_ns, data in reader.messages():
            message = JAZZY.deserialize_cdr(data, connection.msgtype)
            found[connection.topic].append((time_ns - EPOCH_S * 10**9, message))
    return found


def test_it_holds_the_topics_that_the_node_has(said: dict[str, Any]) -> None:
    assert set(said) >= {
        "/tf", "/diagnostics", "/lightsout/map", "/lightsout/layout", "/lightsout/robots",
        "/lightsout/reservations", "/lightsout/plans", "/lightsout/events", "/lightsout/kpi",
        "/lightsout/robot_states", "/lightsout/order_statuses", "/lightsout/journal",
        "/lightsout/tote_amr_01/battery_state", "/lightsout/tote_amr_01/plan",
    }  # fmt: skip
    assert "/clock" not in said, "`ros2 bag play --clock` makes one"


def test_times_go_forwards_from_the_run_s_beginning(said: dict[str, Any]) -> None:
    for topic, rows in said.items():
        times = [time_ns for time_ns, _ in rows]
        assert times == sorted(times), topic
        assert times[0] >= 0
        assert times[-1] <= HOURS * 3600e9 + 1e9
    stamps = [(t, m.transforms[0].header.stamp) for t, m in said["/tf"]]
    assert all(s.sec * 10**9 + s.nanosec - EPOCH_S * 10**9 == t for t, s in stamps)


def test_definitions_and_quality_of_service_are_with_the_channels(bag: Path) -> None:
    with bag.open("rb") as file:
        summary = make_reader(file, validate_crcs=True).get_summary()
    assert summary is not None
    for channel in summary.channels.values():
        schema = summary.schemas[channel.schema_id]
        assert (channel.message_encoding, schema.encoding) == ("cdr", "ros2msg")
        types = get_types_from_msg(schema.data.decode(), schema.name)
        assert types[schema.name] == JAZZY.fielddefs[schema.name]
    with Reader(bag) as reader:
        kept = {
            c.topic: c.ext.offered_qos_profiles[0].durability == QosDurability.TRANSIENT_LOCAL
            for c in reader.connections
        }
    assert kept["/lightsout/map"] and kept["/lightsout/layout"] and kept["/lightsout/robots"]
    assert not kept["/tf"] and not kept["/lightsout/events"]


def test_a_robot_s_frame_is_where_the_run_says(
    run: Path, said: dict[str, Any], tmp_path: Path
) -> None:
    table = tmp_path / "poses.csv"
    assert main(["export", str(run), "--trajectories", str(table)]) == 0
    rows = [row.split(",") for row in table.read_text().splitlines()[1:]]
    where = {(round(float(t) * 10), n): tuple(map(float, rest)) for t, n, *rest in rows}
    compared = 0
    for time_ns, message in said["/tf"]:
        for each in message.transforms:
            name = each.child_frame_id.removesuffix("/base_link").replace("_", "-")
            name = name.replace("tote-amr", "tote_amr")
            x, y, theta = where[time_ns // 10**8, name]
            moved, turn = each.transform.translation, each.transform.rotation
            assert math.hypot(moved.x - x, moved.y - y) < 1e-3
            off = 2 * math.atan2(turn.z, turn.w) - theta
            assert abs(math.remainder(off, 2 * math.pi)) < 1e-3
            compared += 1
    assert compared > 1000


def test_texts_are_those_of_the_mqtt_api(said: dict[str, Any]) -> None:
    from orchestrator.api.published import Kpi, OrderStatus, RobotState  # noqa: PLC0415

    for topic, kind in (
        ("robot_states", RobotState),
        ("order_statuses", OrderStatus),
        ("kpi", Kpi),
    ):
        rows = said[f"/lightsout/{topic}"]
        assert rows
        for _, message in rows:
            msgspec.json.decode(message.data, type=kind)
    events = [json.loads(message.data) for _, message in said["/lightsout/events"]]
    assert {"OrderReceived", "RobotJoined"} <= {event["type"] for event in events}


def test_the_floor_is_free_where_robots_are_and_unknown_far_away(said: dict[str, Any]) -> None:
    ((_, grid),) = said["/lightsout/map"]
    info = grid.info
    cells = grid.data.reshape(info.height, info.width)
    assert cells[0, 0] == -1
    _, first = said["/tf"][-1]
    for each in first.transforms:
        at = each.transform.translation
        column = int((at.x - info.origin.position.x) / info.resolution)
        row = int((at.y - info.origin.position.y) / info.resolution)
        assert cells[row, column] == 0


def test_a_body_moves_with_its_frame_and_looks_as_the_robot_does(said: dict[str, Any]) -> None:
    bodies = [m for _, array in said["/lightsout/robots"] for m in array.markers]
    shapes = [m for m in bodies if m.ns == "robots"]
    assert shapes and all(m.frame_locked and m.header.stamp.sec == 0 for m in bodies)
    assert all(len(m.points) % 3 == 0 and m.points for m in shapes)
    assert len({(m.color.r, m.color.g, m.color.b) for m in shapes}) > 1
    assert len({m.id for m in shapes}) == 40


def test_the_journal_comes_back_whole(
    run: Path, bag: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert main(["replay", str(bag), "--check", "--json"]) == 0
    of_bag = json.loads(capsys.readouterr().out)
    assert main(["replay", str(run), "--check", "--json"]) == 0
    of_run = json.loads(capsys.readouterr().out)
    for key in ("events", "commands", "journal_hash", "difference"):
        assert of_bag[key] == of_run[key]
    with RunReader(run) as reader:
        assert of_bag["journal_hash"] == reader.journal_hash


def test_a_bag_that_was_recorded_again_elsewhere_still_holds_the_run(
    bag: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As `ros2 bag record` after `ros2 bag play`: other times, another namespace."""
    path = tmp_path / "again.mcap"
    again(bag, path, rename=lambda name: f"/hall{name}", later_ns=5 * 10**9)
    assert main(["replay", str(path), "--check"]) == 0
    assert "every command is the recorded one" in capsys.readouterr().out


def test_a_changed_event_is_noticed(
    bag: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "changed.mcap"

    def change(topic: str, text: str) -> str:
        return text.replace('"battery_permille":', '"battery_permille":1', 1)

    again(bag, path, change=change)
    assert main(["replay", str(path), "--check"]) != 0


def test_missing_entries_are_named(
    bag: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "gap.mcap"
    again(bag, path, drop=lambda topic, count: topic.endswith("/journal") and count == 50)
    assert main(["replay", str(path), "--check"]) == 2
    assert "events from" in capsys.readouterr().err


def test_a_part_is_no_run(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "part.mcap"
    words = ["--mcap", str(path), "--from", "1:00", "--to", "1:30"]
    assert main(["export", str(run), *words]) == 0
    with Reader(path) as reader:
        start = reader.start_time / 1e9 - EPOCH_S
        assert (start, reader.end_time / 1e9 - EPOCH_S) == pytest.approx((60, 90), abs=0.2)
    capsys.readouterr()
    assert main(["replay", str(path)]) == 2
    assert "holds a part of a run -> export it without" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["--mcap", "RUN"], "is what is read"),
        (["--mcap", "/dev/null"], "is no regular file"),
        (["--mcap", "OUT", "--path", "nobody"], "--path nobody: there is no such robot"),
        ([], "name what to write"),
    ],
)
def test_what_can_t_be_written_is_said(
    run: Path, tmp_path: Path, words: list[str], error: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.mcap"
    words = [w.replace("RUN", str(run)).replace("OUT", str(out)) for w in words]
    assert main(["export", str(run), *words]) == 2
    assert error in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize("size", [8, 200, 50_000])
def test_a_cut_file_is_refused(
    bag: Path, tmp_path: Path, size: int, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "cut.mcap"
    path.write_bytes(bag.read_bytes()[:size])
    assert main(["replay", str(path)]) == 2
    assert "lightsout: " in capsys.readouterr().err


def test_a_stranger_s_bag_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "other.mcap"
    with path.open("wb") as file:
        writer = Writer(file)
        writer.start(profile="ros2", library="")
        text = definitions.schema("std_msgs/msg/String").encode()
        schema = writer.register_schema("std_msgs/msg/String", "ros2msg", text)
        channel = writer.register_channel("/chatter", "cdr", schema)
        writer.add_message(channel, 1, b"\x00\x01\x00\x00\x02\x00\x00\x00a\x00", 1)
        writer.finish()
    assert main(["replay", str(path)]) == 2
    assert "holds no run" in capsys.readouterr().err


def again(
    source: Path, target: Path, *, rename: Any = str, later_ns: int = 0, change: Any = None,
    drop: Any = None,
) -> None:  # fmt: skip
    """Copy a bag message by message."""
    counts: Counter[str] = Counter()
    with source.open("rb") as file, target.open("wb") as out:
        writer, channels = Writer(out), {}
        writer.start(profile="ros2", library="other")
        for schema, channel, message in make_reader(file).iter_messages():
            assert schema is not None
            counts[channel.topic] += 1
            if drop and drop(channel.topic, counts[channel.topic]):
                continue
            if channel.topic not in channels:
                number = writer.register_schema(schema.name, schema.encoding, schema.data)
                channels[channel.topic] = writer.register_channel(
                    rename(channel.topic), "cdr", number
                )
            data = message.data
            if change and channel.topic.endswith("/journal"):
                text = change(channel.topic, JAZZY.deserialize_cdr(data, schema.name).data)
                kind = JAZZY.types["std_msgs/msg/String"]
                data = bytes(JAZZY.serialize_cdr(kind(text), schema.name))
            time_ns = message.log_time + later_ns
            writer.add_message(channels[channel.topic], time_ns, data, time_ns)
        writer.finish()
