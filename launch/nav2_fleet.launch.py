"""Robots that run Nav2 as a fleet:

    ros2 launch lightsout nav2_fleet.launch.py site:=my_site robots:=robot_1,robot_2

With `simulate:=true` robots that behave so are played as well, and nothing else is needed.
"""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription
from launch.conditions import IfCondition
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.substitutions import FindPackageShare

SHARE = FindPackageShare("lightsout")
ARGUMENTS = [
    ("namespace", "lightsout", "of the orchestrator and its topics"),
    ("use_sim_time", "false", "take the time from /clock"),
    ("params_file", PathJoinSubstitution([SHARE, "config", "orchestrator.yaml"]),
     "parameters of the orchestrator (YAML)"),
    ("autostart", "true", "configure and activate the orchestrator without being asked"),
    ("log_level", "info", "debug, info, warn, error or fatal"),
    ("site", "", "folder of the site; its `vehicles` let manufacturer nav2 in"),
    ("seed", "0", "of the opening stock, and of what is played"),
    ("speed", "1.0", "seconds of the run per second: 1 with real robots"),
    ("mqtt_url", "", "broker for equipment and other vehicles; empty: none"),
    ("record", "", "run file; one that did not end in order is gone on with"),
    ("override", "", "why the site is run without a valid certificate of its rehearsal"),
    ("robots", "", "namespaces of the robots, with commas between them"),
    ("simulate", "false", "play robots that behave like those with Nav2"),
]  # fmt: skip


def included(name: str, **arguments: object) -> IncludeLaunchDescription:
    """Another launch file of this package."""
    path = PathJoinSubstitution([SHARE, "launch", f"{name}.launch.py"])
    return IncludeLaunchDescription(
        PythonLaunchDescriptionSource(path),
        launch_arguments=arguments.items(),
        condition=IfCondition(LaunchConfiguration("simulate")) if name == "simulation" else None,
    )


def generate_launch_description() -> LaunchDescription:
    """The arguments, and what they make."""
    declared = [
        DeclareLaunchArgument(name, default_value=default, description=text)
        for name, default, text in ARGUMENTS
    ]
    shared = {
        name: LaunchConfiguration(name)
        for name in ("namespace", "log_level", "site", "seed", "speed")
    }
    robots = LaunchConfiguration("robots")
    orchestrator = included(
        "orchestrator",
        nav2_robots=robots,
        orders="none",
        **shared,
        **{
            name: LaunchConfiguration(name)
            for name in ("use_sim_time", "params_file", "autostart", "mqtt_url", "record",
                         "override")
        },
    )  # fmt: skip
    simulation = included(
        "simulation",
        nav2_robots=robots,
        **shared,
        params_file=PathJoinSubstitution([SHARE, "config", "simulation.yaml"]),
        use_sim_time="false",
        autostart="true",
        mqtt_url="",
        record="",
    )
    return LaunchDescription([*declared, orchestrator, simulation])
