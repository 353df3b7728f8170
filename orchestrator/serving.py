"""A building that runs: the live driver, the vehicles, the equipment, one connection to the broker.

The composition root of `lightsout serve`. What is slow or may fail is elsewhere: the link connects by
itself, the journal is written before commands leave, planning happens in threads.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from orchestrator.api.board import Board
from orchestrator.api.cameras import Cameras
from orchestrator.api.equipment import Equipment
from orchestrator.api.host_desk import HostDesk
from orchestrator.api.host_outbox import HostOutbox
from orchestrator.api.kpis import Traffic
from orchestrator.api.naming import Naming
from orchestrator.api.requests import Requests
from orchestrator.api.safety_watch import SafetyWatch
from orchestrator.core.books import books
from orchestrator.core.filing import tally
from orchestrator.core.messages import (
    Command,
    CommandRefused,
    Event,
    OrderReceived,
    RaiseAlarm,
    RobotJoined,
    ToteStored,
)
from orchestrator.core.world import World
from orchestrator.fleets import declared_of, rules_of
from orchestrator.gate.poses import Poses
from orchestrator.gate.standing import Standing
from orchestrator.journal import RunReader, RunWriter
from orchestrator.layout import LoadedSite
from orchestrator.linking import Link
from orchestrator.live import Live, has_joined
from orchestrator.vda5050.control.absent import Known
from orchestrator.vda5050.control.control import Control
from orchestrator.vda5050.control.sending import Limits
from orchestrator.vda5050.control.vehicle import Vehicle
from orchestrator.vda5050.model import Position
from orchestrator.vision.sight import Sight

TICK_S = 0.5
COLLECT = (10_000, 20, 20)  # garbage in circles is rare here
TELL_S = 0.25
SWEEP_S = 5.0  # so long what is retained is looked through
Demand = Iterator[tuple[int, OrderReceived]]


def _share(vehicles: Iterable[Vehicle], what: str) -> float:
    """Of all nodes that they passed."""
    vehicles = list(vehicles)
    counted: int = sum(getattr(v.counts, what) for v in vehicles)
    return round(counted / max(1, sum(v.counts.nodes for v in vehicles)), 4)


def _broke(name: str, error: Exception) -> None:
    """A bug of ours, in full: whoever mends it needs that."""
    print(f"while {name} was seen to:", *traceback.format_exception(error), file=sys.stderr)


class Serving:
    """One site on one broker."""

    def __init__(
        self,
        loaded: LoadedSite,
        record: RunWriter,
        link: Link,
        *,
        run: str,
        version: str = "",
        limits: Limits | None = None,
        speed: float = 1.0,
        sight: Sight | None = None,
        snapshot_minutes: float = 0.0,
        clock_ns: Callable[[], int] | None = None,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.loaded, self.link = loaded, link
        self._say, self._speed, self._given_ns = say, speed, clock_ns
        self._utc_ns = time.time_ns() - self._clock_ns()
        footprints = [spec.footprint_m for spec in loaded.spec.fleets.values()]
        self.poses = Poses(loaded.site.roadmap, footprints, loaded.spec.safety_margin_m)
        self.live = Live(loaded, record, self, self._clock_ns, self.poses, speed)
        self.naming = Naming(loaded.site)
        world = self.live.core.world
        self.standing = Standing(self.poses, self._shut, self.live.post_soon, self.alarm)
        site = loaded.spec.id
        self.board = Board(
            site,
            self.naming,
            link,
            lambda: world,
            self._times_ns,
            self._traffic,
            run=run,
            version=version,
            alarm=self.alarm,
        )
        self.equipment = Equipment(site, self.naming, link.publish, self.live.post_soon, self.alarm)
        self.cameras = self._cameras(sight)
        self.requests = Requests(
            site,
            self.naming,
            link.publish,
            self.live.post_soon,
            self.alarm,
            self._times_ns,
        )
        self.safety = self._watch(world)
        self.outbox = HostOutbox(site, run, link.publish, self.live.post_soon, snapshot_minutes)
        self.live.followers.append(self.outbox)
        self.host = HostDesk(site, world, self.outbox, self.alarm, lambda: self.live.now_ns)
        self.control = Control(
            loaded.site,
            rules_of(loaded),
            declared_of(loaded),
            link.publish,
            self._told,
            run=run,
            session=f"{time.time_ns() // 1_000_000:x}",
            planned=self._planned,
            held_up=self.live.core.world.traffic.held_up,
            may_drive=self.live.may_drive,
            alarm=self.alarm,
            seen=self._seen,
            elsewhere=self._elsewhere,
            limits=limits or Limits.at_speed(speed),
            map_id=site,
            broke=_broke,
        )
        self.live.watchers.append(self)
        self._subscribe()

    def _cameras(self, sight: Sight | None) -> Cameras | None:
        if sight is None:
            return None
        post, judge = self.live.post_soon, sight.judge(self.live.core.world)
        site, publish = self.loaded.spec.id, self.link.publish
        return Cameras(site, self.naming, publish, post, judge, self.alarm)

    def _watch(self, world: World) -> SafetyWatch:
        return SafetyWatch(
            self.loaded.spec.id,
            self.loaded.spec.safety_bridge,
            self.naming,
            self.link.publish,
            self.live.post_soon,
            self.alarm,
            lambda: {scope.zone for scope in world.scopes.values() if scope.kind == "stop"},
            silence_s=5.0 * max(1.0, self._speed),
        )

    def _subscribe(self) -> None:
        if self.cameras is not None:
            self.link.subscribe(self.cameras.filter, 1)
        for pattern, qos in self.control.filters():
            self.link.subscribe(pattern, qos)
        asked = (*self.requests.topics(), *self.host.topics(), self.board.presence.topic)
        for topic in (self.equipment.events_topic, self.safety.status_topic, *asked):
            self.link.subscribe(topic, 1)

    def restore(self, reader: RunReader) -> None:
        """Go on with the run of a server that is gone."""
        self.live.restore(reader.entries(), self._folded)
        self.standing.restore(entry.event for entry in reader.entries())
        world, traffic = self.live.core.world, self.live.core.world.traffic
        known = {}
        for robot in world.robots:
            known[robot.name] = Known(
                robot.index,
                robot.fleet,
                traffic.at[robot.index],
                tuple(move.edge for move in traffic.released[robot.index]),
                self.live.pending.action_of(robot.index),
                robot.fault if robot.dead else "",
                bool(robot.holds),
                robot.backing and not robot.dead,
            )
        self.control.restore(known)

    def _folded(self, event: Event, commands: list[Command]) -> None:
        """What the journal says, to the board."""
        if isinstance(event, RobotJoined) and has_joined(self.live.core.world, event):
            self.naming.joined(event.name)
        self.board.folded(event, commands)
        if self.cameras is not None:
            self.cameras.folded(event, commands)

    def _shut(self, lane: int) -> bool:
        return lane in self.live.core.world.closed_lanes

    def _planned(self, robot: int) -> Iterable[int]:
        """Behind its base, as the precedence graph has it just now."""
        return [move.edge for move in self.live.core.world.traffic.planned[robot]]

    def _told(self, event: Event) -> None:
        """By a vehicle, or of one."""
        if isinstance(event, CommandRefused):
            self.live.given_back(event)
        else:
            self.live.post_soon(event)

    def _seen(self, robot: int, place: Position | None) -> None:
        """A pose, for the last check; of a robot that is just joining the core does not know yet."""
        if robot >= len(self.live.core.world.robots):
            return
        if place is None:
            self.poses.unseen(robot)
        else:
            self.poses.seen(robot, place.x, place.y, place.theta, self.live.now_ns)

    def _elsewhere(self, name: str, fleet: int, place: Position | None, stays: bool) -> None:
        """A body that no robot of the building is known to have there."""
        if place is None:
            self.standing.gone(name)
        else:
            pose = (place.x, place.y, place.theta)
            self.standing.seen(name, fleet, pose, self.live.now_ns, stays=stays)

    def _clock_ns(self) -> int:
        """Of somebody else, if there is one: as simulated time in ROS 2."""
        return self._given_ns() if self._given_ns else round(time.monotonic_ns() * self._speed)

    @property
    def now_ns(self) -> int:
        """UTC, from a clock that never goes backwards."""
        return self._utc_ns + self._clock_ns()

    def _times_ns(self) -> tuple[int, int]:
        """The run's time, and UTC."""
        return self.live.now_ns, self.now_ns

    # --- the live driver's outside ---------------------------------------------------------------

    def send(self, command: Command, post: Callable[[Event], None]) -> None:
        """A command that has passed the gate."""
        self.board.command(command)
        if self.control.command(self.now_ns, command):
            return
        if self.cameras is not None and self.cameras.command(command):
            return
        if self.equipment.command(command):
            return
        if self.host.command(command) or self.requests.command(command):
            return
        if isinstance(command, RaiseAlarm):
            self.alarm(command.subject, command.text)

    def event(self, seq: int, event: Event) -> None:
        """live.Watcher: names grow with the robots."""
        self.standing.heard(event)
        if isinstance(event, RobotJoined):
            taken = has_joined(self.live.core.world, event)
            self.control.answered(event, taken=taken)
            if taken:
                self.naming.joined(event.name)
                self._say(f"{event.name} joined")
        self.board.event(seq, event)

    def alarm(self, subject: str, text: str) -> None:
        """Tell whoever watches."""
        self.board.alarm(subject, text)
        self._say(f"{subject}: {text}")

    # --- the connection --------------------------------------------------------------------------

    def came_up(self) -> None:
        """There is a connection: say so; and what another run left on the broker is cleared."""
        self.board.came_up()
        for pattern in self.board.leftovers():
            self.link.subscribe(pattern, 0)
            asyncio.get_running_loop().call_later(SWEEP_S, self.link.unsubscribe, pattern)

    def goodbye(self) -> None:
        """The run ends in order."""
        self.board.presence.tell(online=False)

    def _traffic(self) -> Traffic:
        link, vehicles = self.link.counters, [v.counts for v in self.control.vehicles.values()]
        return Traffic(
            received=link.received,
            sent=link.sent,
            dropped=link.inbox_dropped + link.inbox_refused,
            resent=sum(counts.resent for counts in vehicles),
            nodes=sum(counts.nodes for counts in vehicles),
            stops=sum(counts.stops for counts in vehicles),
        )

    # --- running ---------------------------------------------------------------------------------

    async def run(
        self,
        opening: Iterable[ToteStored] = (),
        demand: Demand | None = None,
        seconds: float | None = None,
    ) -> None:
        """Until cancelled, or for so many seconds. `opening`: what is in stock, of a new run."""
        for stored in opening:
            self.live.post_soon(stored)
        gc.collect()
        gc.freeze()  # the site stays: to look through it again and again would cost tenths of seconds
        gc.set_threshold(*COLLECT)
        parts = (self._listen(), self._tick(), self._tell())
        tasks = [asyncio.create_task(part) for part in parts]
        if demand is not None:
            tasks.append(asyncio.create_task(self._order(demand)))
        live = asyncio.create_task(self.live.run(seconds))
        if self.cameras is not None:
            self.cameras.warm()
        try:
            done, _ = await asyncio.wait([live, *tasks], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            await live
        finally:
            for task in (live, *tasks):
                task.cancel()
            await asyncio.gather(live, *tasks, return_exceptions=True)
            if self.cameras is not None:
                await self.cameras.close()

    def finish(self) -> dict[str, Any]:
        """The run's figures."""
        world, counts = self.live.core.world, self.link.counters
        vehicles = self.control.vehicles.values()
        return {
            "seconds": round(self.live.now_ns / 1e9, 1),
            "robots": len(world.robots),
            **{f"orders_{state}": count for state, count in tally(world).items()},
            "events": world.events,
            "commands_refused": world.refusals,
            "states": sum(v.counts.states for v in vehicles),
            "orders_sent": sum(v.counts.orders for v in vehicles),
            "updates_sent": sum(v.counts.updates for v in vehicles),
            "resent": sum(v.counts.resent for v in vehicles),
            "base_requests": sum(v.counts.base_requests for v in vehicles),
            "stop_and_go_share": _share(vehicles, "stops"),
            "waiting_share": _share(vehicles, "waits"),
            **self.control.desk.lags.figures(),
            "unreadable": sum(v.counts.undecodable for v in vehicles),
            "errors_of_ours": sum(v.counts.broken for v in vehicles),
            "mended": sum(v.counts.mended for v in vehicles),
            "messages_in": counts.received,
            "messages_dropped": counts.inbox_dropped + counts.inbox_refused,
            "alarms": self.board.kpis.alarms,
            **({"eyes": self.cameras.figures()} if self.cameras is not None else {}),
        }

    def books(self) -> dict[str, Any]:
        """The core's books, for the run file."""
        return books(self.live.core.world)

    async def _listen(self) -> None:
        async for batch in self.link.batches():
            now_ns = self.now_ns
            for topic, payload, retained in batch:
                if self.board.message(topic, payload, retained=retained):
                    continue
                if self.cameras is not None and self.cameras.message(topic, payload):
                    continue
                known = self.equipment.message(topic, payload)
                known = known or self.host.message(topic, payload, retained=retained)
                known = known or self.safety.message(now_ns, topic, payload, retained=retained)
                if not known and not self.requests.message(topic, payload, retained=retained):
                    self.control.message(now_ns, topic, payload, retained=retained)
            await self.live.inbox.room()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S / self._speed)
            self.control.tick(self.now_ns)
            self.safety.tick(self.now_ns)
            self.standing.tick(self.live.now_ns)
            self.outbox.tick(self.now_ns, self.link.connected)

    async def _tell(self) -> None:
        while True:
            await asyncio.sleep(TELL_S)
            self.board.tell(time.monotonic_ns())

    async def _order(self, demand: Demand) -> None:
        """Orders at their time; those that a run before a restart had are the same orders."""
        for time_ns, event in demand:
            wait_s = (time_ns - self.live.now_ns) / 1e9
            if wait_s > 0:
                await asyncio.sleep(wait_s / self._speed)
            await self.live.post(event)
        await asyncio.Event().wait()
