"""Stories of a vehicle and its orders: which it takes, how it drives them, what it tells meanwhile."""

from __future__ import annotations

from itertools import pairwise

import msgspec
import pytest
from one_vehicle import Bench, do, now, order

from orchestrator.vda5050.model import Connection, Factsheet, Order


def replaced(made: Order, **changes: object) -> Order:
    return msgspec.structs.replace(made, **changes)


@pytest.mark.parametrize("protocol", ["2.0", "2.1", "3.0"])
def test_drives_its_base_and_waits_for_more_at_its_end(protocol: str) -> None:
    """Given an order with base and horizon, when it drives, then it stops at the last base node, asks
    for more, and goes on without a word of what it has passed when an update comes."""
    bench = Bench(protocol).say(order(0, 2, horizon=2))
    state = bench.state
    assert (state.order_id, state.order_update, state.last_node) == ("o1", 0, "n0")
    assert [(n.id, n.released) for n in state.nodes] == [
        ("n1", True), ("n2", True), ("n3", False), ("n4", False),
    ]  # fmt: skip
    assert [(e.id, e.sequence) for e in state.edges] == [("e0", 1), ("e1", 3), ("e2", 5), ("e3", 7)]
    assert state.driving and not state.new_base_request
    bench.after(30)
    state = bench.state
    assert (state.last_node, state.last_node_sequence, state.driving) == ("n2", 4, False)
    assert state.new_base_request and state.position is not None and state.position.x == 8.0
    bench.say(order(2, 2, update=1))
    state = bench.state
    assert (state.order_update, state.new_base_request) == (1, False)
    assert [n.id for n in state.nodes] == ["n3", "n4"]
    bench.after(30)
    assert bench.state.last_node == "n4" and not bench.state.nodes and not bench.state.edges
    assert [edge for _, edge in bench.nodes] == [0, 1, 2, 3]
    assert bench.errors() == []


def test_an_update_in_time_is_driven_through_without_a_stop() -> None:
    bench = Bench().say(order(0, 2)).after(4).say(order(2, 2, update=1)).after(60)
    alone = Bench().say(order(0, 4)).after(60)
    assert bench.nodes[-1] == alone.nodes[-1]


def test_asks_for_more_base_before_it_has_to_brake() -> None:
    bench = Bench().say(order(0, 2, horizon=2)).after(60)
    asked = next(seconds for seconds, state in bench.states() if state.new_base_request)
    stood = next(seconds for seconds, state in bench.states() if seconds > 1 and not state.driving)
    assert asked <= stood - 2


def test_an_update_may_change_what_was_planned() -> None:
    bench = Bench().say(order(0, 1, horizon=4)).say(order(1, 1, horizon=1, update=1))
    assert [n.id for n in bench.state.nodes] == ["n1", "n2", "n3"]
    bench.say(order(2, 0, update=2))
    assert [n.id for n in bench.state.nodes] == ["n1", "n2"]


def test_a_state_at_once_on_every_change_each_second_while_it_drives_and_seldom_at_rest() -> None:
    bench = Bench(idle_s=30.0).say(order(0, 2)).after(120)
    times = [seconds for seconds, _ in bench.states()]
    done = bench.nodes[-1][0] / 1e9
    assert all(at / 1e9 in times for at, _ in bench.nodes)
    driving = [t for t in times if t <= done]
    assert max(b - a for a, b in pairwise(driving)) <= 1.0 + 1e-6
    rest = [t for t in times if t > done]
    assert len(rest) == 3 and rest[0] == pytest.approx(done + 30)
    numbers = [state.header.header_id for _, state in bench.states()]
    assert numbers == list(range(len(numbers)))


def test_what_late_joiners_need_is_retained_and_the_will_is_ready() -> None:
    bench = Bench("2.1")
    connection, sheet = bench.others()
    assert isinstance(connection, Connection) and connection.connection == "ONLINE"
    assert isinstance(sheet, Factsheet) and sheet.speed_mps_max == 1.0 and sheet.length_m == 0.6
    assert {a.kind for a in sheet.actions or ()} >= {"pick", "drop", "startCharging", "cancelOrder"}
    rows = {topic.rpartition("/")[2]: (qos, retain) for _, topic, _, qos, retain in bench.sent}
    assert rows == {"connection": (1, True), "factsheet": (0, True), "state": (0, False)}
    topic, payload, qos, retain = bench.agent.will()
    will = bench.codec.decode("connection", payload)
    assert topic == "uagv/v2/lightsout/r/connection" and (qos, retain) == (1, True)
    assert isinstance(will, Connection) and will.connection == "CONNECTION_BROKEN"


# --- what it does not take -----------------------------------------------------------------------


def refused(bench: Bench, made: Order, kind: str) -> str:
    """The order is refused with this error, and what the vehicle has stays as it is."""
    before = bench.state
    bench.say(made)
    error = bench.state.errors[-1]
    assert (error.kind, error.level) == (kind, "WARNING")
    assert error.references["orderId"] == made.id
    assert error.references["orderUpdateId"] == str(made.update)
    after = bench.state
    assert (after.order_id, after.order_update, after.nodes, after.edges, after.actions) == (
        before.order_id, before.order_update, before.nodes, before.edges, before.actions,
    )  # fmt: skip
    return error.description


def test_a_new_order_only_when_idle_and_where_it_stands() -> None:
    bench = Bench()
    assert "n0" in refused(bench, order(1, 1), "noRouteError")
    bench.say(order(0, 1, horizon=1))
    assert bench.errors() == [], "an order that is accepted ends the warning"
    refused(bench, order(0, 1, name="o2"), "orderError")
    bench.after(30)
    refused(bench, order(1, 1, name="o2"), "orderError")  # it waits for an update of its horizon
    bench.say(order(1, 0, update=1)).say(order(1, 1, name="o2"))
    assert (bench.state.order_id, bench.errors()) == ("o2", [])
    assert bench.state.last_node_sequence == 0


def test_the_first_node_within_its_deviation() -> None:
    bench = Bench()
    first, *rest = order(0, 1).nodes
    place = msgspec.structs.replace(first.position, x=0.5)
    away = replaced(order(0, 1), nodes=(msgspec.structs.replace(first, position=place), *rest))
    refused(bench, away, "noRouteError")
    near = msgspec.structs.replace(place, deviation_xy_m=0.6)
    made = replaced(order(0, 1), nodes=(msgspec.structs.replace(first, position=near), *rest))
    assert bench.say(made).errors() == [] and bench.state.order_id == "o1"


def test_updates_in_sequence_only() -> None:
    bench = Bench().say(order(0, 2)).say(order(2, 1, update=3))
    bench.say(order(2, 1, update=3))
    assert bench.errors() == [] and len(bench.state.nodes) == 3, "the same again is no news"
    refused(bench, order(3, 1, update=2), "orderUpdateError")
    bench.say(order(3, 1, update=4)).after(1)
    refused(bench, order(3, 1, update=5), "orderUpdateError")  # begins where the base ended before
    refused(bench, order(4, 1, update=5, sequence=6), "orderUpdateError")
    bench.after(60).say(order(4, 1, update=5)).after(30)
    assert bench.state.last_node == "n5", "an order that is ended may still be continued"


def test_malformed_orders_are_refused() -> None:
    bench = Bench()
    good = order(0, 2)
    a, b, c = good.nodes
    e, f = good.edges
    change = msgspec.structs.replace
    for made in (
        replaced(good, edges=(e,)),
        replaced(good, nodes=(), edges=()),
        replaced(good, nodes=(a, change(b, sequence=4), c)),
        replaced(good, nodes=(change(a, sequence=1), b, c)),
        replaced(good, edges=(change(e, sequence=2), f)),
        replaced(good, nodes=(a, change(b, released=False), c)),
        replaced(good, nodes=(change(a, released=False), b, c)),
        replaced(good, edges=(e, change(f, released=False))),
        replaced(good, edges=(e, change(f, start="n0"))),
        replaced(good, nodes=(change(a, actions=(do("pick"), do("drop", "pick"))), b, c)),
    ):
        refused(bench, made, "validationError")
    assert len({error.description for error in bench.state.errors}) >= 7
    refused(bench, order(0, 1, update=1, sequence=0), "orderError")


def test_what_it_can_not_do_it_refuses() -> None:
    bench = Bench()
    away = replaced(order(0, 1), edges=())
    node = msgspec.structs.replace(away.nodes[1], id="n5")
    edge = msgspec.structs.replace(order(0, 1).edges[0], end="n5")
    made = replaced(away, nodes=(away.nodes[0], node), edges=(edge,))
    assert "no way" in refused(bench, made, "noRouteError")
    made = order(0, 1, actions={1: (do("fly"),)})
    assert "fly" in refused(bench, made, "orderError")
    refused(bench, _edge_action(), "orderError")


def _edge_action() -> Order:
    made = order(0, 1)
    edge = msgspec.structs.replace(made.edges[0], actions=(do("detectObject"),))
    return replaced(made, edges=(edge,))


def test_garbage_is_a_warning_and_nothing_else() -> None:
    bench = Bench().say(order(0, 2))
    before = bench.state.nodes
    for payload in (b"", b"\xff\xfe", b"[]", b'{"orderId": 7}', b"[" * 5000, b"x" * 1_100_000):
        bench.agent.received("order", payload)
        bench.agent.received("instantActions", payload)
    bench.after(0.0)
    assert set(bench.errors()) == {"validationError"} and len(bench.errors()) == 10
    assert bench.state.nodes == before


def test_orders_of_masters_that_number_their_edges_themselves() -> None:
    made = order(0, 2)
    named = tuple(msgspec.structs.replace(e, id=f"edge {e.sequence}") for e in made.edges)
    bench = Bench().say(replaced(made, edges=named)).after(30)
    assert bench.state.last_node == "n2"


def test_an_order_may_ask_for_less_speed() -> None:
    slow = Bench().say(order(0, 2, speed_mps_max=0.4)).after(120)
    for row in slow.rows:
        assert max(row[7], row[7] + row[8] * row[2] * 1e-9) <= 0.4 + 1e-6
    slow.say(order(2, 2, name="o2", speed_mps_max=2.0)).after(60)
    assert max(row[7] for row in slow.rows) == pytest.approx(1.0)


def test_messages_over_the_wire() -> None:
    """Given bytes of each protocol version, when they come, then they are understood."""
    for protocol in ("2.0", "2.1", "3.0"):
        bench = Bench(protocol)
        header = bench.agent.state().header
        bench.agent.received("order", bench.codec.encode(order(0, 2), header))
        bench.agent.received("instantActions", bench.codec.encode(now(do("stateRequest")), header))
        bench.after(30)
        assert bench.state.last_node == "n2" and bench.statuses()["stateRequest"] == "FINISHED"
