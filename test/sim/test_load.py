"""The load benchmark itself: cheap vehicles obey, nothing is lost, and figures are what they say."""

import argparse
import shutil

import numpy as np
import pytest

from orchestrator.commands import bench_wire
from orchestrator.layout import load_files
from orchestrator.vda5050.codec import codec_of
from orchestrator.vda5050.model import Edge, Header, Node, NodePosition, Order, State
from sim.load import packets
from sim.load.figures import latencies
from sim.load.hall import Start, hall
from sim.load.vehicle import LoadVehicle, stamp_of


def test_thirty_vehicles_drive_and_nothing_is_lost() -> None:
    if shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin") is None:
        pytest.skip("there is no Mosquitto here")
    found = bench_wire.run(
        argparse.Namespace(
            vehicles=30,
            seconds=5.0,
            warm_up=1.0,
            rate=1.0,
            driving=1.0,
            horizon=8,
            seed=0,
            json=True,
        )
    )
    assert found["nodes_per_s"] > 0
    assert found["extensions"] > 0
    assert 0 < found["server_p50_ms"] < found["whole_p99_ms"]
    lost = ("states_lost", "orders_lost", "orders_misfit", "dropped", "refused", "alarms")
    assert {name: found[name] for name in lost} == dict.fromkeys(lost, 0)


def test_a_number_of_vehicles_that_no_hall_holds_is_refused() -> None:
    with pytest.raises(bench_wire.BenchError, match="--vehicles 0: must be 1 to 20000"):
        bench_wire.run(argparse.Namespace(vehicles=0, driving=1.0))


def test_every_vehicle_stands_on_a_node_of_its_own_from_where_all_is_reached() -> None:
    place = hall(40)
    roadmap = load_files(place.files, "load").site.roadmap
    nodes = {name: (x / 1000, y / 1000) for name, x, y in zip(
        roadmap.node_ids, roadmap.node_x_mm, roadmap.node_y_mm, strict=True)}  # fmt: skip
    assert len({start.node for start in place.starts}) == 40
    assert all(nodes[start.node] == (start.x, start.y) for start in place.starts)
    for first in (0, roadmap.nodes - 1):
        reached, todo = {first}, [first]
        while todo:
            for edge in roadmap.out_edges[todo.pop()]:
                head = roadmap.edge_head[edge]
                if head not in reached:
                    reached.add(head)
                    todo.append(head)
        assert len(reached) == roadmap.nodes


def order(update: int, first: int, released: int, horizon: int) -> bytes:
    """Along a line of nodes 2 m apart, from node `first` on."""
    last = first + released + horizon
    nodes = tuple(
        Node(f"n{k}", 2 * k, k <= first + released, NodePosition(2.0 * k, 0.0, "load"))
        for k in range(first, last + 1)
    )
    edges = tuple(
        Edge(f"e{k}", 2 * k + 1, k < first + released, start=f"n{k}", end=f"n{k + 1}")
        for k in range(first, last)
    )
    header = Header(update, 0, "2.1.0", "bench", "load-00000")
    return codec_of("2.1").encode(Order("o", update, nodes, edges), header)


def state_of(vehicle: LoadVehicle, now: float) -> State:
    found = codec_of("2.1").decode("state", vehicle.state(now, stamp_of(1e9 + now)))
    assert isinstance(found, State)
    return found


def test_a_vehicle_drives_its_base_and_stops_before_its_horizon() -> None:
    vehicle = LoadVehicle(Start("load-00000", "n0", 0.0, 0.0, 0.0))
    # given an order with two released edges and one behind them
    vehicle.ordered(0.0, order(0, 0, 2, 1))
    vehicle.arrived()
    state = state_of(vehicle, vehicle.arrive_at - 0.1)
    assert (state.last_node, state.last_node_sequence, state.driving) == ("n1", 2, True)
    assert state.position is not None
    assert 3.5 < state.position.x < 4.0
    # when it has driven them
    vehicle.arrived()
    # then it stands, and goes on when the base grows
    assert not state_of(vehicle, 10.0).driving
    assert [node.released for node in state_of(vehicle, 10.0).nodes] == [False]
    vehicle.ordered(10.0, order(1, 2, 1, 0))
    assert state_of(vehicle, 10.1).order_update == 1
    vehicle.arrived()
    assert (vehicle.node, vehicle.stops, vehicle.refused) == ("n3", 1, 0)


def test_an_update_that_does_not_continue_the_base_is_not_taken() -> None:
    vehicle = LoadVehicle(Start("load-00000", "n0", 0.0, 0.0, 0.0))
    vehicle.ordered(0.0, order(0, 0, 2, 0))
    vehicle.ordered(0.0, order(1, 1, 2, 0))
    assert (vehicle.update, vehicle.refused) == (0, 1)


def test_packets_are_cut_wherever_they_end() -> None:
    sent = packets.publish(b"a/b", b"x" * 200) + packets.publish(b"c", b"")
    for cut in range(len(sent)):
        first, rest = packets.split(sent[:cut])
        second, rest = packets.split(rest + sent[cut:])
        bodies = [packets.published(body) for _, body in first + second]
        assert bodies == [(b"a/b", b"x" * 200), (b"c", b"")]
        assert rest == b""


def test_latency_is_from_the_state_to_the_order_that_it_caused() -> None:
    fleet = {
        "state_vehicle": np.array([0, 1, 0]), "state_header": np.array([5, 5, 6]),
        "state_s": np.array([1.0, 1.1, 2.0]),
        "order_vehicle": np.array([1, 0]), "order_header": np.array([9, 3]),
        "order_s": np.array([1.25, 2.5]),
    }  # fmt: skip
    caused = {
        "by_vehicle": np.array([0, 0]), "by_header": np.array([5, 6]),
        "read_s": np.array([1.01, 2.01]), "sent_s": np.array([1.02, 2.03]),
        "to_vehicle": np.array([1, 0]), "order_header": np.array([9, 3]),
    }  # fmt: skip
    found = latencies(caused, fleet, 0.5, 1.5)
    assert (found["extensions"], found["whole_max_ms"], found["server_max_ms"]) == (1, 250.0, 10.0)
