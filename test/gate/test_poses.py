"""The geometric half of the gate: nobody is sent to where somebody really is."""

from __future__ import annotations

import dataclasses
import math

from scenes import ring

from orchestrator.core.messages import ExtendBase
from orchestrator.gate.poses import FRESH_NS, Poses

ROADMAP = ring(size=6).site.roadmap
BODY = ((0.3, 0.2), (-0.3, 0.2), (-0.3, -0.2), (0.3, -0.2))


def poses(robots: int = 2) -> Poses:
    found = Poses(ROADMAP, [BODY, BODY], 0.05)
    for robot in range(robots):
        found.joined(robot, 0)
    return found


def middle(edge: int) -> tuple[float, float]:
    tail, head = ROADMAP.edge_tail[edge], ROADMAP.edge_head[edge]
    xs, ys = ROADMAP.node_x_mm, ROADMAP.node_y_mm
    return (xs[tail] + xs[head]) / 2000, (ys[tail] + ys[head]) / 2000


def test_who_stands_on_the_way_is_named() -> None:
    gate = poses()
    gate.seen(1, *middle(3), 0.0, 0)
    reason = gate.check(ExtendBase(robot=0, edges=(3,)), 0)
    assert "robot 1 is at" in reason and ROADMAP.edge_ids[3] in reason


def test_its_own_pose_is_in_nobodys_way() -> None:
    gate = poses()
    gate.seen(0, *middle(3), 0.0, 0)
    assert gate.check(ExtendBase(robot=0, edges=(3,)), 0) == ""


def test_a_body_touches_by_its_corners_and_its_heading() -> None:
    edge = 3
    x, y = middle(edge)
    heading = math.radians(ROADMAP.edge_heading_deg[edge])
    aside = (-math.sin(heading), math.cos(heading))
    gate = poses()
    far = 0.2 + 0.05 + 0.25  # half a width, the margin, and more than half of the other's width
    place = (x + far * aside[0], y + far * aside[1])
    gate.seen(1, *place, heading, 0)
    assert gate.check(ExtendBase(robot=0, edges=(edge,)), 0) == "", "side by side they pass"
    gate.seen(1, *place, heading + math.pi / 2, 0)
    assert gate.check(ExtendBase(robot=0, edges=(edge,)), 0), "across, its front is in the way"


def test_an_old_pose_is_left_to_the_logical_half() -> None:
    gate = poses()
    gate.seen(1, *middle(3), 0.0, 0)
    assert gate.check(ExtendBase(robot=0, edges=(3,)), FRESH_NS)
    assert gate.check(ExtendBase(robot=0, edges=(3,)), FRESH_NS + 1) == ""


def test_many_robots_have_room() -> None:
    gate = poses(40)
    gate.seen(39, *middle(3), 0.0, 0)
    assert "robot 39" in gate.check(ExtendBase(robot=7, edges=(3,)), 0)


def test_who_is_no_robot_is_in_the_way_until_it_is_seen_elsewhere() -> None:
    gate = poses()
    gate.other("acme/s-1", -1, *middle(3), 0.0)
    late = 10**15  # long after it was heard last
    reason = gate.check(ExtendBase(robot=0, edges=(3,)), late)
    assert "acme/s-1, no robot of the building" in reason and ROADMAP.edge_ids[3] in reason
    gate.other("acme/s-1", -1, -50.0, -50.0, 0.0)
    assert gate.check(ExtendBase(robot=0, edges=(3,)), late) == ""
    gate.other("amr-7", 0, *middle(3), 0.0)
    assert "amr-7" in gate.check(ExtendBase(robot=0, edges=(3,)), late)
    gate.gone("amr-7")
    assert gate.check(ExtendBase(robot=0, edges=(3,)), late) == ""


def test_a_stranger_is_as_large_as_the_largest_robot_whichever_way_it_looks() -> None:
    gate = poses()
    x, y = middle(3)
    heading = math.radians(ROADMAP.edge_heading_deg[3])
    far = 0.2 + 0.05 + 0.3  # half a width, the margin, and more than half of a robot's width
    place = (x - far * math.sin(heading), y + far * math.cos(heading))
    gate.other("amr-7", 0, *place, heading)
    assert gate.check(ExtendBase(robot=0, edges=(3,)), 0) == ""
    gate.other("acme/s-1", -1, *place, heading)
    assert gate.check(ExtendBase(robot=0, edges=(3,)), 0)


def test_the_lanes_that_a_body_touches_are_those_that_the_check_refuses() -> None:
    gate = poses()
    gate.other("acme/s-1", -1, *middle(3), 0.0)
    refused = [
        edge for edge in range(ROADMAP.edges) if gate.check(ExtendBase(robot=0, edges=(edge,)), 0)
    ]
    assert 3 in refused and gate.touched("acme/s-1") == refused
    assert gate.touched("nobody") == []


def test_who_lies_counts_as_nothing_here() -> None:
    gate = poses()
    gate.seen(1, *middle(3), 0.0, 0)
    gate.unseen(1)
    assert gate.check(ExtendBase(robot=0, edges=(3,)), 0) == ""
    gate.seen(1, *middle(3), 0.0, 1)
    assert gate.check(ExtendBase(robot=0, edges=(3,)), 1)


def test_a_corridor_is_wider_than_its_lane() -> None:
    """Who stands in it stands in its way, and nobody else."""
    wide = dataclasses.replace(ROADMAP, edge_corridor_mm=(500,) * ROADMAP.edges)
    edge, radius = 3, math.hypot(0.3, 0.2)
    x, y = middle(edge)
    heading = math.radians(ROADMAP.edge_heading_deg[edge])
    for roadmap, far, touches in (
        (ROADMAP, 0.6, False),
        (wide, 0.6, True),
        (wide, radius + 0.5 + 0.05 + 0.19, True),
        (wide, radius + 0.5 + 0.05 + 0.21, False),
    ):
        gate = Poses(roadmap, [BODY, BODY], 0.05)
        gate.joined(0, 0)
        gate.joined(1, 0)
        gate.seen(1, x - math.sin(heading) * far, y + math.cos(heading) * far, heading, 0)
        assert bool(gate.check(ExtendBase(robot=0, edges=(edge,)), 0)) == touches
