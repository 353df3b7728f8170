"""What goes to a vehicle: orders, updates, instant actions; each until it is echoed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from orchestrator.core.messages import CommandRefused, Event, StartAction
from orchestrator.vda5050 import topics
from orchestrator.vda5050.control import abilities
from orchestrator.vda5050.control.floor import DEVIATION_M, Floor
from orchestrator.vda5050.control.lag import Lags
from orchestrator.vda5050.control.tables import INSTANT_ACTIONS
from orchestrator.vda5050.control.vehicle import Errand, Instant, Vehicle
from orchestrator.vda5050.model import Action, Edge, Header, InstantActions, Node, Order, State

KINDS = {"charge": "startCharging", "stop_charging": "stopCharging"}  # else: as the core calls it
SECOND_NS = 1_000_000_000
HURRY_NS = SECOND_NS // 2  # it may be on its way still
ASK_NS = SECOND_NS  # so long what may not be driven is not asked for again


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of what the master waits for. Times in s."""

    echo_s: float = 2.0  # then an order is sent again
    echo_tries: int = 10
    horizon: int = 8  # edges that are planned behind the base
    idle_silence_s: float = 65.0  # a healthy idle vehicle may report every 30 s
    driving_silence_s: float = 10.0  # behind the time at which it should be at its next node
    recover_s: float = 60.0
    blocked_s: float = 3.0
    blocked_again_s: float = 30.0  # it still says so: told anew, as it may be said to be cleared
    refusals: int = 3
    pose_off_m: float = 1.5
    pose_states: int = 3
    odd_messages: int = 20
    undone_states: int = 3  # so often it may be idle in mid-order before it is believed
    messages_per_s: float = 20.0  # of a vehicle; more are not read, but for so many at once:
    messages_at_once: float = 200.0
    calm_s: float = 60.0  # without an odd message those before count no more
    factsheet_s: float = 5.0  # then a vehicle joins without one

    @classmethod
    def at_speed(cls, speed: float) -> Limits:
        """Time runs `speed` times as fast, but the network and this machine don't: some real seconds of
        each wait stay."""
        return cls(
            echo_s=max(2.0, 0.5 * speed),
            driving_silence_s=max(10.0, 3.0 * speed),
            idle_silence_s=max(65.0, 4.0 * speed),
            messages_at_once=max(200.0, 20.0 * speed),
            recover_s=max(60.0, 3.0 * speed),
            factsheet_s=max(5.0, 0.5 * speed),
        )


@dataclass(slots=True)
class Desk:
    """What all parts of the master share. `planned` tells what traffic plans behind a robot's base,
    `held_up` whether others go first there; `may_drive` is the last check, for what it let
    through before: "" or why it must not leave any more."""

    floor: Floor
    run: str
    publish: Callable[[str, bytes, int, bool], object]
    post: Callable[[Event], None]
    alarm: Callable[[str, str], None]
    planned: Callable[[int], Iterable[int]]
    held_up: Callable[[int], bool]
    may_drive: Callable[[int, Sequence[int]], str]
    limits: Limits
    lags: Lags
    speeds_mmps: tuple[int, ...]  # by fleet
    session: str = ""  # tells this master's orders from those before it was started
    now_ns: int = 0
    orders: int = 0


def say(desk: Desk, v: Vehicle, name: str, message: Order | InstantActions) -> None:
    """Publish, with the topic's next header."""
    number = v.headers.get(name, 0)
    v.headers[name] = number + 1
    header = Header(
        header_id=number,
        time_ns=desk.now_ns,
        version=v.codec.version,
        manufacturer=v.manufacturer,
        serial=v.serial,
    )
    topic = topics.topic(v.codec.version, v.manufacturer, v.serial, name, v.interface)
    desk.publish(topic, v.codec.encode(message, header), 0, False)


def push(desk: Desk, v: Vehicle) -> None:
    """Send what can be sent now: one order or update is under way at a time."""
    errand = v.errand
    if v.status != "joined" or v.paused or (errand is not None and errand.status == "sent"):
        return
    if any(map(v.under_way, v.codec.quirks.instant_actions)):
        return  # it takes no order before that has ended
    if v.connection == "HIBERNATING":
        if v.waiting or v.todo is not None:
            instant(desk, v, "stopHibernation")  # till then it hears nothing else
        return
    if errand is not None and errand.status == "driven":
        if errand.action is None and (v.waiting or _to_be_cut(v, errand)) and _let_through(desk, v):
            _update(desk, v, errand)
        return
    if not v.idle():
        return
    if v.todo is not None and v.todo.kind == "stop_charging":
        _action_order(desk, v, v.todo)
    elif v.waiting:
        if _let_through(desk, v):
            _order(desk, v)
    elif v.todo is not None:
        _action_order(desk, v, v.todo)


def start(desk: Desk, v: Vehicle, command: StartAction) -> None:
    """An action of the core, as soon as the vehicle is idle."""
    kind = KINDS.get(command.kind, command.kind)
    if kind in v.codec.quirks.instant_actions:
        instant(desk, v, kind)
        return
    v.todo = command
    push(desk, v)


def _let_through(desk: Desk, v: Vehicle) -> bool:
    """What waits to be sent, unless it was released just now, is checked once more. What may not be
    driven goes back to the core, which plans anew; the edge that the vehicle may be on it keeps, and
    that is asked for again."""
    if not v.waiting or v.released_ns == desk.now_ns:
        return True
    if desk.now_ns < v.ask_way_ns:
        return False
    edges = tuple(v.waiting)
    reason = desk.may_drive(v.robot, edges)
    if reason:
        v.ask_way_ns = desk.now_ns + ASK_NS
        if not desk.may_drive(v.robot, ()):  # else no way at all would do: it waits
            may = next(n for n in range(len(edges)) if desk.may_drive(v.robot, edges[: n + 1]))
            _give_back(desk, v, edges[max(may, 0 if _at_node(desk, v) else 1) :], reason)
            return may > 0
        _give_back(desk, v, (), reason)
        return False
    if v.barred:
        v.barred, v.released_ns = "", desk.now_ns
    return True


def _give_back(desk: Desk, v: Vehicle, edges: tuple[int, ...], reason: str) -> None:
    """The core takes these last edges back."""
    if edges or reason != v.barred:
        desk.alarm(v.name, f"is not sent on: {reason}")
        desk.post(CommandRefused(robot=v.robot, reason=reason, edges=edges))
    for _ in edges:
        v.waiting.pop()
    v.barred = reason


def _at_node(desk: Desk, v: Vehicle) -> bool:
    """It stands at the end of what it has driven, and nowhere on what it still holds."""
    errand = v.errand
    if errand is not None and errand.live and errand.passed < len(errand.edges):
        return True  # what waits lies behind that
    return v.state is not None and desk.floor.at(v.state.position, v.at)


def _to_be_cut(v: Vehicle, errand: Errand) -> bool:
    """It is to act where its base ends, but was told of a way behind that: it would never be idle."""
    return v.todo is not None and errand.horizon > 0 and errand.passed == len(errand.edges)


def _new(desk: Desk, v: Vehicle) -> Errand:
    desk.orders += 1
    v.errand = Errand(id=f"{desk.run}-{desk.session}-{desk.orders}", start=v.at)
    v.errand.asked_ns, v.errand.stale = desk.now_ns, nobodys(v.state)
    v.undone = 0
    v.counts.orders += 1
    return v.errand


def _order(desk: Desk, v: Vehicle) -> None:
    errand = _new(desk, v)
    errand.edges = list(v.waiting)
    v.waiting.clear()
    errand.message = _message(desk, v, errand, 0)
    say(desk, v, "order", errand.message)


def _update(desk: Desk, v: Vehicle, errand: Errand) -> None:
    first = len(errand.edges)
    errand.edges += v.waiting
    v.waiting.clear()
    errand.update += 1
    errand.become("sent")
    errand.tries, errand.asked_ns, errand.stale = 1, desk.now_ns, nobodys(v.state)
    errand.released_ns = v.released_ns
    v.counts.updates += 1
    errand.message = _message(desk, v, errand, first)
    say(desk, v, "order", errand.message)


def _action_order(desk: Desk, v: Vehicle, command: StartAction) -> None:
    errand = _new(desk, v)
    errand.action = action_of(desk, v, command)
    errand.message = _message(desk, v, errand, 0)
    say(desk, v, "order", errand.message)


def action_id(run: str, number: int) -> str:
    """An action's id holds the core's number, so that it is known again after a restart."""
    return f"{run}-a{number}"


def action_of(desk: Desk, v: Vehicle, command: StartAction) -> Action:
    """The core's action, as the vehicle calls it."""
    parameters = {"loadId": command.load} if command.load else {}
    if command.bay >= 0:
        parameters["stationName"] = desk.floor.roadmap.bays[command.bay].id
    device = abilities.device(v.factsheet, v.state, command.kind, command.load)
    if device:
        parameters["lhd"] = device
    kind = KINDS.get(command.kind, command.kind)
    return Action(
        id=action_id(desk.run, command.action),
        kind=kind,
        blocking=abilities.blocking(v.factsheet, v.codec.quirks.action_kinds.get(kind, kind)),
        parameters=parameters,
    )


def _message(desk: Desk, v: Vehicle, errand: Errand, first: int) -> Order:
    """The order from its edge `first` on: base as released, horizon as planned."""
    floor, roadmap = desk.floor, desk.floor.roadmap
    base = errand.edges[first:]
    start = errand.start if not first else roadmap.edge_head[errand.edges[first - 1]]
    sequence = 2 * first
    near_m = _deviation_m(floor, v, start) if not first else 0.0
    begin = floor.node(start, sequence, released=True, deviation_m=near_m)
    if errand.action is not None:
        begin = _with(begin, errand.action)
    nodes, edges = [begin], list[Edge]()
    horizon = [] if errand.action is not None else _horizon(desk, v, base, start)
    if first and not base:
        horizon = []  # an update that only cuts it
    errand.horizon = len(horizon)
    for count, edge in enumerate([*base, *horizon]):
        sequence += 2
        released = count < len(base)
        edges.append(floor.edge(edge, sequence - 1, released=released))
        head = roadmap.edge_head[edge]
        nodes.append(floor.node(head, sequence, released=released, deviation_m=0.0))
    return Order(id=errand.id, update=errand.update, nodes=tuple(nodes), edges=tuple(edges))


def _with(node: Node, action: Action) -> Node:
    return Node(
        id=node.id,
        sequence=node.sequence,
        released=True,
        position=node.position,
        actions=(action,),
    )


def _horizon(desk: Desk, v: Vehicle, base: list[int], start: int) -> list[int]:
    """What is planned behind the base; nothing where the plan has changed meanwhile."""
    heads, tails = desk.floor.roadmap.edge_head, desk.floor.roadmap.edge_tail
    at = heads[base[-1]] if base else start
    found: list[int] = []
    for edge in desk.planned(v.robot):
        if len(found) == desk.limits.horizon or tails[edge] != at:
            break
        found.append(edge)
        at = heads[edge]
    return found


def _deviation_m(floor: Floor, v: Vehicle, node: int) -> float:
    """It may stand between two nodes, after a cancelled order: the order begins at the last one."""
    place = v.state.position if v.state is not None else None
    if place is None:
        return DEVIATION_M
    x, y = floor.xy_m(node)
    return max(DEVIATION_M, math.hypot(place.x - x, place.y - y) + DEVIATION_M)


# --- instant actions --------------------------------------------------------------------------


def instant(desk: Desk, v: Vehicle, kind: str, **parameters: str | float) -> str:
    """Send an instant action; return its id. One of a kind at a time. "": not in its operating mode."""
    allowed = INSTANT_ACTIONS[v.state.mode if v.state is not None else v.mode]
    if allowed is not None and kind not in allowed:
        return ""
    for known in v.instants.values():
        if known.action.kind == kind:
            return known.action.id
    desk.orders += 1
    action = Action(
        id=f"{desk.run}-{desk.session}-i{desk.orders}",
        kind=kind,
        blocking="HARD",
        parameters=dict(parameters),
    )
    v.instants[action.id] = Instant(action, desk.now_ns)
    say(desk, v, "instantActions", InstantActions(actions=(action,)))
    return action.id


def due(desk: Desk, v: Vehicle) -> str:
    """Send again what was not echoed in time; "" or what was asked for in vain."""
    errand = v.errand
    late = ""
    if v.status == "joined" and errand is not None and errand.status == "sent":
        late = _order_due(desk, v, errand)
    for known in list(v.instants.values()):
        late = late or _instant_due(desk, v, known)
    return late


def _order_due(desk: Desk, v: Vehicle, errand: Errand) -> str:
    if errand.message is None or v.paused or not _waited(desk, errand.asked_ns):
        return ""
    if errand.tries >= desk.limits.echo_tries:
        return f"order {errand.id}, update {errand.update} is not echoed"
    _once_more(desk, v, errand, errand.message)
    return ""


def _once_more(desk: Desk, v: Vehicle, errand: Errand, message: Order) -> None:
    """The same again, if it may still be driven: it may never have arrived."""
    errand.tries += 1
    errand.asked_ns = desk.now_ns
    if barred(desk, v, errand):
        return
    v.counts.resent += 1
    say(desk, v, "order", message)


def barred(desk: Desk, v: Vehicle, errand: Errand) -> str:
    """Why an order that was not echoed must not be sent again; "": it may."""
    edges = errand.edges[errand.passed :]
    reason = desk.may_drive(v.robot, edges) if edges else ""
    if reason and reason != v.barred:
        desk.alarm(v.name, f"is not sent its order again: {reason}")
    v.barred = reason
    return reason


def _instant_due(desk: Desk, v: Vehicle, known: Instant) -> str:
    if known.status != "sent" or not _waited(desk, known.asked_ns):
        return ""
    if known.tries >= desk.limits.echo_tries:
        v.end_instant(known.action.id, "given up")
        v.unpaused |= known.action.kind == "startPause"
        return f"{known.action.kind} is not echoed"
    known.tries += 1
    known.asked_ns = desk.now_ns
    v.counts.resent += 1
    say(desk, v, "instantActions", InstantActions(actions=(known.action,)))
    return ""


def hurry(desk: Desk, v: Vehicle) -> None:
    """It asks for more base: an update that may be lost is sent again at once."""
    errand = v.errand
    if errand is None or errand.status != "sent" or errand.message is None or v.paused:
        return
    if desk.now_ns - errand.asked_ns >= HURRY_NS and errand.tries < desk.limits.echo_tries:
        _once_more(desk, v, errand, errand.message)


def nobodys(state: State | None) -> frozenset[tuple[str, str]]:
    """Errors that don't say which order they are about: those from before an order aren't about it."""
    if state is None:
        return frozenset()
    about = ("orderId", "actionId")
    return frozenset(
        (e.kind, e.description)
        for e in state.errors
        if not any(key in e.references for key in about)
    )


def _waited(desk: Desk, since_ns: int) -> bool:
    return desk.now_ns - since_ns >= int(desk.limits.echo_s * SECOND_NS)
