"""A real ROS 2 to test against: launch files and nodes in sessions of their own, and somebody who
listens and asks. Discovery stays on this machine, in a domain of the test's own.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import rclpy
from lifecycle_msgs.msg import State
from lifecycle_msgs.srv import ChangeState, GetState
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import SetParameters
from rclpy.context import Context
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from std_msgs.msg import String
from std_srvs.srv import Trigger

from orchestrator.ros import translation
from orchestrator.ros.speaking import message_class

ROOT = Path(__file__).parents[2]
WAIT_S = 240.0  # real, on a machine that is busy with other things; nothing takes that long
TRANSITIONS = {"configure": 1, "cleanup": 2, "activate": 3, "deactivate": 4}
ANY_STATE = {name: getattr(State, f"PRIMARY_STATE_{name.upper()}") for name in (
    "unconfigured", "inactive", "active", "finalized")}  # fmt: skip


def wait(until: Callable[[], Any], what: str | Callable[[], str], seconds: float = WAIT_S) -> Any:
    """What it gives when that is something."""
    end = time.monotonic() + seconds
    while True:
        found = until()
        if found:
            return found
        assert time.monotonic() < end, what if isinstance(what, str) else what()
        time.sleep(0.05)


class Started:
    """A command in a session of its own, and what it says."""

    def __init__(self, words: Sequence[str], domain: int, folder: Path) -> None:
        env = dict(os.environ)
        env |= {
            "ROS_DOMAIN_ID": str(domain),
            "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",
            "PYTHONUNBUFFERED": "1",
            "RCUTILS_COLORIZED_OUTPUT": "0",
            "ROS_LOG_DIR": str(folder / "log"),
        }
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env, cwd=folder,
            start_new_session=True,
        )  # fmt: skip
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip())

    @property
    def text(self) -> str:
        """All of it."""
        return "\n".join(self.lines)

    def says(self, text: str) -> None:
        """Wait for it."""
        wait(
            lambda: text in self.text or self.process.poll() is not None,
            lambda: f"nobody says {text!r}:\n{self.text[-3000:]}",
        )
        assert text in self.text, self.text[-3000:]

    def ended(self) -> int:
        """Its exit code."""
        code = self.process.wait(WAIT_S)
        self._reader.join(10.0)
        return code

    def interrupt(self) -> tuple[int, float]:
        """Ctrl-C: all of its processes get SIGINT. Exit code, and how long the end took."""
        begun = time.monotonic()
        os.killpg(self.process.pid, signal.SIGINT)
        return self.ended(), time.monotonic() - begun

    def processes(self) -> list[int]:
        """All of its session that live."""
        found = []
        for path in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                fields = path.read_text().rpartition(")")[2].split()
                if int(fields[3]) == self.process.pid and fields[0] != "Z":
                    found.append(int(path.parent.name))
        return found

    def kill(self) -> None:
        """Whatever is left of it."""
        for pid in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait(10.0)


def node(name: str, *parameters: str) -> list[str]:
    """The words that start one of our nodes from where the code is."""
    code = f"import sys; from orchestrator.commands import ros_nodes; sys.exit(ros_nodes.{name}())"
    given = [word for parameter in parameters for word in ("-p", parameter)]
    remap = ["-r", "__ns:=/lightsout"]
    return [sys.executable, "-c", code, "--ros-args", *remap, *given]


class Ears:
    """Hears topics and asks, in a domain."""

    def __init__(self, domain: int) -> None:
        self.context = Context()
        rclpy.init(context=self.context, domain_id=domain)
        self.node = rclpy.create_node("ears", context=self.context)
        self.heard: dict[str, list[Any]] = defaultdict(list)
        self.places: dict[str, tuple[float, float, float]] = {}  # by frame, as told last
        self._executor = SingleThreadedExecutor(context=self.context)
        self._executor.add_node(self.node)
        self._thread = threading.Thread(target=self._spin, daemon=True)
        self._thread.start()
        self._doors: dict[str, Any] = {}

    def _spin(self) -> None:
        with contextlib.suppress(ExternalShutdownException):
            while self.context.ok():
                self._executor.spin_once(timeout_sec=0.2)

    def hear(self, topic: str, kind: str, *, latched: bool = False) -> None:
        """From now on, or from what is latched on."""
        durability = DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE
        qos = QoSProfile(depth=1000, durability=durability, reliability=ReliabilityPolicy.RELIABLE)
        made = message_class(kind)
        hear = self._places if topic == "/tf" else self.heard[topic].append
        self.node.create_subscription(made, topic, hear, qos)

    def _places(self, message: Any) -> None:
        self.heard["/tf"].append(message)
        for each in message.transforms:
            at = each.transform.translation
            self.places[each.child_frame_id] = (
                at.x, at.y, translation.heading(each.transform.rotation),
            )  # fmt: skip

    def texts(self, topic: str) -> list[dict[str, Any]]:
        """JSON that was heard."""
        return [json.loads(message.data) for message in list(self.heard[topic])]

    def problems(self) -> dict[str, str]:
        """By name, what diagnostics said last and is not well."""
        found = {}
        for message in list(self.heard["/diagnostics"]):
            for status in message.status:
                found[status.name] = status.message if status.level != b"\0" else ""
        return {name: text for name, text in found.items() if text}

    def history(self) -> list[tuple[str, str]]:
        """All that diagnostics ever said that is not well: name and message."""
        return [
            (status.name, status.message)
            for message in list(self.heard["/diagnostics"])
            for status in message.status
            if status.level != b"\0"
        ]

    def tell(self, topic: str, message: dict[str, Any]) -> None:
        """As JSON, when somebody hears it."""
        if topic not in self._doors:
            self._doors[topic] = self.node.create_publisher(String, topic, 10)
        door = self._doors[topic]
        wait(lambda: door.get_subscription_count() > 0, f"nobody hears {topic}")
        door.publish(String(data=json.dumps(message)))

    def order(self, message: dict[str, Any]) -> None:
        """Told until it is answered: who has only just met may miss the first message, and a request
        that comes twice is one."""
        end = time.monotonic() + WAIT_S

        def answered() -> bool:
            return any(r["request"] == message["request"] for r in self.texts("/lightsout/replies"))

        while not answered():
            assert time.monotonic() < end, f"no answer to {message}"
            self.tell("/lightsout/orders", message)
            again = time.monotonic() + 3.0
            while not answered() and time.monotonic() < again:
                time.sleep(0.02)

    def call(self, kind: Any, name: str, request: Any) -> Any:
        """A service's answer."""
        client = self.node.create_client(kind, name)
        assert client.wait_for_service(WAIT_S), f"there is no service {name}"
        future = client.call_async(request)
        wait(future.done, f"no answer of {name}")
        self.node.destroy_client(client)
        return future.result()

    def trigger(self, name: str) -> Any:
        """Of std_srvs/Trigger."""
        return self.call(Trigger, name, Trigger.Request())

    def parameter(self, name: str, text: str) -> None:
        """Of the orchestrator."""
        request = SetParameters.Request()
        value = ParameterValue(type=ParameterType.PARAMETER_STRING, string_value=text)
        request.parameters = [Parameter(name=name, value=value)]
        found = self.call(SetParameters, "/lightsout/orchestrator/set_parameters", request)
        assert found.results[0].successful, found.results[0].reason

    def becomes(self, transition: str) -> bool:
        """The orchestrator's state is changed; False: the transition failed."""
        request = ChangeState.Request()
        request.transition.id = TRANSITIONS[transition]
        return bool(self.call(ChangeState, "/lightsout/orchestrator/change_state", request).success)

    def state(self) -> str:
        """The orchestrator's."""
        found = self.call(GetState, "/lightsout/orchestrator/get_state", GetState.Request())
        return str(found.current_state.label)

    def is_state(self, name: str) -> None:
        """Wait for it."""
        wait(lambda: self.state() == name, f"it never becomes {name}")

    def close(self) -> None:
        """No more."""
        rclpy.shutdown(context=self.context)
        self._thread.join(10.0)
