"""What all nodes share: parameters by their table, publishers by theirs. Knows `rclpy`."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy

from orchestrator.ros.display import Said
from orchestrator.ros.messages import filled
from orchestrator.ros.parameters import Parameter
from orchestrator.ros.topics import Topic


def declare(node: Any, parameters: Sequence[Parameter]) -> None:
    """With descriptions and ranges; a value of another type ends the node, as ROS 2 has it."""
    for known in parameters:
        described = ParameterDescriptor(description=known.text)
        if known.choices:
            described.additional_constraints = f"one of {', '.join(known.choices)}"
        if known.low is not None and isinstance(known.default, float):
            span = FloatingPointRange(from_value=float(known.low), to_value=float(known.high or 0))
            described.floating_point_range = [span]
        elif known.low is not None:
            whole = IntegerRange(from_value=int(known.low), to_value=int(known.high or 0), step=1)
            described.integer_range = [whole]
        node.declare_parameter(known.name, known.default, described)


def values(node: Any, parameters: Sequence[Parameter]) -> dict[str, Any]:
    """As they are now."""
    return {known.name: node.get_parameter(known.name).value for known in parameters}


def message_class(name: str) -> Any:
    """Of "std_msgs/msg/String"."""
    package, _, kind = name.split("/")
    return getattr(import_module(f"{package}.msg"), kind)


def qos(topic: Topic) -> QoSProfile:
    """Reliable; latched ones reach late joiners."""
    durability = DurabilityPolicy.TRANSIENT_LOCAL if topic.latched else DurabilityPolicy.VOLATILE
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=topic.depth,
        reliability=ReliabilityPolicy.RELIABLE,
        durability=durability,
    )


class Speaker:
    """Publishes; a topic begins with its first message."""

    def __init__(self, node: Any) -> None:
        self._node = node
        self._known: dict[str, tuple[Any, Any]] = {}
        self._hushed = False

    def hush(self) -> None:
        """Nothing can be said any more: ROS 2 is being shut down."""
        self._hushed = True

    def __call__(self, said: Said) -> None:
        """One message."""
        if not self.hushed:
            try:
                self._say(said)
            except Exception:  # whatever rclpy raises when it was shut down meanwhile
                if not self.hushed:
                    raise

    @property
    def hushed(self) -> bool:
        """ROS 2 is gone, or about to go."""
        return self._hushed or not self._node.context.ok()

    def _say(self, said: Said) -> None:
        topic = said.topic
        known = self._known.get(topic.name)
        if known is None:
            kind = message_class(topic.type)
            known = kind, self._node.create_publisher(kind, topic.name, qos(topic))
            self._known[topic.name] = known
        kind, publisher = known
        publisher.publish(filled(kind, said.message))


class NodeClock:
    """The node's clock as the run's: from 0 on when there is a time at all, and never backwards. Of
    simulated time, as `/clock` tells it."""

    def __init__(self, node: Any) -> None:
        self._node = node
        self._first_ns, self._last_ns = -1, 0

    def __call__(self) -> int:
        """In ns."""
        now_ns = self._node.get_clock().now().nanoseconds
        if now_ns <= 0:
            return self._last_ns
        if self._first_ns < 0:
            self._first_ns = now_ns
        self._last_ns = max(self._last_ns, now_ns - self._first_ns)
        return self._last_ns
