"""What is said of robots that fail and of lanes on which something lies, and what is asked for then."""

from __future__ import annotations

from orchestrator.core.message import Message

# --- events -------------------------------------------------------------------------------------


class RobotFaulted(Message, frozen=True):
    """The robot stands still where it is, somewhere on what it holds, and obeys nothing.

    kind: robot_dead | robot_slipped (it doesn't know where it is) | battery_empty | robot_nonsense |
    robot_silent (nothing is heard of it) | robot_manual (somebody took it out of automatic)."""

    robot: int
    reason: str
    kind: str = "robot_dead"


class RobotRecovered(Message, frozen=True):
    """The robot obeys again. It kept its base, and goes on along it. `edge`: the last one of it that
    it has driven to the end, where earlier reports could not be believed; -1: nothing to add."""

    robot: int
    edge: int = -1


class RecoveryFailed(Message, frozen=True):
    """A `RecoverRobot` had no success."""

    robot: int
    attempt: int


class LaneBlocked(Message, frozen=True):
    """The robot stands on `edge`, the next of its base, or at its beginning: something lies ahead."""

    robot: int
    edge: int


class LaneCleared(Message, frozen=True):
    """Nothing lies on the edge any more. Robots that stood there go on along their base."""

    edge: int


class ClearingFailed(Message, frozen=True):
    """A `ClearLane` had no success."""

    edge: int
    attempt: int


class BackedOut(Message, frozen=True):
    """The robot has forgotten its base and stands at `node`, the last that it reached."""

    robot: int
    node: int


class BaseTrimmed(Message, frozen=True):
    """The answer to a `TrimBase`: the robot is known to stand, and will not drive these last edges of
    its base; none: it may be on them."""

    robot: int
    edges: tuple[int, ...]


# --- commands -----------------------------------------------------------------------------------


class RecoverRobot(Message, frozen=True):
    """Bring a robot back from afar; `attempt` counts from 1. how: restart | relocalise. With
    `maintenance` a person may enter: the end of a recovery that nothing else could end, counted as a
    human touch, also for `orders`, which wait in the area that is closed meanwhile."""

    robot: int
    attempt: int
    maintenance: bool = False
    how: str = "restart"
    orders: tuple[str, ...] = ()


class TrimBase(Message, frozen=True):
    """The robot, which is dead and waits for a person, is not to drive these last edges of its base. It
    holds them until `BaseTrimmed` says that it will not."""

    robot: int
    edges: tuple[int, ...]


class StopRobot(Message, frozen=True):
    """Brake and stand: the robot's reports can't be believed."""

    robot: int


class ClearLane(Message, frozen=True):
    """Take away what lies on the edge, without a person unless `maintenance`."""

    edge: int
    attempt: int
    maintenance: bool = False
    orders: tuple[str, ...] = ()


class BackOut(Message, frozen=True):
    """Forget the base, and drive back to the node that was reached last."""

    robot: int
