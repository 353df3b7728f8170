"""Robots that run Nav2 as a fleet:

    ros2 launch lightsout nav2_fleet.launch.py site:=my_site robots:=robot_1,robot_2
    ros2 launch lightsout nav2_fleet.launch.py simulate:=true

The second needs nothing else: twenty robots that behave so are played in the site nav2_hall.
"""

from typing import Any

from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription, OpaqueFunction
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.substitutions import FindPackageShare

from orchestrator.ros.parameters import Parameter, of_texts

SHARE = FindPackageShare("lightsout")
ARGUMENTS = [
    ("namespace", "lightsout", "of the orchestrator and its topics"),
    ("use_sim_time", "false", "take the time from /clock"),
    ("params_file", PathJoinSubstitution([SHARE, "config", "orchestrator.yaml"]),
     "parameters of the orchestrator (YAML)"),
    ("autostart", "true", "configure and activate the orchestrator without being asked"),
    ("log_level", "info", "debug, info, warn, error or fatal"),
    ("site", "", "folder of the site; its `vehicles` let manufacturer nav2 in (simulated: nav2_hall)"),
    ("seed", "0", "of the opening stock, and of what is played"),
    ("speed", "1.0", "seconds of the run per second: 1 with real robots"),
    ("mqtt_url", "", "broker for equipment and other vehicles; empty: none"),
    ("record", "", "run file; one that there is is gone on with (simulated: one that did not end)"),
    ("override", "", "why the site is run without a valid certificate of its rehearsal (simulated: "
     "that it is)"),
    ("orders", "", "site: transports as in the simulation (simulated robots have them); none"),
    ("robots", "", "namespaces of the robots, with commas between them (simulated: robot_1 ... 20)"),
    ("nav2_poses", "", "where they say where they are: tf or amcl_pose"),
    ("simulate", "false", "play robots that behave like those with Nav2"),
]  # fmt: skip
SIMULATE = Parameter("simulate", False, "true or false")
SIMULATED = {
    "site": "nav2_hall",
    "override": "its robots are simulated",
    "orders": "site",
    "robots": ",".join(f"robot_{number}" for number in range(1, 21)),
}


def included(name: str, **arguments: object) -> IncludeLaunchDescription:
    """Another launch file of this package."""
    path = PathJoinSubstitution([SHARE, "launch", f"{name}.launch.py"])
    return IncludeLaunchDescription(
        PythonLaunchDescriptionSource(path), launch_arguments=arguments.items()
    )


def fleet(context: LaunchContext) -> list[Any]:
    """The orchestrator, and the robots if they are to be played."""

    def given(name: str) -> str:
        return LaunchConfiguration(name).perform(context)

    simulate = bool(of_texts([SIMULATE], {"simulate": given("simulate")})["simulate"])
    told = {name: given(name) or (simulate and SIMULATED.get(name)) or "" for name in SIMULATED}
    shared = {name: given(name) for name in ("namespace", "log_level", "seed", "speed")}
    shared |= {"site": told["site"], "nav2_robots": told["robots"]}
    found = [
        included(
            "orchestrator",
            **shared,
            override=told["override"],
            orders=told["orders"],
            when_closed="new" if simulate else "",  # what is played begins anew as well
            **{
                name: given(name)
                for name in (
                    "use_sim_time",
                    "params_file",
                    "autostart",
                    "mqtt_url",
                    "record",
                    "nav2_poses",
                )
            },
        )
    ]
    if simulate:
        found.append(
            included(
                "simulation",
                **shared,
                params_file=PathJoinSubstitution([SHARE, "config", "simulation.yaml"]),
                use_sim_time="false",
                autostart="true",
                mqtt_url="",
                record="",
            )
        )
    return found


def generate_launch_description() -> LaunchDescription:
    """The arguments, and what they make."""
    declared = [
        DeclareLaunchArgument(name, default_value=default, description=text)
        for name, default, text in ARGUMENTS
    ]
    return LaunchDescription([*declared, OpaqueFunction(function=fleet)])
