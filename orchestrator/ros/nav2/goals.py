"""What an adapter makes of its order: goals, one after the other; and what it makes of their ends."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestrator.ros.nav2.tables import CODES, GOAL, Meaning, follow
from orchestrator.ros.nav2.way import Leg, Pose, ends, locate, path, stretch

if TYPE_CHECKING:
    from orchestrator.ros.nav2.robot import Nav2Robot

SECOND_NS = 1_000_000_000
OFF, SILENT, FAILED, BLOCKED = "offPath", "nav2Silent", "nav2Failed", "pathBlocked"
FATAL, WARNING = "FATAL", "WARNING"


@dataclass(slots=True)
class Goal:
    """A goal of ours. `back`: to the last node, because something is in the way."""

    number: int
    legs: list[Leg]
    asked_ns: int
    status: str = "asked"  # see `tables.GOAL`
    at: int = 0  # the leg that it is on
    back: bool = False
    still: bool = False  # cancelled because nothing came of it

    def become(self, status: str) -> None:
        """As the table allows."""
        self.status = follow(GOAL, self.status, status)


def room_m(r: Nav2Robot, leg: Leg) -> float:
    """So far off a leg it may be."""
    return leg.corridor_m * r.limits.corridor if leg.free else r.limits.off_m


def progress(r: Nav2Robot, pose: Pose) -> bool:
    """Nodes that it has passed; True: something changed."""
    goal = r.goal
    if goal is None:
        before = len(r.held.nodes)
        legs = _found_again(r, pose)[:1] or r.held.left
        off_m = legs[0].project(pose.x, pose.y)[1] if legs else 0.0
        return on_way(r, legs[0] if legs else None, off_m) or len(r.held.nodes) < before
    at, way_m, off_m = locate(goal.legs, goal.at, pose.x, pose.y)
    changed = on_way(r, goal.legs[at], off_m)
    if off_m > room_m(r, goal.legs[at]) or goal.back:
        return changed
    goal.at = at
    for number, leg in enumerate(goal.legs[:-1]):
        close = number == at and leg.length_m - way_m <= r.limits.node_m
        if (number < at or close) and _ahead(r, leg):
            _pass(r, leg)
            changed = True
    return changed


def _ahead(r: Nav2Robot, leg: Leg) -> bool:
    return bool(r.held.nodes) and r.held.nodes[0].sequence <= leg.sequence


def _pass(r: Nav2Robot, leg: Leg) -> None:
    while _ahead(r, leg):
        r.held.passed()
    r.tries, r.failing = 0, ""
    r.errors.pop(BLOCKED, None)


def on_way(r: Nav2Robot, leg: Leg | None, off_m: float) -> bool:
    """The monitor: a robot that leaves the way that it holds is stopped, until it is well back. One
    that drives freely in a corridor is stopped by the first pose."""
    most_m = r.limits.off_m if leg is None else room_m(r, leg)
    if off_m <= most_m:
        r.off = 0
        return off_m <= most_m / 2 and r.errors.pop(OFF, None) is not None
    r.off += 1
    enough = 1 if leg is not None and leg.free else r.limits.off_poses
    if r.off < enough or OFF in r.errors:
        return False
    _off(r, off_m)
    return True


def _off(r: Nav2Robot, off_m: float) -> None:
    r.fault(OFF, FATAL, f"is {off_m:.2f} m off the way that it holds")
    if r.goal is None:
        r.outside.cancel(r.serial, r.goals_sent)  # whatever it is at
    stop(r)


def arrived(r: Nav2Robot, goal: Goal) -> None:
    """Nav2 says so; where it really is counts."""
    end, pose = goal.legs[-1], r.pose
    assert pose is not None
    if goal.back:
        r.came_back = True
        return
    if math.dist(end.b, pose[:2]) > r.limits.goal_m:
        failed(r, f"says that it is at {end.b}, and is at {pose.x:.2f}, {pose.y:.2f}")
        return
    _pass(r, end)


def went_wrong(r: Nav2Robot, status: int, code: int, text: str) -> None:
    """The goal ended otherwise: what that means for us."""
    name, meaning = CODES.get(code, (f"error {code}", Meaning.AGAIN))
    said = f"{name}: {text}" if text else name
    match meaning:
        case Meaning.BLOCKED:
            r.fault(BLOCKED, WARNING, said)
            r.again_ns = r.now_ns + int(r.limits.blocked_s * SECOND_NS)
        case Meaning.SETTINGS:
            r.fault(FAILED, FATAL, f"{said} -> mend its Nav2 parameters")
        case _:
            failed(r, said if code else f"goal ended with status {status}")


def failed(r: Nav2Robot, why: str, kind: str = FAILED) -> None:
    """Try again in a while; after too many tries it counts as broken."""
    r.goal = None
    r.failing = f"{kind}: {why}"
    r.tries += 1
    r.again_ns = r.now_ns + int(r.limits.again_s * SECOND_NS)
    if r.tries >= r.limits.tries:
        r.fault(kind, FATAL, f"{why} ({r.tries} times)")


def stop(r: Nav2Robot) -> None:
    """Cancel what it is at."""
    goal = r.goal
    if goal is not None and goal.status in ("asked", "driving"):
        goal.become("cancelling")
        goal.asked_ns = r.now_ns
        r.outside.cancel(r.serial, goal.number)


def still(r: Nav2Robot) -> bool:
    """It has a goal and does not move: cancelled, to be sent again."""
    goal, limit_ns = r.goal, int(r.limits.still_s * SECOND_NS)
    if goal is None or goal.status != "driving":
        return False
    if r.now_ns - max(r.moved_ns, goal.asked_ns) < limit_ns:
        return False
    goal.still = True
    stop(r)
    return True


def _barred(r: Nav2Robot) -> bool:
    fatal = any(error.level == FATAL for error in r.errors.values())
    return fatal or r.lost or r.paused or r.now_ns < r.again_ns


def settle(r: Nav2Robot) -> bool:
    """Do what can be done now; True: something changed."""
    if r.cancel:
        return cancelling(r)
    if r.paused and r.goal is None and not r.driving:
        return end(r, "startPause")
    if _barred(r) or (r.goal is not None and r.goal.status == "cancelling"):
        return False
    here = r.held.here()
    if here:
        if r.goal is None and all(each.status == "WAITING" for each in here):
            here[0].status = "RUNNING"
            r.outside.act(r.serial, here[0].action)
            return True
        return False
    return drive(r)


def drive(r: Nav2Robot) -> bool:
    """One goal for all that can be driven without a turn on the spot."""
    goal, pose = r.goal, r.pose
    if goal is None and pose is not None:
        _found_again(r, pose)
    legs = r.held.legs()
    legs = legs[: stretch(legs, r.limits.corner)]
    if not legs or pose is None:
        return False
    if goal is not None and goal.legs[-1].sequence >= legs[-1].sequence:
        return False
    _, way_m, off_m = locate(legs[:1], 0, pose.x, pose.y)
    if goal is None and off_m > room_m(r, legs[0]):
        _off(r, off_m)
        return True
    send(r, legs, ends(legs) if legs[0].free else path(legs, way_m, r.limits.step_m))
    return True


def _found_again(r: Nav2Robot, pose: Pose) -> list[Leg]:
    """What it may drive now. It may have gone on along that without a goal that we know of: before this
    program was started, or when an answer was lost. What lies behind it is passed."""
    legs = r.held.legs()
    for leg in legs:
        if leg.project(pose.x, pose.y)[1] <= room_m(r, leg):
            before = legs[: legs.index(leg)]
            if before:
                _pass(r, before[-1])
            return r.held.legs()
    return legs


def send(r: Nav2Robot, legs: list[Leg], poses: list[Pose], *, back: bool = False) -> None:
    r.goals_sent += 1
    r.goal = Goal(r.goals_sent, legs, r.now_ns, back=back)
    ask = r.outside.through if legs[0].free else r.outside.follow
    ask(r.serial, r.goals_sent, poses)


def cancelling(r: Nav2Robot) -> bool:
    """Stop; where something lies ahead, back to the last node; then the order is gone."""
    goal = r.goal
    if goal is not None:
        if not goal.back:
            stop(r)
        return False
    if back(r):
        return True
    r.cancel = r.came_back = False
    r.held.forget("the order was cancelled")
    r.errors.pop(BLOCKED, None)
    r.tries, r.again_ns = 0, 0
    return end(r, "cancelOrder")


def back(r: Nav2Robot) -> bool:
    """The body's heading is kept: it drives backwards."""
    pose, legs = r.pose, r.held.legs()
    if BLOCKED not in r.errors or not legs or pose is None or r.lost:
        return False
    _, way_m, _ = locate(legs[:1], 0, pose.x, pose.y)
    if way_m <= (r.limits.goal_m if r.came_back else r.limits.node_m):
        return False
    if r.now_ns < r.again_ns:
        return True
    first = legs[0]
    here = pose[:2] if first.free else first.at(way_m)[:2]
    home = Leg(here, first.a, first.theta, r.held.last.sequence, first.corridor_m)
    send(r, [home], ends([home]) if home.free else path([home], 0.0, r.limits.step_m), back=True)
    return True


def end(r: Nav2Robot, kind: str) -> bool:
    """Instant actions of a kind that have come to their end."""
    found = [d for d in r.instants.values() if d.action.kind == kind and not d.ended]
    for each in found:
        each.end()
    return bool(found)
