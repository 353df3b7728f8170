"""Run the demo under ROS 2: `ros2 launch lightsout demo.launch.py`.

`lightsout demo` is a command and no ROS node (it would not know `--ros-args`): so this starts a
process, found where the package was installed, instead of a `launch_ros` Node.
"""

from launch import LaunchDescription
from launch.actions import ExecuteProcess
from launch_ros.substitutions import ExecutableInPackage


def generate_launch_description() -> LaunchDescription:
    """Return the one process of the demo; launch ends when it does."""
    lightsout = ExecutableInPackage(executable="lightsout", package="lightsout")
    return LaunchDescription([ExecuteProcess(cmd=[lightsout, "demo"], output="screen")])
