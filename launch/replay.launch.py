"""A recorded run on its topics again: `ros2 launch lightsout replay.launch.py record:=live.run`.

An argument that is empty leaves what the file of parameters says.
"""

from typing import Any

from launch import LaunchContext, LaunchDescription
from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    OpaqueFunction,
    RegisterEventHandler,
)
from launch.event_handlers import OnProcessExit
from launch.events import Shutdown
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.substitutions import FindPackageShare

from orchestrator.ros.parameters import REPLAY, TIME, of_texts

PARAMS = PathJoinSubstitution([FindPackageShare("lightsout"), "config", "replay.yaml"])
ARGUMENTS = [
    ("namespace", "lightsout", "of the node and its topics"),
    ("use_sim_time", "false", "nothing takes the time from itself: leave it false"),
    ("params_file", PARAMS, "parameters of the node (YAML)"),
    ("log_level", "info", "debug, info, warn, error or fatal"),
    ("speed", "", "seconds of the run per second"),
    ("record", "", "run file, or MCAP file of a whole run, to be replayed"),
    ("from_s", "", "second of the run to begin with"),
]


def replay(context: LaunchContext) -> list[Any]:
    """The node, as the arguments say; launch ends when it does."""

    def given(name: str) -> str:
        return LaunchConfiguration(name).perform(context)

    texts = {name: given(name) for name, _, _ in ARGUMENTS} | {"run": given("record")}
    parameters = of_texts([*REPLAY, TIME], texts)
    node = Node(
        package="lightsout",
        executable="replay",
        name="replay",
        namespace=given("namespace"),
        parameters=[given("params_file"), parameters],
        arguments=["--ros-args", "--log-level", given("log_level")],
        output="screen",
        emulate_tty=True,
        respawn=False,
    )
    over = EmitEvent(event=Shutdown(reason="the replay is over"))
    return [RegisterEventHandler(OnProcessExit(target_action=node, on_exit=[over])), node]


def generate_launch_description() -> LaunchDescription:
    """The arguments, and what they make."""
    declared = [
        DeclareLaunchArgument(name, default_value=default, description=text)
        for name, default, text in ARGUMENTS
    ]
    return LaunchDescription([*declared, OpaqueFunction(function=replay)])
