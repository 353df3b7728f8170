"""A building behind a ROS 2 node, without ROS 2: loaded, started, paused, ended; in its own thread.

The node calls from its threads; everything that touches the server happens in this one's event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestrator.api.published import Reply, root
from orchestrator.commands.demo import find_site
from orchestrator.commands.ros_runs import certified, record_of
from orchestrator.core.messages import AnswerRequest, Event, NoteTaken, RobotsPaused, RobotsResumed
from orchestrator.journal import RunReader, RunWriter
from orchestrator.ros import asking, rmf, topics
from orchestrator.ros import messages as ros
from orchestrator.ros.display import TICK_NS, Display, Said
from orchestrator.ros.junction import Junction
from orchestrator.ros.nav2.robot import MANUFACTURER, PROTOCOL, Limits, Nav2Robot, Outside
from orchestrator.ros.parameters import Settings, SettingsError, embedded_port
from orchestrator.serving import Serving
from orchestrator.vda5050 import topics as vda
from sim.recipe import Recipe, of_site
from sim.vehicle.building import asked

if TYPE_CHECKING:
    from sim.scenario import Scenario

ANSWER_S = 5.0
ROBOT_TICK_S = 0.2
RMF_EVERY = 10  # ticks


class Building:
    """`shows` hears every message; called in the loop's thread. `clock_ns`: of ROS 2, if that tells the
    time; `stamp_ns`: for messages."""

    def __init__(
        self,
        shows: Callable[[Said], None],
        outside: Outside,
        *,
        stamp_ns: Callable[[], int] = time.time_ns,
        clock_ns: Callable[[], int] | None = None,
        say: Callable[[str], None] = lambda _: None,
        broken: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._shows, self._outside = shows, outside
        self._stamp_ns, self._clock_ns = stamp_ns, clock_ns
        self._say, self._broken = say, broken
        self._settings = Settings("")
        self._recipe: Recipe | None = None
        self._scenario: Scenario | None = None
        self._notes: list[str] = []
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready: Future[None] = Future()
        self._end: asyncio.Event | None = None
        self._waiting: dict[str, Future[AnswerRequest]] = {}
        self._junction: Junction | None = None
        self.serving: Serving | None = None
        self.corridors = False
        self._paused = False  # by us: an activation ends it
        self._own: dict[str, Path] = {}  # the record that is asked for -> the one that was begun
        self.robots: dict[str, Nav2Robot] = {}

    # --- the node's life -------------------------------------------------------------------------

    def configure(self, settings: Settings) -> str:
        """Load and check; what it is, in a line. Raises the errors of `cli.known_errors`."""
        path = Path(settings.site)
        if not path.exists() and settings.site == path.name:
            path = find_site(settings.site)
        recipe = of_site(path, seed=settings.seed, hours=24.0)
        nobody = dict.fromkeys(recipe.load().spec.fleets, 0)  # robots come by themselves
        recipe = replace(recipe, fleets=nobody)
        scenario, _ = recipe.scenario()
        loaded = scenario.loaded
        rules = [row.manufacturer for row in loaded.spec.vehicles]
        if settings.nav2_robots and not {"*", MANUFACTURER} & set(rules):
            raise SettingsError(
                f"nav2_robots: no entry of the site's `vehicles` lets manufacturer {MANUFACTURER} in "
                f"-> add {{manufacturer: {MANUFACTURER}, serial: '*', fleet: …}} to site.yaml"
            )
        embedded_port(settings.mqtt_url)
        self._notes = certified(path, recipe, settings.override)
        self._settings, self._recipe, self._scenario = settings, recipe, scenario
        self.corridors = bool(loaded.spec.corridors)
        return f"{recipe.name}: {loaded.site.roadmap.nodes} nodes, {len(loaded.site.fleets)} fleets"

    def start(self) -> None:
        """Let it run; or, when it was paused, go on. Raises what keeps it from running."""
        if self._thread is not None:
            self._in_loop(self._resume())
            return
        assert self._recipe is not None, "configure comes first"
        self._ready = Future()
        self._thread = threading.Thread(target=self._live, name="building", daemon=True)
        self._thread.start()
        self._ready.result()
        if self._paused:
            self._in_loop(self._resume())

    def pause(self) -> str:
        """Stop all robots safely; "" or why not all of them stand after `stop_s`."""
        if self._thread is None:
            return ""
        return str(self._in_loop(self._pause()))

    def stop(self) -> None:
        """End the run in order; its journal is complete."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        with contextlib.suppress(RuntimeError):  # it has ended by itself
            if self._loop is not None and self._end is not None:
                self._loop.call_soon_threadsafe(self._end.set)
        thread.join()

    # --- from the node ---------------------------------------------------------------------------

    def heard(self, name: str, payload: bytes) -> None:
        """A text on one of `topics.HEARD`."""
        site = self._site()
        self._soon(lambda: self._junction and self._junction.post(f"{root(site)}/{name}", payload))

    def ask(self, make: Callable[[str], Event], seconds: float = ANSWER_S) -> asking.Outcome:
        """A request of its own to the core, and its answer."""
        if self.serving is None:
            return asking.outcome(None, 0.0)
        name = f"ros-{secrets.token_hex(4)}"
        answer: Future[AnswerRequest] = Future()
        self._waiting[name] = answer
        live = self.serving.live
        self._soon(lambda: live.post_soon(make(name)))
        try:
            return asking.outcome(answer.result(seconds), seconds)
        except TimeoutError:
            return asking.outcome(None, seconds)
        finally:
            self._waiting.pop(name, None)

    def robot(self, serial: str, act: Callable[[Nav2Robot, int], Any]) -> None:
        """Something about a robot: `act(its adapter, now)` in the loop."""
        serving = self.serving

        def go() -> None:
            known = self.robots.get(serial)
            if known is not None and serving is not None:
                act(known, serving.now_ns)

        self._soon(go)

    def trouble(self, serial: str) -> str:
        """What is wrong with a robot, by its adapter; from any thread."""
        robot = self.robots.get(serial)
        if robot is None:
            return ""
        found = [f"{each.kind}: {each.description}" for each in tuple(robot.errors.values())]
        return "; ".join(["does not know where it is"] * robot.lost + found) or robot.failing

    def _soon(self, act: Callable[[], Any]) -> None:
        if self._loop is not None and self.serving is not None:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(act)

    def _in_loop(self, work: Coroutine[Any, Any, Any]) -> Any:
        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _site(self) -> str:
        assert self._scenario is not None
        return self._scenario.loaded.spec.id

    # --- the thread ------------------------------------------------------------------------------

    def _live(self) -> None:
        try:
            asyncio.run(self._run())
        except Exception as error:  # told to whoever waits, or watches
            if self._ready.done():
                self._broken(f"{type(error).__name__}: {error}")
            else:
                self._ready.set_exception(error)
        finally:
            self.serving, self._loop = None, None

    async def _run(self) -> None:
        assert self._recipe is not None and self._scenario is not None
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        asked_for = self._settings.record
        path, meta, resume = record_of(self._settings, self._recipe, self._own.get(asked_for))
        self._own[asked_for] = path
        writer = RunWriter(path, meta, resume=resume, durable="full")
        try:
            async with contextlib.AsyncExitStack() as stack:
                await self._serve(stack, writer, meta["run_id"], path if resume else None)
                serving = self.serving
                assert serving is not None
                figures = serving.finish()
        except BaseException:
            writer.abandon()
            raise
        writer.close("closed", books=serving.books(), figures=figures)

    async def _serve(
        self, stack: contextlib.AsyncExitStack, writer: RunWriter, run: str, resumed: Path | None
    ) -> None:
        from orchestrator.cli import version  # noqa: PLC0415

        assert self._scenario is not None
        settings, scenario = self._settings, self._scenario
        wire = await self._wire(stack, run)
        junction = self._junction = Junction(self._told, wire, lambda: serving.now_ns)
        serving = Serving(
            scenario.loaded, writer, junction, run=run, version=version(), speed=settings.speed,
            clock_ns=self._clock_ns, say=self._say,
        )  # fmt: skip
        if wire is not None:
            wire.on_up = serving.came_up
            wire.on_trouble = lambda trouble: self._say(f"broker: {trouble}")
            await stack.enter_async_context(wire)
        await stack.enter_async_context(junction)
        display = Display(scenario.loaded, serving.live.core.world, serving.naming, settings.paths)
        serving.live.watchers.append(_Watcher(display, self._shows, self._stamp_ns))
        self._adapters(junction, serving)
        if resumed is not None:
            with RunReader(resumed) as reader:
                serving.restore(reader)
        for note in self._notes:
            serving.live.post_soon(NoteTaken(subject="certificate", text=note))
        if wire is None:
            serving.came_up()  # what is there is told, also what a run before a crash did not tell
        self.serving = serving
        await self._until_end(serving, scenario, display, new=resumed is None)
        serving.goodbye()
        with contextlib.suppress(TimeoutError):
            await junction.flush(2.0)

    async def _wire(self, stack: contextlib.AsyncExitStack, run: str) -> Any:
        """The broker's link, if there is to be one."""
        from orchestrator.api.presence import about  # noqa: PLC0415
        from orchestrator.cli import version  # noqa: PLC0415

        url = self._settings.mqtt_url
        if not url:
            return None
        from orchestrator.mqtt import Backoff, MqttLink, Will  # noqa: PLC0415

        port = embedded_port(url)
        if port:
            from orchestrator.mqtt.broker import EmbeddedBroker  # noqa: PLC0415

            url = (await stack.enter_async_context(EmbeddedBroker(port))).url
        will = Will(*about(self._site(), run, version(), online=False))
        backoff = Backoff.at_speed(self._settings.speed)
        return MqttLink(url, client_id=f"lightsout-ros-{run}", will=will, backoff=backoff)

    def _adapters(self, junction: Junction, serving: Serving) -> None:
        settings = self._settings
        seldom = settings.nav2_poses == "amcl_pose"
        limits = Limits.of(settings.nav2_deviation_m, settings.speed, seldom=seldom)
        self.robots.clear()  # of a run before this one
        for serial in settings.nav2_robots:
            robot = Nav2Robot(
                serial, self._outside, junction.post, map_id=self._site(),
                utc_ns=lambda: serving.now_ns, limits=limits,
            )  # fmt: skip
            self.robots[serial] = robot
            prefix = vda.topic(PROTOCOL, MANUFACTURER, serial, "").rstrip("/")
            junction.joins(prefix, robot)

    async def _until_end(
        self, serving: Serving, scenario: Scenario, display: Display, *, new: bool
    ) -> None:
        assert self._end is not None
        demand = asked(scenario) if self._settings.orders == "site" else None
        opening = scenario.totes if new else ()
        tasks = [
            asyncio.create_task(serving.run(opening, demand)),
            asyncio.create_task(self._show(serving, display)),
            asyncio.create_task(self._tick(serving)),
            asyncio.create_task(self._end.wait()),
        ]
        for said in display.first(self._stamp_ns()):
            self._shows(said)
        self._ready.set_result(None)
        done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
        for task in done:
            task.result()  # raises what ended it

    async def _show(self, serving: Serving, display: Display) -> None:
        number = 0
        while True:
            for said in display.tick(number, self._places(serving), self._stamp_ns()):
                self._shows(said)
            if self._settings.rmf_level and number % RMF_EVERY == 0:
                self._rmf(serving, number // RMF_EVERY)
            number += 1
            await asyncio.sleep(TICK_NS / 1e9)

    def _rmf(self, serving: Serving, number: int) -> None:
        """For Open-RMF's dashboards."""
        now_ns, level = self._stamp_ns(), self._settings.rmf_level
        places = {
            robot: (v.state.position.x, v.state.position.y, v.state.position.theta)
            for robot, v in serving.control.by_robot.items()
            if v.state is not None and v.state.position is not None
        }
        world = serving.live.core.world
        for state in rmf.fleet_states(world, level, places, number, now_ns):
            self._shows(Said(now_ns, rmf.TOPIC, state))

    def _places(self, serving: Serving) -> list[tuple[int, float, float, float]]:
        """By the vehicles' own word."""
        found = []
        for robot, vehicle in serving.control.by_robot.items():
            adapter = self.robots.get(vehicle.serial)
            place = vehicle.state.position if vehicle.state is not None else None
            if adapter is not None and self._settings.nav2_poses == "tf":
                continue  # it tells its frames itself
            if adapter is not None and adapter.pose is not None:
                found.append((robot, *adapter.pose))
            elif place is not None:
                found.append((robot, place.x, place.y, place.theta))
        return found

    async def _tick(self, serving: Serving) -> None:
        while True:
            for robot in self.robots.values():
                robot.tick(serving.now_ns)
            await asyncio.sleep(ROBOT_TICK_S / self._settings.speed)

    def _told(self, topic: str, payload: bytes, retain: bool) -> None:
        """What the MQTT API tells."""
        found = topics.told(self._site(), topic)
        if found is None or not payload:
            return
        if found is topics.REPLIES and self._waiting:
            self._reply(payload)
        self._shows(Said(self._stamp_ns(), found, ros.String(payload.decode())))

    def _reply(self, payload: bytes) -> None:
        import msgspec  # noqa: PLC0415

        reply = msgspec.json.decode(payload, type=Reply)
        waiting = self._waiting.get(reply.request)
        if waiting is not None and not waiting.done():
            waiting.set_result(
                AnswerRequest(request=reply.request, accepted=reply.accepted, reason=reply.reason)
            )

    # --- pausing ---------------------------------------------------------------------------------

    async def _pause(self) -> str:
        serving = self.serving
        if serving is None:
            return ""
        self._paused = True
        await serving.live.post(RobotsPaused(request=f"ros-{secrets.token_hex(4)}"))
        loop = asyncio.get_running_loop()
        end_s = loop.time() + self._settings.stop_s
        while moving := [v.name for v in serving.control.by_robot.values() if v.may_move]:
            if loop.time() > end_s:
                return f"{len(moving)} robots still move: {', '.join(moving[:5])}"
            await asyncio.sleep(0.1)
        return ""

    async def _resume(self) -> None:
        self._paused = False
        if self.serving is not None:
            await self.serving.live.post(RobotsResumed(request=f"ros-{secrets.token_hex(4)}"))


class _Watcher:
    """live.Watcher: what is to be shown of an event."""

    def __init__(
        self, display: Display, shows: Callable[[Said], None], stamp_ns: Callable[[], int]
    ) -> None:
        self._display, self._shows, self._stamp_ns = display, shows, stamp_ns

    def event(self, seq: int, event: Event) -> None:
        """The core has handled it."""
        for said in self._display.event(event, self._stamp_ns()):
            self._shows(said)
