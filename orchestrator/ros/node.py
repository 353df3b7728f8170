"""The orchestrator as a managed node, thin: the building behind it does not know ROS 2.

configure loads and checks the site; activate lets it run, or go on; deactivate stops all robots safely;
cleanup and shutdown end the run in order. What fails is told on `/diagnostics`, and error processing
brings the node back to unconfigured.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from threading import Lock
from typing import Any, Protocol

from rclpy.callback_groups import MutuallyExclusiveCallbackGroup, ReentrantCallbackGroup
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.lifecycle import (
    LifecycleNode,
    LifecycleNodeMixin,
    LifecycleState,
    TransitionCallbackReturn,
)
from rclpy.node import Node
from std_msgs.msg import String
from std_srvs.srv import SetBool, Trigger

from orchestrator.core.messages import Event
from orchestrator.ros import messages as ros
from orchestrator.ros import rmf, topics, translation
from orchestrator.ros.asking import SWITCHES, TRIGGERS, Outcome
from orchestrator.ros.display import Said
from orchestrator.ros.missing import missing
from orchestrator.ros.parameters import ORCHESTRATOR, Settings, SettingsError, settings_of
from orchestrator.ros.speaking import NodeClock, Speaker, declare, values

DONE, FAILED = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.ERROR
WATCH_S = 0.5
ALIVE_S = 2.0


class Building(Protocol):
    """What is behind the node; see `commands.ros_building`."""

    corridors: bool  # the site that is configured has some

    def configure(self, settings: Settings) -> str:
        """Load and check."""

    def start(self) -> None:
        """Run, or go on."""

    def pause(self) -> str:
        """Stop all robots; "" or why not."""

    def stop(self) -> None:
        """End the run."""

    def heard(self, name: str, payload: bytes) -> None:
        """A text on a topic."""

    def ask(self, make: Callable[[str], Event], seconds: float = 5.0) -> Outcome:
        """A request and its answer."""


class Fleet(Protocol):
    """The robots' side; see `nav2_client`."""

    def connect(self, settings: Settings, *, corridors: bool) -> None:
        """To the robots that the settings name; in corridors they plan their own way."""

    def disconnect(self) -> None:
        """From all of them."""


class OrchestratorNode(LifecycleNode):  # type: ignore[misc]
    """`make` gets the node's doors (what it shows, its clocks, what to do when it breaks)."""

    def __init__(self, make: Callable[[OrchestratorNode], tuple[Building, Fleet]]) -> None:
        Node.__init__(self, "orchestrator")
        # not in the default group: /clock is heard there, and get_state is answered meanwhile
        own = ReentrantCallbackGroup()
        LifecycleNodeMixin.__init__(self, callback_group=own)
        self._moving = Lock()
        change = self._service_change_state.callback
        self._service_change_state.callback = partial(self._change, change)
        declare(self, ORCHESTRATOR)
        self.show = Speaker(self)
        simulated = self.get_parameter("use_sim_time").value
        self.clock_ns = NodeClock(self) if simulated else None
        self._state, self._reason = "unconfigured", ""
        self._failed = ""  # by itself, while it was active
        self._building, self._fleet = make(self)
        for name in topics.HEARD:
            self.create_subscription(
                String, name, partial(self._heard, name), 1000, callback_group=own
            )
        for name in TRIGGERS:
            self.create_service(Trigger, name, partial(self._trigger, name), callback_group=own)
        for name in SWITCHES:
            self.create_service(SetBool, name, partial(self._switch, name), callback_group=own)
        watching = MutuallyExclusiveCallbackGroup()
        self.create_timer(WATCH_S, self._watch, callback_group=watching)
        self.create_timer(ALIVE_S, self._alive, callback_group=watching)
        self._autostart = bool(self.get_parameter("autostart").value)

    def stamp_ns(self) -> int:
        """Of messages: the node's clock."""
        return int(self.get_clock().now().nanoseconds)

    def broke(self, reason: str) -> None:
        """The building failed by itself; told in any thread."""
        self._failed = reason

    # --- the node's life -------------------------------------------------------------------------

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load and check the site."""
        return self._try("inactive", self._configure)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Run."""
        return self._try("active", self._activate)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop all robots; in error processing if the building has failed, or they do not stop."""
        return self._try("inactive", self._deactivate)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """End the run in order; in error processing if the building has failed."""
        return self._try("unconfigured", self._cleanup)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """End the run in order, from wherever: robots end what was released to them."""
        return self._try("finalized", self._end)

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Back to unconfigured; the reason stays on diagnostics."""
        reason = self._reason
        self._try("unconfigured", self._end)
        self._state, self._reason, self._failed = "unconfigured", reason, ""
        self._alive()
        return DONE

    def _configure(self) -> None:
        settings = settings_of(values(self, ORCHESTRATOR))
        if settings.rmf_level and missing([rmf.PACKAGE]):
            mend = "apt install ros-<distro>-rmf-fleet-msgs, or leave it empty"
            raise SettingsError(f"rmf_level: {rmf.PACKAGE} is missing -> {mend}")
        self.get_logger().info(self._building.configure(settings))
        self._fleet.connect(settings, corridors=self._building.corridors)

    def _activate(self) -> None:
        self._whole()
        self._building.start()

    def _cleanup(self) -> None:
        self._end()
        self._whole()

    def _whole(self) -> None:
        if self._failed:
            raise RuntimeError(self._failed)

    def _deactivate(self) -> None:
        self._whole()
        problem = self._building.pause()
        if problem:
            raise RuntimeError(problem)

    def _end(self) -> None:
        self._fleet.disconnect()
        self._building.stop()

    def _try(self, then: str, act: Callable[[], Any]) -> TransitionCallbackReturn:
        try:
            act()
        except Exception as error:  # whatever it is: it is told, and the node lives on
            self._reason = f"{error}" or type(error).__name__
            self.get_logger().error(self._reason)
            self._alive()
            return FAILED
        self._state, self._reason = then, ""
        self._alive()
        return DONE

    def _change(self, change: Callable[[Any, Any], Any], request: Any, response: Any) -> Any:
        """The service; one transition at a time, and what can't be done from here is refused: `rclpy`
        would raise, and the node end."""
        response.success = False
        if not self._moving.acquire(blocking=False):
            self.get_logger().warning("a transition is under way -> ask again when it has ended")
            return response
        try:
            return change(request, response)
        except rclpy_implementation.RCLError as error:
            self.get_logger().warning(f"no such transition from {self._state}: {error}")
            return response
        finally:
            self._moving.release()

    def _watch(self) -> None:
        """Start by itself; notice that the building has failed."""
        if not (self._autostart or self._failed) or not self._moving.acquire(blocking=False):
            return
        try:
            self._by_itself()
        finally:
            self._moving.release()

    def _by_itself(self) -> None:
        if self._autostart:
            self._autostart = False
            if self._state == "unconfigured" and self.trigger_configure() == DONE:
                self.trigger_activate()
        elif self._failed and self._state == "active":
            self.trigger_deactivate()
        elif self._failed and self._state == "inactive":
            self.trigger_cleanup()

    def _alive(self) -> None:
        """The node itself, on diagnostics."""
        now_ns = self.stamp_ns()
        status = ros.DiagnosticStatus(
            translation.ERROR if self._reason else translation.OK,
            "lightsout: orchestrator",
            self._reason or self._state,
        )
        found = ros.DiagnosticArray(ros.Header(translation.time(now_ns), ""), [status])
        self.show(Said(now_ns, topics.DIAGNOSTICS, found))

    # --- what it is told -------------------------------------------------------------------------

    def _heard(self, name: str, message: Any) -> None:
        self._building.heard(name, message.data.encode())

    def _trigger(self, name: str, _: Any, response: Any) -> Any:
        response.success, response.message = self._building.ask(TRIGGERS[name])
        return response

    def _switch(self, name: str, request: Any, response: Any) -> Any:
        make = SWITCHES[name]
        response.success, response.message = self._building.ask(
            lambda identity: make(identity, request.data)
        )
        return response
