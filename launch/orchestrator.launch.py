"""The orchestrator of a building: `ros2 launch lightsout orchestrator.launch.py site:=my_site`.

An argument that is empty leaves what the file of parameters says.
"""

from typing import Any

from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, LogInfo, OpaqueFunction, RegisterEventHandler
from launch.event_handlers import OnProcessExit, OnProcessStart
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import LifecycleNode
from launch_ros.substitutions import FindPackageShare

from orchestrator.ros.parameters import ORCHESTRATOR, TIME, of_texts

PARAMS = PathJoinSubstitution([FindPackageShare("lightsout"), "config", "orchestrator.yaml"])
ARGUMENTS = [
    ("namespace", "lightsout", "of the node and its topics"),
    ("use_sim_time", "false", "take the time from /clock"),
    ("params_file", PARAMS, "parameters of the node (YAML)"),
    ("autostart", "true", "configure and activate without being asked"),
    ("log_level", "info", "debug, info, warn, error or fatal"),
    ("site", "", "folder of the site, or the name of one that came with the package"),
    ("seed", "", "of the opening stock and of orders that the site makes up"),
    ("speed", "", "seconds of the run per second"),
    ("mqtt_url", "", "broker of VDA 5050 vehicles and equipment; embedded: one of its own"),
    ("record", "", "run file; one that there is is gone on with"),
    (
        "when_closed",
        "",
        "resume: also with one that was ended in order; new: another begins beside it",
    ),
    ("override", "", "why the site is run without a valid certificate of its rehearsal"),
    ("orders", "", "site: its customers' orders as in the simulation; none"),
    ("nav2_robots", "", "namespaces of robots that run Nav2, with commas between them"),
    ("nav2_poses", "", "where they say where they are: tf or amcl_pose"),
]


def orchestrator(context: LaunchContext) -> list[Any]:
    """The node, as the arguments say. Killed, it is started again and goes on with its run."""

    def given(name: str) -> str:
        return LaunchConfiguration(name).perform(context)

    texts = {name: given(name) for name, _, _ in ARGUMENTS}
    parameters = of_texts([*ORCHESTRATOR, TIME], texts)
    node = LifecycleNode(
        package="lightsout",
        executable="orchestrator",
        name="orchestrator",
        namespace=given("namespace"),
        parameters=[given("params_file"), parameters],
        arguments=["--ros-args", "--log-level", given("log_level")],
        output="screen",
        emulate_tty=True,
        respawn=True,
        respawn_delay=2.0,
        sigterm_timeout="5",
    )
    started = OnProcessStart(target_action=node, on_start=[LogInfo(msg="orchestrator started")])
    ended = OnProcessExit(
        target_action=node,
        on_exit=[LogInfo(msg="orchestrator ended; started again unless asked to")],
    )
    return [RegisterEventHandler(started), RegisterEventHandler(ended), node]


def generate_launch_description() -> LaunchDescription:
    """The arguments, and what they make."""
    declared = [
        DeclareLaunchArgument(name, default_value=default, description=text)
        for name, default, text in ARGUMENTS
    ]
    return LaunchDescription([*declared, OpaqueFunction(function=orchestrator)])
