"""What there is to see of a building, as messages: made anew only when it has changed.

`/tf` comes 10 times a second for who moves and once a second for all; what is drawn at most once a
second, all robots each 10 s; diagnostics each 5 s.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple

from orchestrator.api.naming import Naming
from orchestrator.core.messages import BatteryCrossed, Event, RobotJoined
from orchestrator.core.world import World
from orchestrator.layout import LoadedSite
from orchestrator.ros import grid, markers, topics, translation
from orchestrator.ros import messages as ros
from orchestrator.ros.names import Names
from orchestrator.ros.topics import Topic
from orchestrator.ros.translation import At

TICK_NS = 100_000_000
ALL_EVERY, DRAW_EVERY, REDRAW_EVERY, DIAGNOSE_EVERY = 10, 10, 100, 50  # ticks


class Said(NamedTuple):
    """One message."""

    time_ns: int  # of ROS 2
    topic: Topic
    message: ros.Message


class Display:
    """`paths`: names of the robots whose ways are told. Times are those of ROS 2."""

    def __init__(
        self, loaded: LoadedSite, world: World, naming: Naming, paths: Collection[str] = ()
    ) -> None:
        self._world, self._naming, self.names = world, naming, Names()
        self.paths = frozenset(paths)
        self._frames: list[str] = []
        self._seen: dict[int, At] = {}  # as last told
        self._looks: dict[int, tuple[str, int]] = {}
        self._drawn: dict[str, Any] = {}
        self._outlines = [spec.footprint_m for spec in loaded.spec.fleets.values()]

    def first(self, now_ns: int) -> Iterator[Said]:
        """What does not change."""
        floor = grid.grid(self._world.site.roadmap, self._outlines, now_ns)
        yield Said(now_ns, topics.MAP, floor)
        yield Said(now_ns, topics.LAYOUT, markers.layout(self._world, now_ns))

    def event(self, event: Event, now_ns: int) -> Iterator[Said]:
        """The core has handled it."""
        for robot in self._world.robots[len(self._frames) :]:
            self._frames.append(self.names.frame(robot.name))
        if isinstance(event, BatteryCrossed | RobotJoined) and event.robot < len(self._frames):
            known = self._world.robots[event.robot]
            found = translation.battery(known, self._frames[event.robot], now_ns)
            yield Said(now_ns, topics.battery(self.names(known.name)), found)

    def tick(self, number: int, places: Sequence[At] | None, now_ns: int) -> Iterator[Said]:
        """Ten times a second. `places`: where robots are; None: nobody knows more than the core."""
        yield from self._moves(number, places, now_ns)
        if number % REDRAW_EVERY == 0:
            self._looks.clear()
        if number % DRAW_EVERY == 0:
            yield from self._drawings(now_ns)
        if number % DIAGNOSE_EVERY == 0:
            found = translation.diagnostics(self._world, self._naming, self.names, now_ns)
            yield Said(now_ns, topics.DIAGNOSTICS, found)

    def _moves(self, number: int, places: Sequence[At] | None, now_ns: int) -> Iterator[Said]:
        if places is None:
            places = last_nodes(self._world)
        known = [at for at in places if at[0] < len(self._frames)]
        if number % ALL_EVERY:
            known = [at for at in known if self._seen.get(at[0]) != at]
        if known:
            self._seen.update({at[0]: at for at in known})
            yield Said(now_ns, topics.TF, translation.transforms(known, self._frames, now_ns))

    def _drawings(self, now_ns: int) -> Iterator[Said]:
        world, bodies = self._world, []
        for robot in world.robots[: len(self._frames)]:
            looks = markers.looks(world, robot)
            if self._looks.get(robot.index) != looks:
                self._looks[robot.index] = looks
                outline, frame = self._outlines[robot.fleet], self._frames[robot.index]
                bodies += markers.body(world, robot, outline, frame, now_ns)
        if bodies:
            yield Said(now_ns, topics.ROBOTS, ros.MarkerArray(bodies))
        traffic = world.traffic
        for topic, draw, queues in (
            (topics.RESERVATIONS, markers.reservations, traffic.released),
            (topics.PLANS, markers.plans, traffic.planned),
        ):
            edges = [[move.edge for move in queue] for queue in queues]
            if self._drawn.get(topic.name) != edges:
                self._drawn[topic.name] = edges
                yield Said(now_ns, topic, draw(world, now_ns))
        yield from self._ways(now_ns)

    def _ways(self, now_ns: int) -> Iterator[Said]:
        if not self.paths:
            return
        for robot in self._world.robots:
            if robot.name in self.paths:
                topic = topics.plan(self.names(robot.name))
                found = translation.path(self._world, robot.index, now_ns)
                places = [each.pose for each in found.poses]
                if self._drawn.get(topic.name) != places:
                    self._drawn[topic.name] = places
                    yield Said(now_ns, topic, found)


def last_nodes(world: World) -> list[At]:
    """Each robot where it reported last."""
    traffic = world.traffic
    return [
        (robot.index, *next(translation.nodes_of(world, robot.index)))
        for robot in world.robots
        if robot.index < len(traffic.at)
    ]
