"""Names that ROS 2 allows for topics, frames and namespaces: letters, digits and underscores."""

from __future__ import annotations

import re

NOT_ALLOWED = re.compile(r"[^A-Za-z0-9_]")


def level(name: str) -> str:
    """One level of a topic: tote_amr-001 becomes tote_amr_001. It must not begin with a digit."""
    found = NOT_ALLOWED.sub("_", name) or "_"
    found = re.sub("_+", "_", found)
    return found if found[0].isalpha() else f"r{found}" if found[0] == "_" else f"r_{found}"


class Names:
    """Of robots: each has one of its own, whatever they are called."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}
        self._taken: dict[str, str] = {}

    def __call__(self, robot: str) -> str:
        """A robot's level; two that would be alike get numbers."""
        found = self._known.get(robot)
        if found is not None:
            return found
        found, number = level(robot), 2
        while found in self._taken:
            found, number = f"{level(robot)}_{number}", number + 1
        self._known[robot], self._taken[found] = found, robot
        return found

    def robot(self, found: str) -> str:
        """Whose level this is; "": nobody's."""
        return self._taken.get(found, "")

    def frame(self, robot: str) -> str:
        """A robot's own frame."""
        return f"{self(robot)}/base_link"
