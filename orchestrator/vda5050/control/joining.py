"""Who may join, and what must be true of it first."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fnmatch import fnmatchcase

from orchestrator.core.messages import RobotJoined
from orchestrator.core.site import Site
from orchestrator.vda5050.control.sending import SECOND_NS, Desk, instant
from orchestrator.vda5050.control.tables import COMMANDED
from orchestrator.vda5050.control.vehicle import Vehicle
from orchestrator.vda5050.model import Factsheet, State
from orchestrator.vda5050.quirks import Quirks

STANDARD = Quirks()
SLACK = 1.02  # so much larger than declared is still the same
SLOWER = 0.9
ASK_S_MAX = 32


@dataclass(frozen=True, slots=True)
class Rule:
    """Vehicles whose manufacturer and serial number match these patterns are of this fleet."""

    manufacturer: str
    serial: str
    fleet: int
    protocol: str = "2.1"
    quirks: Quirks = STANDARD
    interface: str = "uagv"


@dataclass(frozen=True, slots=True)
class Declared:
    """What the site says of a fleet."""

    id: str
    speed_mps: float
    acceleration_mps2: float
    length_m: float
    width_m: float
    actions: tuple[str, ...]
    load_kg: float = 0.0  # the heaviest; 0: not said
    places: int = 1


def rule_for(rules: list[Rule], manufacturer: str, serial: str) -> Rule | None:
    """The first rule that matches."""
    for rule in rules:
        if fnmatchcase(manufacturer, rule.manufacturer) and fnmatchcase(serial, rule.serial):
            return rule
    return None


def contradictions(sheet: Factsheet, declared: Declared, quirks: Quirks = STANDARD) -> list[str]:
    """Where a vehicle says of itself what the site's fleet does not allow. What it does not say is
    believed."""
    found = []
    fleet = declared.id
    if sheet.length_m > declared.length_m * SLACK or sheet.width_m > declared.width_m * SLACK:
        found.append(
            f"is {sheet.length_m:g} x {sheet.width_m:g} m, fleet {fleet}'s footprint is "
            f"{declared.length_m:g} x {declared.width_m:g} m -> enlarge footprint_m"
        )
    if 0 < sheet.speed_mps_max < declared.speed_mps * SLOWER:
        found.append(
            f"drives {sheet.speed_mps_max:g} m/s at most, fleet {fleet} {declared.speed_mps:g} "
            "-> lower speed_mps"
        )
    if 0 < sheet.deceleration_mps2_max < declared.acceleration_mps2 * SLOWER:
        found.append(
            f"brakes with {sheet.deceleration_mps2_max:g} m/s2 at most, fleet {fleet} with "
            f"{declared.acceleration_mps2:g} -> lower acceleration_mps2"
        )
    if 0 < sheet.load_kg_max < declared.load_kg:
        found.append(
            f"carries {sheet.load_kg_max:g} kg at most, fleet {fleet} {declared.load_kg:g} "
            "-> lower load_kg"
        )
    if 0 < len(sheet.devices) < declared.places:
        found.append(
            f"has {len(sheet.devices)} places for loads, fleet {fleet} {declared.places} "
            "-> lower places"
        )
    return found + _actions(sheet, declared, quirks)


def _actions(sheet: Factsheet, declared: Declared, quirks: Quirks) -> list[str]:
    """What it must be able to do, where we ask for it: on nodes, or as instant actions."""
    if sheet.actions is None:
        return []
    scopes = {action.kind: action.scopes for action in sheet.actions}
    missing, elsewhere = [], []
    for name in declared.actions:
        theirs = quirks.action_kinds.get(name, name)
        where = "INSTANT" if name in quirks.instant_actions else "NODE"
        if theirs not in scopes:
            missing.append(theirs)
        elif scopes[theirs] and where not in scopes[theirs]:
            elsewhere.append(f"{theirs} (as {', '.join(scopes[theirs])}, not {where})")
    found = []
    if missing:
        found.append(f"does not know the actions {', '.join(missing)} of fleet {declared.id}")
    if elsewhere:
        found.append(f"knows actions of fleet {declared.id} elsewhere only: {', '.join(elsewhere)}")
    return found


def place_of(desk: Desk, state: State) -> int:
    """The node that a vehicle stands on; -1: on none."""
    place = state.position
    node = desk.floor.node_of.get(state.last_node, -1)
    if place is None:
        return node
    if node >= 0:
        x, y = desk.floor.xy_m(node)
        if math.hypot(x - place.x, y - place.y) <= desk.limits.pose_off_m:
            return node
    return desk.floor.nearest(place.x, place.y)


def not_yet(desk: Desk, v: Vehicle, state: State, site: Site) -> tuple[int, str]:
    """(node, "") where it may join, else why not."""
    if state.mode not in COMMANDED:
        return -1, f"operating mode {state.mode} -> switch it to AUTOMATIC"
    fatal = [error.kind for error in state.errors if error.level == "FATAL"]
    if fatal:
        return -1, f"reports {', '.join(fatal[:3])}"
    if state.safety.emergency_stop != "NONE":
        return -1, f"emergency stop ({state.safety.emergency_stop}) -> release it"
    if state.position is not None and not state.position.localized:
        return -1, "does not know where it is -> localise it"
    node = place_of(desk, state)
    if node < 0:
        return -1, "stands on no node -> drive it to one"
    roadmap = site.roadmap
    bay = roadmap.node_bay[node]
    if bay >= 0 and not roadmap.bays[bay].fleets >> v.fleet & 1:
        return -1, f"stands in {roadmap.bays[bay].id}, which is not for its fleet"
    if v.factsheet is None and v.codec.version and v.asked_factsheet_ns < 0:
        v.asked_factsheet_ns = desk.now_ns
        instant(desk, v, "factsheetRequest")
    waited_ns = desk.now_ns - v.asked_factsheet_ns
    if v.factsheet is None and waited_ns < desk.limits.factsheet_s * SECOND_NS:
        return -1, ""
    return node, ""


def asking(v: Vehicle, state: State, robot: int, node: int) -> RobotJoined:
    """Whether the core takes it in, as its next robot; see `Control.answered`."""
    place, power = state.position, state.power
    heading = round(math.degrees(place.theta)) % 360 if place is not None else 0
    permille = round(power.charge_percent * 10) if power is not None else 1000
    return RobotJoined(
        robot=robot,
        name=v.name,
        fleet=v.fleet,
        node=node,
        heading_deg=heading,
        battery_permille=max(0, min(1000, permille)),
    )


def turned_away(desk: Desk, v: Vehicle) -> None:
    """The core has not taken it in, and has said why; asked all the time, it would say so all the
    time."""
    wait_s = min(ASK_S_MAX, 2 ** max(0, v.turned_away - 1))
    v.turned_away += 1
    v.ask_ns = desk.now_ns + wait_s * SECOND_NS
