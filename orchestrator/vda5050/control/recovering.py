"""Vehicles that fail, fall silent, are taken out of automatic or lie; and how they come back."""

from __future__ import annotations

from orchestrator.core.messages import (
    ActionEnded,
    BackedOut,
    BaseTrimmed,
    NodeReached,
    RecoverRobot,
    RecoveryFailed,
    RobotFaulted,
    RobotRecovered,
)
from orchestrator.vda5050.control import abilities
from orchestrator.vda5050.control.sending import (
    SECOND_NS,
    Desk,
    action_id,
    barred,
    instant,
    push,
)
from orchestrator.vda5050.control.tables import ACTION, COMMANDED, ENDED, LEVELS
from orchestrator.vda5050.control.vehicle import Errand, Vehicle
from orchestrator.vda5050.model import State

LOST = ("localizationLost", "localizationError", "LOCALIZATION_ERROR")  # as FATAL as one likes


def wrong(desk: Desk, v: Vehicle, state: State) -> tuple[str, str]:
    """What is wrong with a vehicle by its own word or against it: (kind, reason); ("", "")."""
    lost = state.position is not None and not state.position.localized
    for error in state.errors:
        if LEVELS[error.level] == "fault" and not (lost and error.kind in LOST):
            return "robot_dead", f"{error.kind}: {error.description}".rstrip(": ")
    if state.safety.emergency_stop != "NONE":
        return "robot_dead", f"emergency stop ({state.safety.emergency_stop})"
    if state.mode not in COMMANDED:
        return "robot_manual", f"operating mode {state.mode}"
    if v.against:
        return "robot_dead", v.against
    if v.status == "faulted" and v.kind == "robot_nonsense" and v.odd:
        return v.kind, v.reason
    place = state.position
    if lost:
        return "robot_slipped", "does not know where it is"
    if place is not None and v.status in ("joined", "faulted"):
        off_m = desk.floor.off_m(place.x, place.y, v.at, v.ahead())
        v.lost_pose = v.lost_pose + 1 if off_m > desk.limits.pose_off_m else 0
        if v.status == "faulted" and v.lost_pose:
            v.reason = f"stands at {place.x:.2f}, {place.y:.2f}: not on the way that it holds"
            return v.kind, v.reason
        if v.lost_pose >= desk.limits.pose_states:
            return "robot_nonsense", f"says it is {off_m:.1f} m off the way that it holds"
    return "", ""


def fault(desk: Desk, v: Vehicle, kind: str, reason: str) -> None:
    """From now on nothing but what helps is sent; the core blocks what it holds."""
    if v.status == "faulted" or v.robot < 0:
        return
    v.become("faulted")
    v.kind, v.reason = kind, reason
    v.lost_pose = 0
    desk.alarm(v.name, f"{kind}: {reason}")
    desk.post(RobotFaulted(robot=v.robot, reason=reason, kind=kind))
    if kind == "robot_nonsense" and (v.ahead() or not v.idle()):
        _void(desk, v, v.ahead())  # nobody knows where it would drive to


def distrust(desk: Desk, v: Vehicle, reason: str) -> None:
    """Nobody knows any more what it is at: it is to stand, and counts as everything it holds."""
    if v.robot < 0:
        return
    fault(desk, v, "robot_nonsense", reason)
    v.kind, v.reason = "robot_nonsense", reason
    v.odd, v.odd_ns = 2 * desk.limits.odd_messages, desk.now_ns


def odd(desk: Desk, v: Vehicle, what: str) -> None:
    """A message that makes no sense. Many, also between others that do, and it counts as out of its
    mind; it is well again when the sensible ones have made up for them."""
    full = 2 * desk.limits.odd_messages
    v.odd, v.odd_ns = min(full, v.odd + 2), desk.now_ns
    if v.odd == full:
        fault(
            desk, v, "robot_nonsense", f"{desk.limits.odd_messages} odd messages; the last {what}"
        )


def believed(v: Vehicle) -> bool:
    """Whether it is where it says that it is, as far as anybody can tell."""
    return not v.lost_pose and not (v.status == "faulted" and v.kind == "robot_nonsense")


def sensible(desk: Desk, v: Vehicle) -> None:
    """A message that does."""
    calm = desk.now_ns - v.odd_ns >= int(desk.limits.calm_s * SECOND_NS)
    v.odd = 0 if calm else max(0, v.odd - 1)


def asked(desk: Desk, v: Vehicle, command: RecoverRobot) -> None:
    """The core asks for it to come back; a vehicle that is well again does so by itself."""
    v.recovering = command.attempt
    wait_s = desk.limits.recover_s
    v.recover_by_ns = 0 if command.maintenance else desk.now_ns + int(wait_s * SECOND_NS)
    if command.how == "relocalise" and v.state is not None:
        localise(desk, v)
    else:
        instant(desk, v, "stateRequest")


def localise(desk: Desk, v: Vehicle) -> None:
    """Tell it where it is: at the node of its way that it names, else at the last one that we know."""
    roadmap, state = desk.floor.roadmap, v.state
    heads = [roadmap.edge_head[edge] for edge in v.ahead()]
    node = next((n for n in heads if state and roadmap.node_ids[n] == state.last_node), v.at)
    x, y = desk.floor.xy_m(node)
    theta = state.position.theta if state is not None and state.position is not None else 0.0
    instant(
        desk, v, "initPosition", x=x, y=y, theta=theta, mapId=desk.floor.map_id,
        lastNodeId=roadmap.node_ids[node],
    )  # fmt: skip


def watch(desk: Desk, v: Vehicle) -> None:
    """The attempt had its time."""
    if v.status == "faulted" and v.recover_by_ns and desk.now_ns >= v.recover_by_ns:
        v.recover_by_ns = 0
        desk.post(RecoveryFailed(robot=v.robot, attempt=v.recovering))


def go_on(desk: Desk, v: Vehicle, state: State) -> None:
    """Nothing is wrong any more: back to work, with the order that it has or with a new one."""
    errand = v.errand
    if errand is not None and errand.live and not v.backing and _may_have(desk, v, errand, state):
        if errand.status == "sent" and barred(desk, v, errand):
            _void(desk, v, v.ahead())  # it may be on its way still
            return
        errand.tries, errand.asked_ns = 0, 0  # what it did not echo is sent again, the same
        _back(desk, v, -1)
        return
    if v.under_way("cancelOrder"):
        return
    if not v.idle():
        instant(desk, v, "cancelOrder")
        return
    passed = begin_anew(desk, v, state)
    if passed is not None:  # else it stands where it can't: the attempt's time runs out
        _back(desk, v, passed[-1] if passed else -1)


def _may_have(desk: Desk, v: Vehicle, errand: Errand, state: State) -> bool:
    """It has our order; or one that it did not echo may still be on its way to it: a new one could then
    come to a vehicle that is not idle."""
    if state.order_id == errand.id:
        return not v.idle() or errand.action is not None or errand.passed == len(errand.edges)
    stands = state.last_node == desk.floor.roadmap.node_ids[v.at]
    return errand.status == "sent" and errand.update == 0 and v.idle() and stands


def _back(desk: Desk, v: Vehicle, edge: int) -> None:
    v.become("joined")
    v.kind = v.reason = ""
    v.recover_by_ns, v.backing = 0, False  # the core asks again
    v.trims = 0  # what is not given free it holds still
    desk.post(RobotRecovered(robot=v.robot, edge=edge))


def begin_anew(desk: Desk, v: Vehicle, state: State) -> list[int] | None:
    """The vehicle has no order of ours any more: what it holds is to be sent anew, from where it really
    is. Return the edges that it has passed meanwhile; None: it is elsewhere."""
    ahead, roadmap = v.ahead(), desk.floor.roadmap
    passed = _passed(desk, v, state, ahead)
    place = state.position
    if place is not None:
        start = roadmap.edge_head[ahead[passed - 1]] if passed else v.at
        if desk.floor.off_m(place.x, place.y, start, ahead[passed:]) > desk.limits.pose_off_m:
            v.reason = f"stands at {place.x:.2f}, {place.y:.2f}: not on the way that it holds"
            return None
    acted(desk, v, state)
    let_go(v, ahead[passed:])
    if passed:
        v.at = roadmap.edge_head[ahead[passed - 1]]
    return ahead[:passed]


def acted(desk: Desk, v: Vehicle, state: State) -> None:
    """If the vehicle has ended the action that it was given, tell so: it is not given again."""
    if v.todo is None:
        return
    name = action_id(desk.run, v.todo.action)
    for known in state.actions:
        if known.id != name or not _believed(v, known.status):
            continue
        if known.status == "RETRIABLE":  # it was not asked to be so: tell it to have failed
            instant(desk, v, "skipRetry", actionId=name)
        if known.status in ENDED:
            outcome = "ok" if known.status == "FINISHED" else "failed"
            _loads(desk, v, state, outcome)
            desk.post(ActionEnded(robot=v.robot, action=v.todo.action, outcome=outcome))
            v.todo, v.drops = None, 0
            return


def _believed(v: Vehicle, status: str) -> bool:
    """A step of the order's action that the table has."""
    errand = v.errand
    if errand is None or errand.acting == status:
        return True
    if status not in ACTION[errand.acting]:
        v.counts.odd_steps += 1
        return False
    errand.acting = status
    return True


def _loads(desk: Desk, v: Vehicle, state: State, outcome: str) -> None:
    """What it has aboard now must be what it says that it did."""
    if v.todo is None or outcome != "ok" or v.todo.kind not in ("pick", "drop"):
        return
    has = abilities.aboard(state.loads, v.todo.load)
    if has is not None and has != (v.todo.kind == "pick"):
        word = "is not" if v.todo.kind == "pick" else "is still"
        desk.alarm(v.name, f"ended its {v.todo.kind}, but {v.todo.load} {word} among its loads")


def stop(desk: Desk, v: Vehicle) -> None:
    """The core does not believe it any more: what it has is void, nothing new is sent."""
    if v.status == "faulted":
        return
    v.become("faulted")
    v.kind, v.reason = "robot_nonsense", "its reports can't be believed"
    _void(desk, v, v.ahead())


def trim(desk: Desk, v: Vehicle, edges: tuple[int, ...]) -> None:
    """It is dead, and is not to drive these last edges of what it holds, should it come to."""
    ahead = v.ahead()
    if v.status == "faulted" and edges and edges[0] in ahead:
        v.trims = len(ahead) - ahead.index(edges[0])
        _void(desk, v, ahead)


def settled(desk: Desk, v: Vehicle, state: State) -> None:
    """Once it has cut its order at the next node and stands, it will not drive what it is not on. Who
    does not know where it is, or is driven by hand, is not known to."""
    if not v.trims:
        return
    lost = state.position is not None and not state.position.localized
    cut = [known.status for known in v.instants.values() if known.action.kind == "cancelOrder"]
    left = sum(node.sequence > state.last_node_sequence for node in state.nodes)
    if not cut and not v.idle():
        instant(desk, v, "cancelOrder")
    elif cut not in ([], ["seen"]) or left > 1:
        return  # it may be driving all of it
    elif not v.drives and not lost and state.mode in COMMANDED:
        ahead = v.ahead()
        passed = _passed(desk, v, state, ahead)
        node = desk.floor.roadmap.edge_head[ahead[passed - 1]] if passed else v.at
        keeps = max(
            len(ahead) - v.trims, passed + (left > 0 or not desk.floor.at(state.position, node))
        )
        v.trims = 0
        let_go(v, ahead[:keeps])
        desk.post(BaseTrimmed(robot=v.robot, edges=tuple(ahead[keeps:])))


def _passed(desk: Desk, v: Vehicle, state: State, ahead: list[int]) -> int:
    """So many edges are behind it, by the node that it names."""
    roadmap = desk.floor.roadmap
    ids = [roadmap.node_ids[roadmap.edge_head[edge]] for edge in ahead]
    if state.last_node in ids and state.last_node != roadmap.node_ids[v.at]:
        return ids.index(state.last_node) + 1
    return 0


def _void(desk: Desk, v: Vehicle, rest: list[int]) -> None:
    """The vehicle is to forget its order; `rest` is still to be driven."""
    let_go(v, rest)
    instant(desk, v, "cancelOrder")


def let_go(v: Vehicle, rest: list[int]) -> None:
    """Its order is void; `rest` is still to be driven."""
    if v.errand is not None and v.errand.live:
        v.errand.become("void")
    v.errand = None
    v.waiting.clear()
    v.waiting.extend(rest)
    v.released_ns = v.ask_way_ns = 0


def back_out(desk: Desk, v: Vehicle) -> None:
    """Something lies ahead: it is to forget its base and to be at its last node."""
    v.backing = True
    if v.status == "joined":
        clear(desk, v)


def refused(desk: Desk, v: Vehicle, errand: Errand, reason: str) -> None:
    """It does not take an order or an update: cancel, and begin anew from where it is."""
    desk.alarm(v.name, f"refuses order {errand.id}, update {errand.update}: {reason}")
    v.refusals += 1
    if v.refusals > desk.limits.refusals:
        v.refusals = 0
        fault(desk, v, "robot_dead", f"refuses its orders: {reason}")
        return
    clear(desk, v)


def anew(desk: Desk, v: Vehicle, reason: str) -> None:
    """It will not end the order that it had: cancel, and begin anew from where it is; a bounded number
    of times without a node or an action between."""
    desk.alarm(v.name, reason)
    v.drops += 1
    if v.drops > desk.limits.refusals:
        v.drops = 0
        fault(desk, v, "robot_dead", reason)
        return
    clear(desk, v)


def clear(desk: Desk, v: Vehicle) -> None:
    """Cancel what it has; nothing is sent until it is idle."""
    v.become("clearing")
    if v.idle():
        instant(desk, v, "stateRequest")
    else:
        instant(desk, v, "cancelOrder")


def cleared(desk: Desk, v: Vehicle, state: State) -> None:
    """Idle, and no cancellation is under way: go on from where it is."""
    if v.under_way("cancelOrder"):
        return
    if not v.idle():
        if desk.now_ns >= v.cancel_ns:
            instant(desk, v, "cancelOrder")
        return
    passed = begin_anew(desk, v, state)
    if passed is None:
        fault(desk, v, "robot_slipped", v.reason)
        return
    for edge in passed:
        desk.post(NodeReached(robot=v.robot, edge=edge))
    v.become("joined")
    backs, v.backing = v.backing and not passed, False  # who has gone on meanwhile goes on
    if backs:
        v.waiting.clear()
        v.blocked_edge = -1
        desk.post(BackedOut(robot=v.robot, node=v.at))
    push(desk, v)
