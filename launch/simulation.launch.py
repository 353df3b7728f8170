"""The building, played: VDA 5050 vehicles and their stations, or Nav2-like robots; and /clock.

An argument that is empty leaves what the file of parameters says.
"""

from typing import Any

from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, LogInfo, OpaqueFunction, RegisterEventHandler
from launch.event_handlers import OnProcessExit
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.substitutions import FindPackageShare

from orchestrator.ros.parameters import SIMULATOR, TIME, of_texts

PARAMS = PathJoinSubstitution([FindPackageShare("lightsout"), "config", "simulation.yaml"])
ARGUMENTS = [
    ("namespace", "lightsout", "of the node; robots have namespaces of their own"),
    ("use_sim_time", "false", "nothing takes the time from itself: leave it false"),
    ("params_file", PARAMS, "parameters of the node (YAML)"),
    ("autostart", "true", "of nodes that have a lifecycle: this one begins at once"),
    ("log_level", "info", "debug, info, warn, error or fatal"),
    ("site", "", "folder of the site, or the name of one that came with the package"),
    ("seed", "", "of everything that is chance"),
    ("speed", "", "simulated seconds per second"),
    ("mqtt_url", "", "broker of the orchestrator"),
    ("record", "", "run file: what really happened"),
    ("nav2_robots", "", "namespaces of Nav2-like robots to play, with commas between them"),
]


def simulator(context: LaunchContext) -> list[Any]:
    """The node, as the arguments say."""

    def given(name: str) -> str:
        return LaunchConfiguration(name).perform(context)

    texts = {name: given(name) for name, _, _ in ARGUMENTS}
    parameters = of_texts([*SIMULATOR, TIME], texts)
    node = Node(
        package="lightsout",
        executable="simulator",
        name="simulator",
        namespace=given("namespace"),
        parameters=[given("params_file"), parameters],
        arguments=["--ros-args", "--log-level", given("log_level")],
        output="screen",
        emulate_tty=True,
        respawn=False,
        sigterm_timeout="5",
    )
    ended = OnProcessExit(target_action=node, on_exit=[LogInfo(msg="the simulation ended")])
    return [RegisterEventHandler(ended), node]


def generate_launch_description() -> LaunchDescription:
    """The arguments, and what they make."""
    declared = [
        DeclareLaunchArgument(name, default_value=default, description=text)
        for name, default, text in ARGUMENTS
    ]
    return LaunchDescription([*declared, OpaqueFunction(function=simulator)])
