"""What a node needs and this machine lacks, in a sentence that says what to do."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec

FROM_ROS = (
    "rclpy", "rcl_interfaces", "lifecycle_msgs", "std_msgs", "std_srvs", "nav_msgs", "geometry_msgs",
    "visualization_msgs", "tf2_msgs", "diagnostic_msgs", "sensor_msgs", "rosgraph_msgs",
)  # fmt: skip
FOR_NAV2 = ("nav2_msgs", "action_msgs")
FROM_PIP = {
    "msgspec": "msgspec", "numba": "numba", "numpy": "numpy", "ortools": "ortools",
    "pydantic": "pydantic", "yaml": "PyYAML", "scipy": "scipy", "shapely": "shapely",
}  # fmt: skip
FOR_MQTT = {"aiomqtt": "aiomqtt", "amqtt": "amqtt"}


def missing(names: Iterable[str]) -> list[str]:
    """Those that can't be imported."""
    return [name for name in names if find_spec(name) is None]


def why_not(*, nav2: bool = False, mqtt: bool = False) -> str:
    """ "" or what is missing, and where it comes from."""
    ros = missing((*FROM_ROS, *(FOR_NAV2 if nav2 else ())))
    pip = FROM_PIP | (FOR_MQTT if mqtt else {})
    python = [pip[name] for name in missing(pip)]
    found = []
    if "rclpy" in ros:
        found.append("ROS 2 is not there -> source /opt/ros/<distro>/setup.bash, or install it")
    elif ros:
        names = " ".join(f"ros-<distro>-{name.replace('_', '-')}" for name in ros)
        found.append(f"{', '.join(ros)}: missing -> apt install {names}, or rosdep install")
    if python:
        mend = "pip install --no-deps -r requirements.lock (docs/ros2.md)"
        found.append(f"{', '.join(python)}: missing -> {mend}")
    return "; ".join(found)
