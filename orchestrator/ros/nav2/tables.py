"""The life of a goal as a table: state -> what may follow."""

from __future__ import annotations

from orchestrator.vda5050.control.tables import Table, follow

__all__ = ["ABORTED", "CANCELED", "CODES", "GOAL", "SUCCEEDED", "Meaning", "follow"]

GOAL: Table = {
    "asked": ("driving", "cancelling", "over"),
    "driving": ("cancelling", "over"),
    "cancelling": ("over",),
    "over": (),
}

# action_msgs/msg/GoalStatus
SUCCEEDED, CANCELED, ABORTED = 4, 5, 6


class Meaning:
    """What becomes of a robot whose goal ended badly."""

    AGAIN = "again"  # a few times, then it counts as broken
    BLOCKED = "blocked"  # something is in its way
    SETTINGS = "settings"  # trying again won't help


# error_code of FollowPath and of NavigateThroughPoses, which tells its planner's and its controller's
# as well (nav2_msgs/action) -> (its name there, what it means for us)
CODES: dict[int, tuple[str, str]] = {
    0: ("NONE", Meaning.AGAIN),
    100: ("UNKNOWN", Meaning.AGAIN),
    101: ("INVALID_CONTROLLER", Meaning.SETTINGS),
    102: ("TF_ERROR", Meaning.AGAIN),
    103: ("INVALID_PATH", Meaning.SETTINGS),
    104: ("PATIENCE_EXCEEDED", Meaning.BLOCKED),
    105: ("FAILED_TO_MAKE_PROGRESS", Meaning.BLOCKED),
    106: ("NO_VALID_CONTROL", Meaning.BLOCKED),
    107: ("CONTROLLER_TIMED_OUT", Meaning.AGAIN),
    108: ("TIMEOUT", Meaning.AGAIN),
    301: ("INVALID_PLANNER", Meaning.SETTINGS),
    303: ("START_OUTSIDE_MAP", Meaning.SETTINGS),
    304: ("GOAL_OUTSIDE_MAP", Meaning.SETTINGS),
    305: ("START_OCCUPIED", Meaning.BLOCKED),
    306: ("GOAL_OCCUPIED", Meaning.BLOCKED),
    308: ("NO_VALID_PATH", Meaning.BLOCKED),
    9101: ("FAILED_TO_LOAD_BEHAVIOR_TREE", Meaning.SETTINGS),
}
