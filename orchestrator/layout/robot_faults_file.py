"""Parts of faults.yaml about robots and lanes."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from orchestrator.layout.fields import NotNegative, Part, Positive, Range, Share


class AtNode(Part):
    """The first robot that reaches `node` after `after_s`: it happens to it there."""

    node: str
    after_s: NotNegative = 0


class Strikes(Part):
    """Something that happens to robots: by chance, or at given places."""

    per_robot_hour: NotNegative = 0
    at: tuple[AtNode, ...] = ()
    fleets: tuple[str, ...] = ()  # none: all


class RobotDies(Strikes):
    """A robot stands still and obeys nothing."""

    restart_s: Range = (45, 120)
    restart_success: Share = 0.8


class RobotSlips(Strikes):
    """A robot doesn't know where it is any more, and stands."""

    relocalise_s: Range = (15, 60)
    relocalise_success: Share = 0.85


class RobotNonsense(Strikes):
    """A robot reports what can't be true, for a while, or until it is restarted."""

    reports: tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]] = (2, 12)
    every_s: Range = (1, 8)
    restart_s: Range = (45, 120)


class OnEdge(Part):
    """A carton lies on the middle of `edge` from `after_s` on, as soon as nobody is near."""

    edge: str
    after_s: NotNegative = 0


class LaneBlocked(Part):
    """A carton falls on a lane."""

    per_hour: NotNegative = 0
    at: tuple[OnEdge, ...] = ()
    size_m: Positive = 0.2
    clear_s: Range = (60, 180)
    clear_success: Share = 0.7
    left_share: Share = 0.0  # of those that are said to be cleared: it lies there still
