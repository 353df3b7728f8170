"""The site as the core sees it: roadmap, fleets, stations and the flow, all checked and frozen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from orchestrator.core.roadmap import Roadmap


@dataclass(frozen=True, slots=True)
class Fleet:
    """A vehicle type of this site; `carries` names the kinds of load it can take."""

    id: str
    carries: tuple[str, ...]  # "tote", "parcel"
    speed_mmps: int
    turn_degps: int
    charge_below_permille: int  # idle robots below this go to charge
    charge_urgent_permille: int  # below this a robot takes no task before it has charged
    charge_to_permille: int
    reach_mm: int  # with a full battery
    places: int = 1  # loads it carries at once
    charge_ms: int = 3_600_000  # from empty to full


@dataclass(frozen=True, slots=True)
class Station:
    """A place of work. `bay` is where robots bring things, `out_bay` where they fetch what it made."""

    id: str
    kind: str  # dock | pick | chute | door | service
    capabilities: tuple[str, ...]
    bay: int
    out_bay: int = -1
    positions: int = 1  # orders (pick), totes (dock) or parcels (chute) that fit at once
    out_capacity: int = 1  # what was made and fits before the machine must stop


@dataclass(frozen=True, slots=True)
class Route:
    """Where parcels of a carrier's route are collected, and the door its trucks stand at."""

    id: str
    door: int  # station
    chutes: tuple[int, ...]  # stations


@dataclass(frozen=True, slots=True)
class Replenishment:
    """The core opens orders of type `order_type` (a tote is carried from zone `start` to zone `to`)
    where fewer than `below_units` units of a SKU are left to be reserved in `to`. Where `to` is full,
    orders of type `relieve` bring totes that nobody asks for back."""

    order_type: str
    start: str
    to: str
    below_units: int
    relieve: str = ""


Look = Literal["", "angle", "reader", "model"]  # what is to be different from the last time

LIKE = {"doubtful": "unreadable", "misread": "unreadable"}


@dataclass(frozen=True, slots=True)
class Stage:
    """Go to `then`, at most `tries` times; a camera is asked to `look` otherwise than before."""

    then: str
    tries: int
    look: Look = ""


@dataclass(frozen=True, slots=True)
class Recovery:
    """What happens after a bad outcome: stage after stage; when all are used up, or it is open for
    longer than `within_s`, `otherwise`; and if that did not help either, quarantine."""

    stages: tuple[Stage, ...]
    otherwise: str  # a step, or "quarantine"
    within_s: int = 0  # 0: no bound

    @property
    def tries(self) -> int:
        """Of all stages."""
        return sum(stage.tries for stage in self.stages)

    def stage(self, attempt: int) -> Stage | None:
        """The stage of the attempt (1, 2, …); None: there is none left."""
        for stage in self.stages:
            if attempt <= stage.tries:
                return stage
            attempt -= stage.tries
        return None


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an order type.

    `do` names the mechanism: reserve | carry | work | inspect | depart | finish; `needs` the
    capability of the station or the kind of load of the carrier; `task` what a camera is asked
    (read_label | identify_item | verify_pick | inspect_damage). `then` are the steps that follow
    a good outcome, all at once; a step that is named by several others waits for all of them
    (`per_line` steps: for all lines).
    """

    id: str
    do: str
    needs: str = ""
    task: str = ""
    start: str = ""  # carry: where from: dock | home | station | out | chute
    start_at: str = ""  # home: the zone
    to: str = ""  # carry: where to: slot | station | home | chute | door | stop
    to_at: str = ""  # slot: the zone; station, chute: the capability it must have
    per_line: bool = False
    then: tuple[str, ...] = ()
    outcomes: dict[str, Recovery] = field(default_factory=dict)
    wait_minutes: int = 0  # work: it waits so long where it is before it is done
    timeout_s: int = 0  # then the outcome is "timeout"; 0: of the policy (carry: never)

    def recovery(self, outcome: str) -> Recovery | None:
        """Of a camera's outcome that it does not name, that of the one that is most like it."""
        return self.outcomes.get(outcome) or self.outcomes.get(LIKE.get(outcome, ""))


@dataclass(frozen=True, slots=True)
class OrderType:
    """A graph of steps; the first one is where an order begins."""

    id: str
    steps: dict[str, Step]
    first: str
    brings: bool = False  # its lines are totes that come into the building or anew onto the floor
    makes: bool = False  # a machine sets these totes down: they aren't there from the beginning
    zone: str = ""  # where its lines are reserved; "": anywhere


@dataclass(frozen=True, slots=True)
class Policy:
    """Numbers of the core that a site may change."""

    tick_ms: int = 1000
    replan_ms: int = 2000  # paths are planned anew at least this often while robots drive
    replan_gap_ms: int = 400  # and never more often than this
    answer_ms: int = 10_000  # a request without an answer is asked again after this
    horizon: int = 10  # moves planned ahead per robot
    lookahead: int = 4  # nodes released ahead of a robot
    switching: bool = False  # who waits for a robot that isn't there yet may go first
    congestion_ms: int = 0  # places where robots wait count as farther, by this at most; 0: none
    park_after_ms: int = 4000
    restart_tries: int = 6
    relocalise_tries: int = 3  # of a robot that slipped; then it is treated as dead
    clear_tries: int = 4  # of a lane on which something lies; then maintenance
    floor_looks: int = 3  # at a lane that is said to be cleared, until its camera can tell
    floor_look_s: int = 60  # then such a look has failed
    nonsense_count: int = 5  # reports that can't be true, within:
    nonsense_within_s: int = 60  # then the robot is stopped
    maintenance_every_minutes: int = 0  # a person enters in windows so far apart; 0: at once
    maintenance_minutes: int = 15  # so long visits may begin in a window
    stuck_after_ms: int = 90_000
    repair_tries: int = 4  # remote restarts of a machine; then maintenance
    repair_answer_s: int = 900  # help without an answer for so long has failed
    rehome_after_s: int = 120  # so long orders wait for a broken machine before they move
    work_timeout_s: int = 600  # work and looks without an answer are asked for again; 0: never
    answer_tries: int = 4  # a machine that owes so many answers in a row counts as broken
    blameless_tries: int = 20  # of a step that failed for no fault of its order
    charger_retry_s: int = 300  # a charger that failed is tried again after this
    charger_tries: int = 4  # before it is mended
    invariants_every: int = 2000  # events between full checks
    assign_neighbours: int = 12
    assignment: str = "flow"  # flow | nearest | random
    soon_free: bool = True  # robots about to be free are matched as well
    parking: str = "demand"  # demand | nearest | stay
    charging: str = "plan"  # plan | threshold
    service_after_km: int = 0  # 0: never
    service_after_lifts: int = 0
    tour_wait_ms: int = 20_000  # a load waits so long for others before a tour fetches it
    tour_gap_ms: int = 5_000  # tours are planned no more often than this
    wave_minutes: int = 0  # orders are released in waves, so far apart; 0: continuously
    release_ahead_minutes: int = 0  # orders due later than so far ahead wait; 0: none


@dataclass(frozen=True, slots=True)
class Site:
    """Everything that does not change while a run goes on."""

    id: str
    hash: str
    roadmap: Roadmap
    fleets: tuple[Fleet, ...]
    stations: tuple[Station, ...]
    order_types: dict[str, OrderType]
    skus: frozenset[str]
    policy: Policy
    routes: dict[str, Route] = field(default_factory=dict)
    replenish: tuple[Replenishment, ...] = ()
    min_units: dict[str, int] = field(default_factory=dict)  # by SKU, instead of the rules' own
    floor_cameras: frozenset[int] = frozenset()  # edges that one looks at
