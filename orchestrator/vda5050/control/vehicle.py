"""What the master knows of one vehicle."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from orchestrator.core.messages import StartAction
from orchestrator.vda5050.codec import Codec
from orchestrator.vda5050.control.tables import ENDED, ERRAND, INSTANT, VEHICLE, follow
from orchestrator.vda5050.model import Action, Factsheet, Header, Order, State


@dataclass(slots=True)
class Errand:
    """An order of ours: from `start` along `edges`, or at `start` the action `action`."""

    id: str
    start: int  # node
    edges: list[int] = field(default_factory=list)  # released, and sent
    passed: int = 0  # so many of them are behind the vehicle
    action: Action | None = None
    update: int = 0
    horizon: int = 0  # edges that were last told behind the base
    status: str = "sent"  # see `tables.ERRAND`
    message: Order | None = None  # the last one, until it is echoed
    asked_ns: int = 0  # when it was sent last
    released_ns: int = 0  # the first of what it brings was released
    tries: int = 1
    acting: str = ""  # the action's status, see `tables.ACTION`
    stale: frozenset[tuple[str, str]] = frozenset()  # errors from before it that don't say whose

    def become(self, status: str) -> None:
        """As the table allows."""
        self.status = follow(ERRAND, self.status, status)

    @property
    def live(self) -> bool:
        """The vehicle is at it, as far as we know."""
        return self.status in ("sent", "driven")


@dataclass(slots=True)
class Instant:
    """An instant action of ours that has not ended."""

    action: Action
    asked_ns: int  # when it was sent last
    status: str = "sent"  # see `tables.INSTANT`
    tries: int = 1

    def become(self, status: str) -> None:
        """As the table allows."""
        self.status = follow(INSTANT, self.status, status)


@dataclass(slots=True)
class Counts:
    """What was odd about a vehicle's messages."""

    states: int = 0
    repeated: int = 0
    reordered: int = 0
    missing: int = 0
    undecodable: int = 0
    flooded: int = 0  # not read, since there were too many
    broken: int = 0  # ended in an error of ours
    mended: int = 0  # members that can't be so
    odd_steps: int = 0  # of actions
    resent: int = 0
    base_requests: int = 0
    nodes: int = 0  # passed
    stops: int = 0  # at the end of a base, with more planned behind it that nobody is in the way of
    waits: int = 0  # the same, for others who go first
    orders: int = 0
    updates: int = 0


@dataclass(slots=True)
class Vehicle:
    """One vehicle. `robot` is the core's number of it, -1 until it has joined."""

    manufacturer: str
    serial: str
    codec: Codec
    fleet: int
    interface: str
    robot: int = -1
    status: str = "unknown"  # see `tables.VEHICLE`
    reason: str = ""  # why it was refused, or is faulted
    kind: str = ""  # of the fault
    connection: str = ""  # see `tables.CONNECTION`
    mode: str = "AUTOMATIC"  # see `tables.MODE`
    errors: frozenset[tuple[str, str]] = frozenset()  # kind, level: of its last state
    drives: bool = False
    pose_ns: int = -1  # when a pose of `visualization` was taken
    hinted: bool = False  # it was told that it keeps its last node
    drops: int = 0  # orders that it did not go on with, in a row
    undone: int = 0  # states in a row in which it is idle, and its order is not ended
    heard_ns: int = -1
    silent_ns: int = 0  # by then it must be heard
    state: State | None = None
    factsheet: Factsheet | None = None
    against: str = ""  # what its factsheet says against the site's fleet
    headers: dict[str, int] = field(default_factory=dict)  # topic -> next header id
    at: int = -1  # the last node that it reached
    errand: Errand | None = None
    waiting: deque[int] = field(default_factory=deque)  # released, not yet sent
    released_ns: int = 0  # the first of them
    barred: str = ""  # why it is not sent what waits
    ask_way_ns: int = 0  # not before that it is asked again whether it may be
    todo: StartAction | None = None  # to be begun as soon as it is idle
    instants: dict[str, Instant] = field(default_factory=dict)
    trims: int = 0  # so many edges it is not to drive any more, as soon as it is known to stand
    backing: bool = False  # it is to go back to its last node
    recovering: int = -1  # attempt
    recover_by_ns: int = 0
    lost_pose: int = 0  # states in a row with a pose where it can't be
    blocked_edge: int = -1  # told to the core
    blocked_ns: int = 0  # when
    stands_ns: int = -1  # since when it stands with way ahead
    percent: int = -1  # charge, in steps that were told
    paused: bool = False  # by us
    unpaused: bool = False  # it was asked to stand, and did not answer
    refusals: int = 0  # orders that it refused, in a row
    cancel_ns: int = 0  # until then it may end what it is at
    asked_factsheet_ns: int = -1
    turned_away: int = 0  # so often the core did not take it in
    ask_ns: int = 0  # not before that it asks again
    odd: int = 0  # grows with each message that can't be read or is old, shrinks with each other
    odd_ns: int = 0  # the last of them
    room: float = 0.0  # so many messages may come at once; it grows with time
    room_ns: int = 0
    broken: int = 0  # errors of ours in a row, while it was seen to
    broken_ns: int = -(10**18)  # the last of them
    out_until_ns: int = 0  # not heard before that
    old: Header | None = None  # of a state from long ago
    old_row: int = 0  # so many of those went on from each other
    counts: Counts = field(default_factory=Counts)

    @property
    def name(self) -> str:
        """What the building calls it."""
        return self.serial

    def become(self, status: str) -> None:
        """As the table allows."""
        self.status = follow(VEHICLE, self.status, status)

    def end_instant(self, name: str, how: str) -> None:
        """An instant action is over, for us."""
        known = self.instants.pop(name, None)
        if known is not None:
            known.become(how)

    @property
    def may_move(self) -> bool:
        """It drives; or it is there and has not answered that it is to stand: it may begin to."""
        there = self.status == "joined" and self.connection == "ONLINE"
        return self.drives or (there and self.under_way("startPause"))

    def under_way(self, kind: str) -> bool:
        """An instant action of this kind has not ended."""
        return any(known.action.kind == kind for known in self.instants.values())

    def sleeps(self) -> bool:
        """It may be silent for as long as it likes: it hibernates, and has nothing to do."""
        return self.connection == "HIBERNATING" and not self.ahead() and self.todo is None

    def ahead(self) -> list[int]:
        """All edges that it holds and has not driven."""
        sent = self.errand.edges[self.errand.passed :] if self.errand is not None else []
        return [*sent, *self.waiting]

    def idle(self) -> bool:
        """By its own word it has nothing to do: no node or edge ahead, every action ended."""
        state = self.state
        if state is None:
            return False
        last = state.last_node_sequence if self.codec.quirks.keeps_last_node_in_states else -1
        ahead = any(node.sequence > last for node in state.nodes)
        return not ahead and not state.edges and all(a.status in ENDED for a in state.actions)
