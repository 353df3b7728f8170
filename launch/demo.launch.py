"""A small centre at work: `ros2 launch lightsout demo.launch.py rviz:=true`.

The simulation plays the vehicles and stations of sites/jd_small, the orchestrator runs them over a
broker of its own; orders come as in the simulation.
"""

from typing import Any

from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription, OpaqueFunction
from launch.conditions import IfCondition
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.substitutions import FindPackageShare

from orchestrator.ros.parameters import embedded_port

SHARE = FindPackageShare("lightsout")
ARGUMENTS = [
    ("namespace", "lightsout", "of the nodes and their topics"),
    ("use_sim_time", "false", "the orchestrator takes its time from the simulation's /clock"),
    ("params_file", PathJoinSubstitution([SHARE, "config", "orchestrator.yaml"]),
     "parameters of the orchestrator (YAML)"),
    ("autostart", "true", "configure and activate the orchestrator without being asked"),
    ("log_level", "info", "debug, info, warn, error or fatal"),
    ("site", "jd_small", "folder of the site, or the name of one that came with the package"),
    ("seed", "7", "of everything that is chance"),
    ("speed", "1.0", "simulated seconds per second"),
    ("mqtt_url", "embedded", "broker between the two; embedded, or embedded:PORT: one of the "
     "orchestrator's own"),
    ("record", "demo.run", "run file; beside one that was ended in order another begins"),
    ("override", "demo", "why the site is run without a valid certificate of its rehearsal"),
    ("orders", "site", "site: its customers' orders as in the simulation; none"),
    ("rviz", "false", "show it in RViz"),
]  # fmt: skip
SHARED = ("namespace", "log_level", "site", "seed", "speed")


def included(name: str, **arguments: object) -> IncludeLaunchDescription:
    """Another launch file of this package."""
    path = PathJoinSubstitution([SHARE, "launch", f"{name}.launch.py"])
    return IncludeLaunchDescription(
        PythonLaunchDescriptionSource(path), launch_arguments=arguments.items()
    )


def simulation(context: LaunchContext) -> list[Any]:
    """What the orchestrator runs, at the orchestrator's broker."""
    url = LaunchConfiguration("mqtt_url").perform(context)
    port = embedded_port(url)
    if port:
        url = f"mqtt://127.0.0.1:{port}"
    return [
        included(
            "simulation",
            **{name: LaunchConfiguration(name) for name in SHARED},
            params_file=PathJoinSubstitution([SHARE, "config", "simulation.yaml"]),
            use_sim_time="false",
            autostart="true",
            record="",
            mqtt_url=url,
        )
    ]


def generate_launch_description() -> LaunchDescription:
    """The arguments, and both parts."""
    declared = [
        DeclareLaunchArgument(name, default_value=default, description=text)
        for name, default, text in ARGUMENTS
    ]
    shared = {name: LaunchConfiguration(name) for name in SHARED}
    orchestrator = included(
        "orchestrator",
        **shared,
        when_closed="new",  # what is played begins anew as well
        **{
            name: LaunchConfiguration(name)
            for name in ("use_sim_time", "params_file", "autostart", "mqtt_url", "record",
                         "override", "orders")
        },
    )  # fmt: skip
    rviz = Node(
        package="rviz2",
        executable="rviz2",
        arguments=["-d", PathJoinSubstitution([SHARE, "config", "lightsout.rviz"])],
        condition=IfCondition(LaunchConfiguration("rviz")),
    )
    return LaunchDescription([*declared, orchestrator, OpaqueFunction(function=simulation), rviz])
