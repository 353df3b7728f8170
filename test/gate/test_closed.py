"""Nobody is sent where it is closed, and nobody who is to stand."""

from __future__ import annotations

from scenes import ring

from orchestrator.core.loop import Core
from orchestrator.core.messages import (
    Command,
    ExtendBase,
    LaneClosed,
    RobotJoined,
    RobotsPaused,
    ZoneClosed,
    encode,
)
from orchestrator.gate import Gate
from orchestrator.gate.closed import closed


class Port:
    """Takes commands."""

    def send(self, command: Command) -> None:
        assert encode(command)


def core() -> Core:
    loaded = ring(size=6)
    found = Core(loaded.site, Port(), record=lambda _time, _seq, _event: None)
    node = next(bay.node for bay in loaded.site.roadmap.bays if bay.kind == "parking")
    joined = RobotJoined(
        robot=0, name="amr-0", fleet=0, node=node, heading_deg=0, battery_permille=1000
    )
    found.handle(0, joined)
    return found


def test_what_is_closed_is_named() -> None:
    story = core()
    roadmap = story.world.site.roadmap
    lane = next(e for e in range(roadmap.edges) if roadmap.node_bay[roadmap.edge_head[e]] < 0)
    command = ExtendBase(robot=0, edges=(lane,))
    assert closed(story.world, command) == ""
    story.handle(1, LaneClosed(edge=lane))
    assert closed(story.world, command) == f"edge {roadmap.edge_ids[lane]} is closed"
    back = next(
        e
        for k, e in enumerate(range(roadmap.edges, len(roadmap.edge_tail)))
        if roadmap.contraflow_of[k] == lane
    )
    assert "is closed" in closed(story.world, ExtendBase(robot=0, edges=(back,)))


def test_nobody_enters_a_closed_zone_and_who_is_inside_goes_out() -> None:
    story = core()
    roadmap = story.world.site.roadmap
    head = roadmap.edge_head[0]
    out = next(e for e in roadmap.out_edges[head] if e < roadmap.edges)
    story.handle(1, ZoneClosed(zone="east", nodes=(head,)))
    assert "(close zone east)" in closed(story.world, ExtendBase(robot=0, edges=(0,)))
    assert closed(story.world, ExtendBase(robot=0, edges=(out,))) == ""


def test_who_is_paused_is_sent_nowhere() -> None:
    story = core()
    story.handle(1, RobotsPaused(robot=0))
    assert closed(story.world, ExtendBase(robot=0, edges=(0,))) == "it is paused or stopped"


def test_what_something_else_refused_is_free_again_when_a_journal_is_folded() -> None:
    roadmap = ring(size=6).site.roadmap
    start = roadmap.edge_tail[0]
    gate = Gate(roadmap)
    gate.joined(0, 0, start)
    assert gate.check(ExtendBase(robot=0, edges=(0,))) == ""
    gate.taken_back(0, (5,))
    assert gate.frontier(0) == roadmap.edge_head[0], "it was not that"
    gate.taken_back(0, (0,))
    assert gate.frontier(0) == start
    assert gate.check(ExtendBase(robot=0, edges=(0,))) == ""
