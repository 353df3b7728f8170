"""A node from its beginning to its end. Knows `rclpy`."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from typing import Any

import rclpy
from rclpy.executors import MultiThreadedExecutor


def spin(
    make: Callable[[], Any], begin: Callable[[Any], None], end: Callable[[Any], None], threads: int
) -> int:
    """Until it is interrupted, or the context is shut down; then `end`, in any case. What `make` raises
    is said, and the exit code is 2. Ctrl-C reaches a node twice, from the terminal and from launch:
    ROS 2's handler shuts the context down at the first one, and none may break off the end."""
    signal.signal(signal.SIGINT, lambda *_: None)
    rclpy.init(args=sys.argv)
    try:
        node = make()
    except Exception as error:  # a parameter of another type, for instance
        print(f"lightsout: {error}", file=sys.stderr)
        rclpy.try_shutdown()
        return 2
    executor = MultiThreadedExecutor(num_threads=threads)
    executor.add_node(node)
    try:
        begin(node)
        executor.spin()
    except Exception:  # of many kinds, where the context is shut down in the middle of a step
        if rclpy.ok():
            raise
    finally:
        node.show.hush()
        end(node)
        executor.shutdown(timeout_sec=1.0)
        node.destroy_node()
        rclpy.try_shutdown()
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a late one would kill Python while it ends
    return 0


def stop() -> None:
    """End the spinning, from any thread."""
    rclpy.try_shutdown()
