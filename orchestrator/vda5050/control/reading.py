"""What a vehicle's state says: echoes, nodes passed, actions ended, charge, faults."""

from __future__ import annotations

from orchestrator.core.messages import BatteryCrossed, LaneBlocked, NodeReached
from orchestrator.vda5050.control import noticing, pausing, recovering
from orchestrator.vda5050.control.noticing import BLOCKED
from orchestrator.vda5050.control.sending import SECOND_NS, Desk, hurry, instant, push
from orchestrator.vda5050.control.tables import ENDED
from orchestrator.vda5050.control.vehicle import Errand, Vehicle
from orchestrator.vda5050.model import Error, Header, State

REFUSALS = (
    "orderError",
    "orderUpdateError",
    "noRouteError",
    "validationError",
    "unsupportedParameter",
    "unknownAction",
    # 3.0's words; SAME_ORDER_UPDATE_ID is none of them: we send an order until it is echoed
    "UNSUPPORTED_PARAMETER",
    "VALIDATION_FAILURE",
    "INVALID_ORDER",
    "INVALID_ORDER_ACTION",
    "OUTDATED_ORDER_UPDATE",
    "ORDER_UPDATE_FOLLOWING_CANCEL",
    "INSUFFICIENT_MEMORY",
    "NO_ROUTE_TO_TARGET",
    "OTHER_ORDER_ACTIVE",
    "START_NODE_OUT_OF_RANGE",
    "MOBILE_ROBOT_NOT_AVAILABLE",
    "UNKNOWN_MAP_ID",
)
STEP_PERMILLE = 50  # the charge is told to the core at each crossing of a multiple of this
INSTANTS_MAX = 20  # that have ended; a 3.0 vehicle tells of them until it is told to forget them
WINDOW = 64  # a header id that is so far behind may be a restart with a clock that is wrong
ANEW = 3  # then its states go on from each other


def fresh(v: Vehicle, state: State) -> bool:
    """Count gaps, repeats and reorderings; False: it tells nothing new."""
    v.counts.states += 1
    v.counts.mended += len(state.mended)
    before = v.state
    if before is None:
        return True
    step = state.header.header_id - before.header.header_id
    later = state.header.time_ns >= before.header.time_ns
    if step == 0 and state.header.time_ns == before.header.time_ns:
        v.counts.repeated += 1
        return False
    if step <= 0 and not later and (step > -WINDOW or not _anew(v, state.header)):
        v.counts.reordered += 1
        return False
    v.old, v.old_row = None, 0
    if step > 1:
        v.counts.missing += step - 1
    return True


def _anew(v: Vehicle, header: Header) -> bool:
    """It counts from the beginning again, and its clock was set back. Who only repeats what it said
    long ago does not go on from there."""
    old = v.old
    goes_on = (
        old is not None and header.header_id == old.header_id + 1 and header.time_ns > old.time_ns
    )
    v.old, v.old_row = header, v.old_row + 1 if goes_on else 1
    return v.old_row >= ANEW


def read(desk: Desk, v: Vehicle, state: State) -> None:
    """A fresh state of a vehicle that has joined."""
    before, v.heard_ns, v.state = v.state, desk.now_ns, state
    noticing.connection(desk, v, "STATE")
    noticing.mode(desk, v, state)
    _instants(desk, v, state)
    pausing.told(desk, v, before, state)
    _charge(desk, v, state)
    _moves(desk, v, before, state)
    kind, reason = recovering.wrong(desk, v, state)
    if v.status == "faulted":
        recovering.settled(desk, v, state)
    if v.status == "faulted" or kind:
        if kind and v.status != "faulted":
            recovering.fault(desk, v, kind, reason)
        elif not kind:
            recovering.go_on(desk, v, state)
    elif v.status == "clearing":
        recovering.cleared(desk, v, state)
    if v.status == "joined":
        errand = v.errand
        if errand is not None and errand.live:
            _errand(desk, v, errand, state)
        noticing.errors(desk, v, state)
    if v.status == "joined":
        _blocked(desk, v, state)
        _asks(desk, v, before, state)
        push(desk, v)
    v.silent_ns = desk.now_ns + _patience_ns(desk, v)


def _errand(desk: Desk, v: Vehicle, errand: Errand, state: State) -> None:
    if state.order_id == errand.id:
        if errand.status == "sent" and state.order_update >= errand.update:
            errand.become("driven")
            errand.message = None
            if errand.update:
                desk.lags.note(v.fleet, desk.now_ns - errand.released_ns)
            v.refusals = 0
        progress(desk, v, errand, state)
        if errand.status == "driven" and _ended(desk, v, errand, state):
            errand.become("over")
    if errand.status == "driven":
        _undone(desk, v, errand, state)
    if errand.status == "sent":
        refused = _refusal(errand, state)
        if refused:
            recovering.refused(desk, v, errand, refused)


def progress(desk: Desk, v: Vehicle, errand: Errand, state: State) -> None:
    """Edges are passed when the node behind them is the last one, and no longer ahead."""
    passed = state.last_node_sequence // 2
    if not errand.passed < passed <= len(errand.edges):
        return
    roadmap = desk.floor.roadmap
    if roadmap.node_ids[roadmap.edge_head[errand.edges[passed - 1]]] != state.last_node:
        return  # that is no node of ours at this place of the sequence
    if not v.codec.quirks.keeps_last_node_in_states:
        ahead = min((node.sequence for node in state.nodes), default=2 * passed + 2)
        if ahead <= 2 * passed:
            _keeps(desk, v, state)
        passed = max(errand.passed, min(passed, ahead // 2 - 1))
    for edge in errand.edges[errand.passed : passed]:
        v.at = roadmap.edge_head[edge]
        desk.post(NodeReached(robot=v.robot, edge=edge))
    v.counts.nodes += passed - errand.passed
    errand.passed = passed
    v.blocked_edge, v.drops = -1, 0


def _keeps(desk: Desk, v: Vehicle, state: State) -> None:
    """The last node is still in `nodeStates`: if it stands there, that is how it is made."""
    if not v.drives and not v.hinted and len(state.nodes) == 1 and not state.edges:
        v.hinted = True
        text = "it is at its last node, which stays in nodeStates"
        desk.alarm(v.name, f"{text} -> if it always does so: quirk keeps_last_node_in_states")


def _undone(desk: Desk, v: Vehicle, errand: Errand, state: State) -> None:
    """It says that it has nothing to do, though it had all of the order: somebody else has ended it, or
    it was switched off and on."""
    known = errand.action is None or any(a.id == errand.action.id for a in state.actions)
    gone = state.order_id != errand.id or errand.action is None or not known
    if not (gone and v.idle() and not v.drives):
        v.undone = 0
        return
    v.undone += 1
    if v.undone >= desk.limits.undone_states:
        v.undone = 0
        recovering.anew(desk, v, f"has dropped order {errand.id}")


def _ended(desk: Desk, v: Vehicle, errand: Errand, state: State) -> bool:
    """True: the vehicle has done all of it."""
    if errand.action is None:
        return errand.passed == len(errand.edges) and v.idle()
    recovering.acted(desk, v, state)
    return v.todo is None


def _refusal(errand: Errand, state: State) -> str:
    for error in state.errors:
        if error.kind in REFUSALS and _about(errand, error):
            return f"{error.kind}: {error.description}" if error.description else error.kind
    return ""


def _about(errand: Errand, error: Error) -> bool:
    """As far as it says; one that says nothing and was there before the order is about another."""
    if "orderId" not in error.references and (error.kind, error.description) in errand.stale:
        return False
    about = error.references.get("orderId", errand.id)
    update = error.references.get("orderUpdateId", str(errand.update))
    return about == errand.id and update == str(errand.update)


def _moves(desk: Desk, v: Vehicle, before: State | None, state: State) -> None:
    """Whether it drives; a stop at the end of its base, with more planned behind it, is counted: for
    others, or because what is released did not reach it in time."""
    drove, v.drives = v.drives, noticing.drives(v, before, state)
    errand = v.errand
    if not drove or v.drives or errand is None or not errand.live or not errand.horizon:
        return
    if any(node.released for node in state.nodes):
        return
    if desk.held_up(v.robot):
        v.counts.waits += 1
    else:
        v.counts.stops += 1


def _asks(desk: Desk, v: Vehicle, before: State | None, state: State) -> None:
    """For more base; what is released was sent already, but may be lost. Or it has too much to tell."""
    if state.new_base_request:
        v.counts.base_requests += before is None or not before.new_base_request
        hurry(desk, v)
    ended = sum(each.status in ENDED for each in state.instant_actions)
    if ended > INSTANTS_MAX and not v.instants:
        instant(desk, v, "clearInstantActions")


def _instants(desk: Desk, v: Vehicle, state: State) -> None:
    for known in (*state.instant_actions, *state.actions):
        waiting = v.instants.get(known.id)
        if waiting is None:
            continue
        if waiting.status == "sent":
            waiting.become("seen")
        if known.status in ENDED:
            v.end_instant(known.id, "over")
        if known.status == "FAILED":
            desk.alarm(v.name, f"{waiting.action.kind} failed: {known.result}".rstrip(": "))
    for error in state.errors:  # refused: some vehicles say so here alone
        name = error.references.get("actionId", "")
        if name in v.instants:
            desk.alarm(v.name, f"refuses {v.instants[name].action.kind}: {error.kind}")
        v.end_instant(name, "over")


def _charge(desk: Desk, v: Vehicle, state: State) -> None:
    if state.power is None or v.robot < 0:
        return
    permille = max(0, min(1000, round(state.power.charge_percent * 10)))
    step = permille // STEP_PERMILLE
    if step != v.percent:
        v.percent = step
        desk.post(BatteryCrossed(robot=v.robot, battery_permille=permille))


def _blocked(desk: Desk, v: Vehicle, state: State) -> None:
    """It stands though it has way ahead: counted; told where it says that something lies there."""
    ahead = v.ahead()
    if v.drives or not ahead or v.paused or state.paused:
        v.stands_ns = -1
        return
    if v.stands_ns < 0:
        v.stands_ns = desk.now_ns
    waited = desk.now_ns - v.stands_ns >= desk.limits.blocked_s * SECOND_NS
    kinds = (*BLOCKED, *v.codec.quirks.blocked_errors)
    again_ns = v.blocked_ns + int(desk.limits.blocked_again_s * SECOND_NS)
    news = v.blocked_edge != ahead[0] or desk.now_ns >= again_ns
    if waited and news and any(e.kind in kinds for e in state.errors):
        v.blocked_edge, v.blocked_ns = ahead[0], desk.now_ns
        desk.post(LaneBlocked(robot=v.robot, edge=ahead[0]))


def _patience_ns(desk: Desk, v: Vehicle) -> int:
    """It must be heard again by then."""
    ahead = v.ahead()
    if not v.drives or not ahead or v.errand is None or not v.errand.live:
        return int(desk.limits.idle_silence_s * SECOND_NS)
    length_mm = desk.floor.roadmap.edge_length_mm[ahead[0]]
    speed = desk.speeds_mmps[v.fleet]
    return int(desk.limits.driving_silence_s * SECOND_NS) + 2 * length_mm * SECOND_NS // speed
