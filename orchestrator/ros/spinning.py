"""A node from its beginning to its end. Knows `rclpy`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import rclpy
from rclpy.executors import ExternalShutdownException, MultiThreadedExecutor


def spin(
    make: Callable[[], Any], begin: Callable[[Any], None], end: Callable[[Any], None], threads: int
) -> int:
    """Until it is interrupted, or the context is shut down; then `end`, in any case. What `make` raises
    is said, and the exit code is 2."""
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
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    finally:
        node.show.hush()
        end(node)
        executor.shutdown(timeout_sec=1.0)
        node.destroy_node()
        rclpy.try_shutdown()
    return 0


def stop() -> None:
    """End the spinning, from any thread."""
    rclpy.try_shutdown()
