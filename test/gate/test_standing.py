"""Lanes where somebody stands who is no robot of the building."""

from __future__ import annotations

from scenes import ring

from orchestrator.core.messages import Event, ExtendBase, LaneClosed, LaneOpened
from orchestrator.gate.poses import Poses
from orchestrator.gate.standing import AGAIN_NS, STAYS_NS, Standing

ROADMAP = ring(size=6).site.roadmap
BODY = ((0.3, 0.2), (-0.3, 0.2), (-0.3, -0.2), (0.3, -0.2))
HERE = (ROADMAP.node_x_mm[3] / 1000, ROADMAP.node_y_mm[3] / 1000, 0.0)
FAR = (-50.0, -50.0, 0.0)


class Floor(Standing):
    """With the core's lanes, as it would close them."""

    def __init__(self) -> None:
        self.lanes: set[int] = set()
        self.told: list[str] = []
        poses = Poses(ROADMAP, [BODY], 0.05)
        poses.joined(0, 0)
        super().__init__(
            poses,
            lambda lane: lane in self.lanes,
            self.take,
            lambda name, _: self.told.append(name),
        )

    def take(self, event: Event) -> None:
        if isinstance(event, LaneClosed):
            self.lanes.add(event.edge)
        elif isinstance(event, LaneOpened):
            self.lanes.discard(event.edge)
        self.heard(event)


def test_lanes_are_closed_for_who_stays_and_opened_when_it_goes() -> None:
    floor = Floor()
    floor.seen("acme/s-1", -1, HERE, 0, stays=True)
    touched = set(floor.poses.touched("acme/s-1"))
    floor.tick(STAYS_NS - 1)
    assert not floor.lanes, "it may be passing by"
    edge = next(iter(touched))
    assert floor.poses.check(ExtendBase(robot=0, edges=(edge,)), 0), "but in the way it is at once"
    floor.tick(STAYS_NS)
    assert floor.lanes == touched and floor.told == ["acme/s-1"]
    floor.seen("acme/s-1", -1, FAR, STAYS_NS, stays=True)
    assert not floor.lanes


def test_two_on_the_same_lanes_open_them_together() -> None:
    floor = Floor()
    for name in ("acme/s-1", "acme/s-2"):
        floor.seen(name, -1, HERE, 0, stays=True)
    floor.tick(STAYS_NS)
    closed = set(floor.lanes)
    floor.gone("acme/s-1")
    assert closed and floor.lanes == closed
    floor.gone("acme/s-2")
    assert not floor.lanes


def test_who_is_about_to_join_closes_nothing() -> None:
    floor = Floor()
    floor.seen("amr-1", 0, HERE, 0, stays=False)
    floor.tick(10 * STAYS_NS)
    assert not floor.lanes


def test_what_an_operator_closes_stays_closed() -> None:
    floor = Floor()
    floor.seen("acme/s-1", -1, HERE, 0, stays=True)
    before, after = floor.poses.touched("acme/s-1")[:2]
    floor.take(LaneClosed(edge=before, request="anna-1"))
    floor.tick(STAYS_NS)
    floor.take(LaneClosed(edge=after, request="anna-2"))
    floor.gone("acme/s-1")
    assert floor.lanes == {before, after}


def test_after_a_restart_lanes_stay_closed_until_everybody_was_heard() -> None:
    floor = Floor()
    mine, another, annas = 3, 40, 50
    events: list[Event] = [LaneClosed(edge=mine), LaneClosed(edge=another)]
    events += [LaneClosed(edge=annas), LaneClosed(edge=annas, request="anna-1")]
    floor.restore(events)
    floor.lanes |= {mine, another, annas}
    x = ROADMAP.node_x_mm[ROADMAP.edge_head[mine]] / 1000
    y = ROADMAP.node_y_mm[ROADMAP.edge_head[mine]] / 1000
    floor.tick(0)
    floor.seen("acme/s-1", -1, (x, y, 0.0), 0, stays=True)
    floor.tick(STAYS_NS)
    assert {mine, another, annas} <= floor.lanes
    floor.tick(AGAIN_NS)
    assert another not in floor.lanes and {mine, annas} <= floor.lanes
    floor.gone("acme/s-1")
    assert floor.lanes == {annas}
