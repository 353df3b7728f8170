"""What is left of the roadmap when a robot is lost on it, at every node of jd_small."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from orchestrator.core import cuts
from orchestrator.core.roadmap import Roadmap
from orchestrator.layout import load_site

JD_SMALL = Path(__file__).parents[2] / "sites" / "jd_small"


@cache
def roadmap() -> Roadmap:
    return load_site(JD_SMALL).site.roadmap


def core_nodes() -> list[int]:
    known = roadmap()
    return [node for node in range(known.nodes) if known.node_bay[node] < 0]


def lost(node: int, fleet: int) -> list[cuts.Part]:
    """A robot of the fleet stands at the node for good."""
    known = roadmap()
    stand = fleet * known.nodes + node
    return cuts.cut(known, {m: None for m, row in enumerate(known.move_stands) if stand in row})


def test_each_trapped_node_has_one_way_out_and_it_leads_out() -> None:
    known = roadmap()
    for node in core_nodes():
        for part in lost(node, 0):
            for start in part.exits:
                at, seen = start, {start}
                while at in part.exits:
                    assert part.out.get(at) == [part.exits[at]], "no other edge may be driven"
                    at = known.edge_head[part.exits[at]]
                    assert at not in seen, "a circle"
                    seen.add(at)
                assert at in part.live or at in part.ahead


def test_nobody_drives_into_what_is_trapped_and_nobody_through_the_lost_robot() -> None:
    known = roadmap()
    for node in core_nodes():
        for part in lost(node, 0):
            for tail in (*part.live, *part.ahead):
                for edge in part.out.get(tail, ()):
                    head = known.edge_head[edge]
                    assert known.node_bay[head] >= 0 or head in part.live or head in part.ahead
        mine = lost(node, 0)[0]
        heads = [known.edge_head[edge] for edges in mine.out.values() for edge in edges]
        assert node not in heads


def test_the_live_part_goes_round_in_circles_and_its_bays_can_be_left() -> None:
    known = roadmap()
    for node in core_nodes():
        for part in lost(node, 0):
            if not part.live:
                continue
            start = next(iter(part.live))
            reach = cuts.reach_of(known, part, start)
            assert reach.live and all(other in reach for other in part.live)
            for bay in part.bays:
                assert known.bays[bay].node in reach
                assert cuts.reach_of(known, part, known.bays[bay].node).live, known.bays[bay].id


def test_what_is_in_reach_is_what_a_plain_search_finds() -> None:
    known = roadmap()
    found = 0
    for node in core_nodes()[::3]:
        part = lost(node, 0)[0]
        for start in range(known.nodes):
            reach = cuts.reach_of(known, part, start)
            nodes = plainly(part, start)
            assert [goal in reach for goal in range(known.nodes)] == [
                goal in nodes for goal in range(known.nodes)
            ]
            assert reach.live == any(other in part.live for other in nodes)
            found += len(nodes)
    assert found > 100_000


def plainly(part: cuts.Part, start: int) -> set[int]:
    known = roadmap()
    nodes, todo = {start}, [start]
    while todo:
        tail = todo.pop()
        bay = known.node_bay[tail]
        entered = bay >= 0 and tail == known.bays[bay].node and bay != known.node_bay[start]
        for edge in () if entered else part.out.get(tail, ()):
            head = known.edge_head[edge]
            if head not in nodes:
                nodes.add(head)
                todo.append(head)
    return nodes


def test_contraflow_is_closed_unless_it_is_a_way_out() -> None:
    known = roadmap()
    back = range(known.edges, len(known.edge_tail))
    assert len(back) == len(known.contraflow_of) > 100
    assert all(known.edge_fleets[edge] == 0 for edge in back)
    changed = cuts.changes(known, lost(known.node_ids.index("n+05+04"), 0))
    opened = [edge for edge in changed if edge in back]
    assert opened and all(changed[edge] for edge in opened)
    for edge in opened:
        lane = known.sweep(edge)
        assert known.edge_tail[edge] == known.edge_head[lane]
        assert known.edge_heading_deg[edge] == known.edge_heading_deg[lane], "body kept"
        assert known.move(0, edge) == known.move(0, lane), "the same area"
        assert known.edge_speed_mmps[edge] <= 500


def test_contraflow_keeps_off_lanes_where_another_fleet_goes_on() -> None:
    """A lost AMR at the AMRs' corner traps AMRs on the trunk that they share with the sorters, who go
    on driving: out of there no AMR drives backwards."""
    known = roadmap()
    parts = lost(known.node_ids.index("n+00+00"), 0)
    live = parts[1].live
    shared = [
        known.edge_tail[edge]
        for edge in range(known.edges)
        if known.edge_fleets[edge] == 3
        and known.edge_tail[edge] in live
        and known.edge_head[edge] in live
    ]
    trapped = [node for node in shared if node in parts[0].exits]
    assert trapped
    assert all(parts[0].exits[node] < known.edges for node in trapped)
