"""What the core knows of each robot: its errands (legs), its load, its charge."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

Token = tuple[str, str, int]  # order, step, line (-1: the whole order)


@dataclass(frozen=True, slots=True)
class Leg:
    """Go to `bay` (or, on the core, to `node`) and there do `action` on `load`.

    action: "" (be there) | pick | drop | charge. `token` is the flow step that ends with this leg,
    `task` the transport task that ends with it. A parking leg may be broken off for a task."""

    node: int
    bay: int = -1
    action: str = ""
    load: str = ""
    token: Token | None = None
    task: int = -1
    parking: bool = False


@dataclass(slots=True)
class Wear:
    """What it has been through since its last service, and in all."""

    driven_mm: int = 0
    lifts: int = 0
    driven_mm_all: int = 0
    lifts_all: int = 0
    charges: int = 0
    faults: int = 0
    services: int = 0


@dataclass(slots=True)
class Robot:
    """One robot. Its whereabouts are traffic's; here is what it is about."""

    index: int
    name: str
    fleet: int
    battery_permille: int
    legs: deque[Leg] = field(default_factory=deque)
    goal: int = -1  # node it is on its way to, with a ticket if that lies in a bay
    waiting_bay: int = -1  # bay whose ticket it waits for
    loads: list[str] = field(default_factory=list)
    aboard: dict[int, None] = field(default_factory=dict)  # several places: the tasks of its loads
    tour: deque[tuple[int, int]] = field(default_factory=deque)  # stops after the leg under way
    action: int = -1  # running action
    failures: int = 0  # of the action at hand, in a row
    charging: bool = False
    dead: bool = False  # it can't be moved, whatever the reason
    fault: str = ""  # the kind of exception, while it is dead
    blocked: bool = False  # it stands before something that lies on its lane
    backing: bool = False  # it was asked to back out from there
    cut: bool = False  # what it is to do next is out of reach just now
    attempts: int = 0
    nonsense: deque[int] = field(default_factory=deque)  # when it reported what can't be true
    leap: int = -1  # an edge that it reported without those before, when:
    leap_ns: int = 0
    here_ns: int = 0  # no sooner it was where it is
    since_ns: int = 0  # when it set out: it had no base before
    idle_since_ns: int = 0
    goal_since_ns: int = 0
    been: dict[int, None] = field(default_factory=dict)  # nodes, since it has its goal
    gained_ns: int = 0  # when it last came to a new one, or began to wait for a ticket
    rings: int = 0  # of the watchdog for it, since it has its goal,
    vain: int = 0  # and those of them while it was the one to be let through
    task: int = -1  # transport task under way
    next_task: int = -1  # promised, may still be changed
    retired: bool = False  # takes no task any more
    serviced: bool = False  # being looked after: takes nothing
    crossed_ns: int = -1  # last report of its charge
    wear: Wear = field(default_factory=Wear)
    off: bool = False  # retired, parked and switched off
    holds: dict[str, None] = field(default_factory=dict)  # why it is paused or stopped
    away: dict[str, bool] = field(default_factory=dict)  # why it is to stay in a parking place
    charge_first: bool = False  # it was asked to

    @property
    def load(self) -> str:
        """What it carries; of several loads the first."""
        return self.loads[0] if self.loads else ""

    @property
    def stuck(self) -> bool:
        """It stands on all that it holds, and nobody can push it."""
        return self.dead or self.blocked or bool(self.holds)

    @property
    def barred(self) -> bool:
        """It takes no task, for now or for good."""
        return self.retired or bool(self.away) or self.charge_first

    @property
    def idle(self) -> bool:
        """Free for any task, at once."""
        return (
            not self.stuck
            and not self.off
            and not self.loads
            and not self.tour
            and not self.serviced
            and self.action < 0
            and (not self.legs or (self.legs[0].parking and len(self.legs) == 1))
        )
