"""What a vehicle knows of itself: place, heading, speed."""

from __future__ import annotations

import math

from sim.robots import SimRobot


def heading(robot: SimRobot) -> float:
    """Of its body, in radians (-pi, pi]."""
    degrees = float(robot.heading_deg)
    if robot.turn is not None:
        begun_ns, left, _ = robot.turn
        seconds = (robot.world.clock.now_ns - begun_ns) * 1e-9
        turned = min(abs(left), math.degrees(robot.turn_radps) * seconds)
        degrees += math.copysign(turned, left)
    return math.remainder(math.radians(degrees), math.tau)


def speed(robot: SimRobot) -> float:
    """Along the edge under way, in m/s."""
    return robot.on_edge()[1] if robot.phases else 0.0


def since_node(robot: SimRobot) -> float:
    """Metres driven since the last node."""
    if not robot.base:
        return 0.0
    return max(0.0, robot.on_edge()[0] if robot.driving else robot.halted_m)


def moving(robot: SimRobot) -> bool:
    """It drives or turns."""
    return bool(robot.driving or robot.turn is not None or robot.phases)
