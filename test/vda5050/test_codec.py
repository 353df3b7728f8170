"""Everything that is written is what the official schemas ask for, and is read as it was meant."""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from orchestrator.vda5050 import model as m
from orchestrator.vda5050.codec import BYTES_MAX, VERSIONS, codec_of
from orchestrator.vda5050.errors import RemoteError
from orchestrator.vda5050.quirks import PROFILES, Quirks, quirks_of

DATA = Path(os.environ.get("LIGHTSOUT_DATA", Path(__file__).parents[3] / "shared"))
SCHEMAS = DATA / "data" / "vda5050"
PROTOCOLS = tuple(VERSIONS)
needs_schemas = pytest.mark.skipif(
    not SCHEMAS.is_dir(), reason=f"no VDA 5050 schemas at {SCHEMAS}: set LIGHTSOUT_DATA"
)


@cache
def validator(version: str, topic: str) -> Draft7Validator:
    schema = json.loads((SCHEMAS / version / f"{topic}.schema").read_text())
    if "properties" not in schema:  # 2.0.0's factsheet has its members where `properties` should be
        members = {key: schema.pop(key) for key, value in list(schema.items()) if described(value)}
        schema["properties"] = members
    assert schema["properties"]["headerId"]["type"] == "integer", "a schema that checks something"
    return Draft7Validator(schema)


def described(value: Any) -> bool:
    return isinstance(value, dict) and "type" in value


def conforms(version: str, topic: str, payload: bytes) -> None:
    errors = [
        f"{'/'.join(map(str, e.absolute_path))}: {e.message}"
        for e in validator(version, topic).iter_errors(json.loads(payload))
    ]
    assert not errors, errors


names = st.text(min_size=1, max_size=20)
floats = st.floats(-1000, 1000)
angles = st.floats(-3.14, 3.14)
counts = st.integers(0, 2**31)
headers = st.builds(
    m.Header,
    header_id=counts,
    time_ns=st.integers(0, 4_000_000_000_000).map(lambda ms: ms * 1_000_000),
    version=st.just("2.1.0"),
    manufacturer=names,
    serial=names,
)
actions = st.builds(
    m.Action,
    id=names,
    kind=names,
    blocking=st.sampled_from(["NONE", "SOFT", "HARD", "SINGLE"]),
    parameters=st.dictionaries(names, st.one_of(names, counts, floats, st.booleans()), max_size=3),
    description=st.one_of(st.just(""), names),
)
places = st.builds(
    m.NodePosition,
    x=floats,
    y=floats,
    map_id=names,
    theta=st.none() | angles,
    deviation_xy_m=st.none() | st.floats(0, 5),
    deviation_theta=st.none() | st.floats(0, 3),
)
nodes = st.builds(
    m.Node,
    id=names,
    sequence=counts,
    released=st.booleans(),
    position=st.none() | places,
    actions=st.lists(actions, max_size=2).map(tuple),
)
edges = st.builds(
    m.Edge,
    id=names,
    sequence=counts,
    released=st.booleans(),
    start=names,
    end=names,
    speed_mps_max=st.none() | st.floats(0, 10),
    orientation=st.none() | angles,
    length_m=st.none() | st.floats(0, 100),
    corridor_m=st.none() | st.floats(0, 5),
    actions=st.lists(actions, max_size=1).map(tuple),
)
orders = st.builds(
    m.Order,
    id=names,
    update=counts,
    nodes=st.lists(nodes, max_size=3).map(tuple),
    edges=st.lists(edges, max_size=3).map(tuple),
)
references = st.dictionaries(names, names, max_size=2)
statuses = st.sampled_from(["WAITING", "INITIALIZING", "RUNNING", "FINISHED", "FAILED"])
action_states = st.builds(m.ActionState, id=names, status=statuses, kind=names, result=names)
states = st.builds(
    m.State,
    header=headers,
    order_id=names,
    order_update=counts,
    last_node=names,
    last_node_sequence=counts,
    nodes=st.lists(
        st.builds(
            m.NodeState, id=names, sequence=counts, released=st.booleans(),
            position=st.none() | places,
        ),
        max_size=3,
    ).map(tuple),
    edges=st.lists(
        st.builds(m.EdgeState, id=names, sequence=counts, released=st.booleans()), max_size=3
    ).map(tuple),
    actions=st.lists(action_states, max_size=3).map(tuple),
    driving=st.booleans(),
    paused=st.booleans(),
    new_base_request=st.booleans(),
    since_last_node_m=st.none() | st.floats(0, 100),
    mode=st.sampled_from(["AUTOMATIC", "SEMIAUTOMATIC", "MANUAL", "SERVICE", "TEACH_IN"]),
    position=st.none()
    | st.builds(
        m.Position, x=floats, y=floats, theta=angles, map_id=names, localized=st.booleans(),
        score=st.none() | st.floats(0, 1),
    ),
    velocity=st.none() | st.builds(m.Velocity, vx=floats, vy=floats, omega=floats),
    loads=st.none()
    | st.lists(
        st.builds(m.Load, id=names, kind=names, place=names, weight_kg=st.none() | st.floats(0, 99)),
        max_size=2,
    ).map(tuple),
    power=st.builds(
        m.PowerSupply, charge_percent=st.floats(0, 100), charging=st.booleans(),
        reach_m=st.none() | st.integers(0, 9000).map(float), voltage=st.none() | floats,
    ),
    errors=st.lists(
        st.builds(
            m.Error, kind=names, level=st.sampled_from(["WARNING", "FATAL"]), description=names,
            references=references,
        ),
        max_size=2,
    ).map(tuple),
    information=st.lists(
        st.builds(m.Information, kind=names, description=names, references=references), max_size=2
    ).map(tuple),
    safety=st.builds(
        m.SafetyState, emergency_stop=st.sampled_from(["NONE", "MANUAL", "REMOTE"]),
        field_violation=st.booleans(),
    ),
)  # fmt: skip


@needs_schemas
@pytest.mark.parametrize("protocol", PROTOCOLS)
@given(states)
@settings(max_examples=60, deadline=None)
def test_a_state_conforms_and_comes_back_as_it_was(protocol: str, state: m.State) -> None:
    codec = codec_of(protocol)
    payload = codec.encode(state)
    conforms(codec.version, "state", payload)
    back = codec.decode("state", payload)
    assert isinstance(back, m.State)
    assert plain(back, protocol) == plain(state, protocol)


def plain(state: m.State, protocol: str) -> dict[str, Any]:
    """Without what a version can't say: 2.0 has no node without a theta."""
    found = {name: getattr(state, name) for name in state.__struct_fields__}
    found["nodes"] = [
        (
            n.id,
            n.sequence,
            n.released,
            n.position and (n.position.x, n.position.y, n.position.map_id),
        )
        for n in state.nodes
    ]
    return found


@needs_schemas
@pytest.mark.parametrize("protocol", PROTOCOLS)
@given(orders, headers)
@settings(max_examples=60, deadline=None)
def test_an_order_conforms_and_comes_back(protocol: str, order: m.Order, header: m.Header) -> None:
    codec = codec_of(protocol)
    payload = codec.encode(order, header)
    conforms(codec.version, "order", payload)
    back = codec.decode("order", payload)
    assert isinstance(back, tuple)
    assert back[0] == header
    got = back[1]
    assert isinstance(got, m.Order)
    assert (got.id, got.update) == (order.id, order.update)
    assert [(n.id, n.sequence, n.released) for n in got.nodes] == [
        (n.id, n.sequence, n.released) for n in order.nodes
    ]
    assert [a.parameters for n in got.nodes for a in n.actions] == [
        a.parameters for n in order.nodes for a in n.actions
    ]
    near = [n.position and n.position.deviation_xy_m for n in order.nodes]
    assert [n.position and n.position.deviation_xy_m for n in got.nodes] == near


@needs_schemas
@pytest.mark.parametrize("protocol", PROTOCOLS)
@given(st.lists(actions, max_size=3).map(tuple), headers)
@settings(max_examples=40, deadline=None)
def test_instant_actions_conform(
    protocol: str, some: tuple[m.Action, ...], header: m.Header
) -> None:
    codec = codec_of(protocol)
    payload = codec.encode(m.InstantActions(actions=some), header)
    conforms(codec.version, "instantActions", payload)
    back = codec.decode("instantActions", payload)
    assert isinstance(back, tuple) and isinstance(back[1], m.InstantActions)
    assert [a.kind for a in back[1].actions] == [a.kind for a in some]


@needs_schemas
@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("word", ["ONLINE", "OFFLINE", "CONNECTION_BROKEN"])
def test_a_connection_conforms(protocol: str, word: str) -> None:
    codec = codec_of(protocol)
    header = m.Header(header_id=1, time_ns=0, version=codec.version, manufacturer="a", serial="b")
    payload = codec.encode(m.Connection(header=header, connection=word))
    conforms(codec.version, "connection", payload)
    back = codec.decode("connection", payload)
    assert isinstance(back, m.Connection) and back.connection == word


@needs_schemas
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_factsheet_conforms_and_comes_back(protocol: str) -> None:
    codec = codec_of(protocol)
    blocking = ("HARD",) if protocol == "3.0" else ()
    sheet = m.Factsheet(
        header=m.Header(
            header_id=3, time_ns=0, version=codec.version, manufacturer="acme", serial="1"
        ),
        series="amr",
        kind="CARRIER",
        kinematics="DIFFERENTIAL",
        load_kg_max=50,
        localization=("NATURAL",),
        navigation=("AUTONOMOUS",),
        speed_mps_max=1.6,
        acceleration_mps2_max=0.8,
        deceleration_mps2_max=0.8,
        width_m=0.66,
        length_m=0.9,
        actions=(m.SupportedAction(kind="pick", scopes=("NODE",), blocking=blocking),),
        devices=("top",),
        load_types=("tote",),
        limits={"order.nodes": 100},
    )
    payload = codec.encode(sheet)
    conforms(codec.version, "factsheet", payload)
    assert codec.decode("factsheet", payload) == sheet


GOOD = codec_of("2.1").encode(
    m.State(
        header=m.Header(
            header_id=1, time_ns=10**18, version="2.1.0", manufacturer="acme", serial="7"
        ),
        power=m.PowerSupply(charge_percent=50, charging=False),
        position=m.Position(x=1, y=2, theta=0, map_id="map"),
    )
)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"orderId": None}, "orderId"),
        ({"driving": "yes"}, "driving"),
        ({"operatingMode": "ASLEEP"}, "operatingMode"),
        ({"timestamp": "yesterday"}, "timestamp"),
        ({"headerId": 2**80}, "headerId"),
        ({"batteryState": {"batteryCharge": 1e30, "charging": True}}, "batteryCharge"),
        ({"nodeStates": {}}, "nodeStates"),
        ({"lastNodeId": "x" * 5000}, "lastNodeId"),
        (
            {"agvPosition": {"x": 1e300, "y": 0, "theta": 0, "mapId": "", "positionInitialized": True}},
            "position.x",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(change: dict[str, Any], place: str) -> None:
    raw = json.loads(GOOD) | change
    with pytest.raises(RemoteError, match=place):
        codec_of("2.1").decode("state", json.dumps(raw).encode())


def test_what_is_missing_is_named() -> None:
    for key in ("orderId", "nodeStates", "safetyState", "batteryState", "serialNumber"):
        raw = json.loads(GOOD)
        del raw[key]
        with pytest.raises(RemoteError, match=key):
            codec_of("2.1").decode("state", json.dumps(raw).encode())


@pytest.mark.parametrize(
    "payload",
    [b"", b"\xff\xfe", b"[" * 100_000, b'{"a":' * 50_000, b"null", b"{}", b"x" * (BYTES_MAX + 1)],
)
@pytest.mark.parametrize("quirks", ["", "lenient"])
def test_garbage_is_a_remote_error(payload: bytes, quirks: str) -> None:
    codec = codec_of("2.1", PROFILES[quirks])
    for topic in ("state", "connection", "factsheet", "order", "instantActions"):
        with pytest.raises(RemoteError):
            codec.decode(topic, payload)


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(st.sampled_from(sorted(json.loads(GOOD))), json_values, st.sampled_from(["", "lenient"]))
@settings(max_examples=300, deadline=None)
def test_any_member_may_be_anything(key: str, value: Any, profile: str) -> None:
    raw = json.loads(GOOD) | {key: value}
    try:
        codec_of("2.1", PROFILES[profile]).decode("state", json.dumps(raw).encode())
    except RemoteError as error:
        assert error.place and error.reason


OTHERS = {
    "order": {"orderId": "o", "orderUpdateId": 0, "nodes": [], "edges": []},
    "instantActions": {"actions": []},
    "connection": {"connectionState": "ONLINE"},
    "factsheet": {"typeSpecification": {}, "physicalParameters": {}, "protocolLimits": {}},
}
HEAD = {
    key: json.loads(GOOD)[key] for key in ("headerId", "timestamp", "manufacturer", "serialNumber")
}


@pytest.mark.parametrize("topic", sorted(OTHERS))
@given(st.data(), json_values, json_values, st.sampled_from(sorted(PROFILES)))
@settings(max_examples=80, deadline=None)
def test_any_member_of_any_message_may_be_anything(
    topic: str, data: st.DataObject, value: Any, beside: Any, profile: str
) -> None:
    good = HEAD | OTHERS[topic]
    key = data.draw(st.sampled_from(sorted(good)))
    other = data.draw(st.sampled_from(["nodes", "edges", "actions", "instantActions"]))
    raw = good | {other: beside, key: value}
    try:
        codec_of("2.1", PROFILES[profile]).decode(topic, json.dumps(raw).encode())
    except RemoteError as error:
        assert error.place and error.reason


@pytest.mark.parametrize("profile", ["lenient", "coaty"])
def test_a_kind_reader_is_not_broken_by_what_is_no_array(profile: str) -> None:
    raw = json.loads(GOOD) | {"nodes": 5, "driving": None}
    with pytest.raises(RemoteError, match="driving"):
        codec_of("2.1", PROFILES[profile]).decode("state", json.dumps(raw).encode())
    order = HEAD | OTHERS["order"] | {"nodes": 5}
    with pytest.raises(RemoteError, match="nodes"):
        codec_of("2.1", PROFILES[profile]).decode("order", json.dumps(order).encode())


NODE = {"nodeId": "n", "sequenceId": 0, "released": True}


@pytest.mark.parametrize("profile", ["", "lenient"])
@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"velocity": {"vx": "nan"}}, "vx"),
        ({"velocity": {"omega": "-inf"}}, "omega"),
        ({"velocity": {"vx": 1e300}}, "vx"),
        ({"batteryState": {"batteryCharge": 5, "charging": False, "reach": 1e300}}, "reach"),
        ({"nodeStates": [NODE | {"nodePosition": {"x": "nan", "y": 0}}]}, "nodePosition.x"),
        ({"nodeStates": [NODE | {"nodeId": "x" * 5000}]}, "nodeId"),
        ({"nodeStates": [NODE] * 2001}, "nodeStates"),
        ({"orderUpdateId": -5}, "orderUpdateId"),
        ({"orderUpdateId": 10**30}, "orderUpdateId"),
        ({"timestamp": "9999-01-01T00:00:00Z"}, "timestamp"),
    ],
)
def test_what_has_no_bound_is_refused(change: dict[str, Any], place: str, profile: str) -> None:
    payload = json.dumps(json.loads(GOOD) | change).encode()
    with pytest.raises(RemoteError, match=place):
        codec_of("2.1", PROFILES[profile]).decode("state", payload)


def test_long_free_text_is_cut_and_an_unknown_topic_named() -> None:
    error = {"errorType": "e", "errorLevel": "WARNING", "errorDescription": "x" * 5000}
    state = codec_of("2.1").decode(
        "state", json.dumps(json.loads(GOOD) | {"errors": [error]}).encode()
    )
    assert isinstance(state, m.State)
    assert len(state.errors[0].description) == 1024
    with pytest.raises(RemoteError, match="responses: is no topic"):
        codec_of("2.1").decode("responses", b"{}")


def test_kind_reading_takes_nulls_text_and_missing_arrays() -> None:
    raw = json.loads(GOOD)
    raw |= {"headerId": "17", "velocity": None, "loads": None, "zoneSetId": None}
    del raw["errors"], raw["information"]
    payload = json.dumps(raw).encode()
    with pytest.raises(RemoteError):
        codec_of("2.1").decode("state", payload)
    state = codec_of("2.1", quirks_of("lenient")).decode("state", payload)
    assert isinstance(state, m.State)
    assert (state.header.header_id, state.errors) == (17, ())


@pytest.mark.parametrize("sequence", [-1, -(2**31)])
def test_a_sequence_id_below_zero_is_none_yet(sequence: int) -> None:
    raw = json.loads(GOOD) | {"lastNodeSequenceId": sequence}
    state = codec_of("2.1").decode("state", json.dumps(raw).encode())
    assert isinstance(state, m.State)
    assert (state.last_node_sequence, state.mended) == (0, ("lastNodeSequenceId",))


def test_nulls_are_none_yet_for_a_kind_reader() -> None:
    nothing = dict.fromkeys(
        ("orderId", "orderUpdateId", "lastNodeId", "lastNodeSequenceId", "errors")
    )
    payload = json.dumps(json.loads(GOOD) | nothing).encode()
    with pytest.raises(RemoteError, match="orderId"):
        codec_of("2.1").decode("state", payload)
    state = codec_of("2.1", quirks_of("lenient")).decode("state", payload)
    assert isinstance(state, m.State)
    assert (state.order_id, state.order_update, state.last_node, state.errors) == ("", 0, "", ())


@pytest.mark.parametrize(
    ("protocol", "word"), [("2.1", "initPosition"), ("3.0", "initializePosition")]
)
def test_a_position_is_given_in_the_words_of_each_version(protocol: str, word: str) -> None:
    header = m.Header(header_id=1, time_ns=0, version="", manufacturer="a", serial="b")
    some = m.InstantActions(actions=(m.Action(id="1", kind="initPosition"),))
    payload = codec_of(protocol).encode(some, header)
    assert json.loads(payload)["actions"][0]["actionType"] == word
    back = codec_of(protocol).decode("instantActions", payload)
    assert isinstance(back, tuple) and isinstance(back[1], m.InstantActions)
    assert back[1].actions[0].kind == "initPosition"


def test_the_key_of_instant_actions_is_a_quirk() -> None:
    header = m.Header(header_id=1, time_ns=0, version="2.0.0", manufacturer="a", serial="b")
    some = m.InstantActions(actions=(m.Action(id="1", kind="cancelOrder"),))
    raw = json.loads(codec_of("2.0", PROFILES["coaty"]).encode(some, header))
    assert raw["instantActions"][0]["actionType"] == "cancelOrder" and "actions" not in raw


def test_what_actions_must_say_beside_is_a_quirk() -> None:
    header = m.Header(header_id=1, time_ns=0, version="2.0.0", manufacturer="a", serial="b")
    pick = m.Action(id="1", kind="pick", parameters={"loadId": "t"})
    order = m.Order(
        id="o", update=0, nodes=(m.Node(id="n", sequence=0, released=True, actions=(pick,)),)
    )
    raw = json.loads(codec_of("2.0", PROFILES["coaty"]).encode(order, header))
    (action,) = raw["nodes"][0]["actions"]
    rows = {row["key"]: row["value"] for row in action["actionParameters"]}
    assert rows == {"loadId": "t", "stationType": "floor", "loadType": "EPAL"}


@pytest.mark.parametrize(("quirks", "angle"), [("", 3.0), ("coaty", 3.0 - 1.5707963)])
def test_an_edges_orientation_is_seen_from_the_edge_or_from_the_map(
    quirks: str, angle: float
) -> None:
    header = m.Header(header_id=1, time_ns=0, version="2.0.0", manufacturer="a", serial="b")
    places = [m.NodePosition(x=1, y=y, map_id="m") for y in (5, 2)]  # southwards
    nodes = [
        m.Node(id=f"n{i}", sequence=2 * i, released=True, position=place)
        for i, place in enumerate(places)
    ]
    edge = m.Edge(id="e", sequence=1, released=True, start="n0", end="n1", orientation=3.0)
    order = m.Order(id="o", update=0, nodes=tuple(nodes), edges=(edge,))
    raw = json.loads(codec_of("2.0", quirks_of(quirks)).encode(order, header))
    assert raw["edges"][0]["orientation"] == pytest.approx(angle)


@pytest.mark.parametrize(
    ("given_", "message"),
    [
        ("nobody", "there is no quirk profile 'nobody'"),
        ({"odd": 1}, "quirk 'odd' is unknown"),
        ({"lenient": "yes"}, "is no bool"),
        ({"edge_orientation": "north"}, "'north' -> one of: edge, map"),
        ({"instant_actions": [1]}, "a list of words"),
        ({"action_kinds": {"pick": 1}}, "kind: kind"),
        ({"action_parameters": {"pick": "floor"}}, "pick: 'floor' -> parameter: value"),
        ({"action_parameters": {"pick": {"place": [1]}}}, "parameter: value"),
    ],
)
def test_a_wrong_profile_is_named(given_: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        quirks_of(given_)


def test_a_profile_may_depart_from_another() -> None:
    found = quirks_of({"profile": "coaty", "blocked_errors": ["obstacle"]})
    assert found.instant_actions_key == "instantActions" and found.blocked_errors == ("obstacle",)
    assert quirks_of("") == Quirks()


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("1970-01-01T00:00:01.5Z", 1500),
        ("1970-01-01T00:00:01Z", 1000),
        ("1970-01-01T01:00:01.000123456+01:00", 1000),
        ("1970-01-01T00:00:02", 2000),
    ],
)
def test_timestamps_are_read_kindly(text: str, ms: int) -> None:
    raw = json.loads(GOOD) | {"timestamp": text}
    state = codec_of("2.1").decode("state", json.dumps(raw).encode())
    assert isinstance(state, m.State) and state.header.time_ns // 1_000_000 == ms
