"""A building made by others, read: places and lanes of one level, to be written as LIF or as a site."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import yaml

from orchestrator.layout import lif
from orchestrator.layout.findings import Finding, LayoutError, listed
from orchestrator.layout.lif_checks import EDGE_M_MIN, beyond

NODES_MAX = 20_000
FLEET = "robot"
TRANSPORTS_PER_ROBOT_HOUR = 12
BAYS = {"charger": "charge-", "parking": "park-"}  # kind -> how its LIF stations are named


@dataclass(frozen=True, slots=True)
class Place:
    """A node: metres; `kind` charger, parking or nothing; `note` what its maker calls it."""

    id: str
    x_m: float
    y_m: float
    kind: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Lane:
    """From place to place (indices); `speed_mps` 0 is no limit; `backwards` drives rear first."""

    tail: int
    head: int
    speed_mps: float = 0.0
    backwards: bool = False


@dataclass(frozen=True, slots=True)
class Outline:
    """One level of a building; `found` is what was left out or guessed."""

    name: str
    level: str
    places: list[Place]
    lanes: list[Lane]
    found: list[Finding] = field(default_factory=list)


def largest_part(outline: Outline, file: str) -> Outline:
    """Only the places from which all others are reached; what is dropped is said."""
    lanes = [lane for lane in outline.lanes if _length_m(outline, lane) >= EDGE_M_MIN]
    found = list(outline.found)
    if len(lanes) < len(outline.lanes):
        text = f"{len(outline.lanes) - len(lanes)} lanes have no length and are left out"
        found.append(Finding("warning", file, "lanes", text, "move their vertices apart"))
    if not lanes:
        text = "no two places can be driven between"
        mend = "draw lanes; for a map take a smaller --pitch or --robot-radius"
        raise LayoutError([Finding("error", file, "lanes", text, mend)])
    ways = np.array([(lane.tail, lane.head) for lane in lanes])
    used = set(np.unique(ways).tolist())
    kept = sorted(used - set(beyond(ways, len(outline.places))))
    if len(kept) > NODES_MAX:
        text = f"{len(kept)} nodes, more than {NODES_MAX}"
        raise LayoutError([Finding("error", file, "-", text, "take a larger --pitch")])
    if len(kept) < 2:
        text = "the lanes lead nowhere back: no two places reach each other"
        mend = "make lanes two-way, or close them to loops"
        raise LayoutError([Finding("error", file, "lanes", text, mend)])
    number = {old: new for new, old in enumerate(kept)}
    lost = [place.id for index, place in enumerate(outline.places) if index not in number]
    if lost:
        text = f"{len(lost)} of {len(outline.places)} places are left out: {listed(lost)}"
        mend = "they are not reached from the largest connected part and back: add lanes there"
        found.append(Finding("warning", file, "-", text, mend))
    lanes = [
        replace(lane, tail=number[lane.tail], head=number[lane.head])
        for lane in lanes
        if lane.tail in number and lane.head in number
    ]
    places = [outline.places[index] for index in kept]
    return Outline(outline.name, outline.level, places, _once(lanes), found)


def _once(lanes: list[Lane]) -> list[Lane]:
    return list({(lane.tail, lane.head): lane for lane in reversed(lanes)}.values())[::-1]


def _length_m(outline: Outline, lane: Lane) -> float:
    a, b = outline.places[lane.tail], outline.places[lane.head]
    return math.hypot(b.x_m - a.x_m, b.y_m - a.y_m)


def with_bays(outline: Outline, file: str, robots: int) -> Outline:
    """Marked places become bays where the lanes hold together without them, others stay nodes;
    where too few remain for `robots`, places with the fewest lanes become parking."""
    places, found = list(outline.places), list(outline.found)
    near: list[set[int]] = [set() for _ in places]
    for lane in outline.lanes:
        near[lane.tail].add(lane.head)
        near[lane.head].add(lane.tail)
    bays: set[int] = set()
    wanted = [index for index, place in enumerate(places) if place.kind]
    for index in wanted:
        if not near[index] & bays and _holds(outline, bays | {index}):
            bays.add(index)
        else:
            text = f"{places[index].id} is {places[index].kind}, but lanes lead through it"
            mend = "it stays a node; move it to the end of a lane of its own"
            found.append(Finding("warning", file, "-", text, mend))
            places[index] = replace(places[index], kind="")
    for index in sorted(range(len(places)), key=lambda i: len(near[i])):
        if len(bays) >= robots:
            break
        if index not in bays and not near[index] & bays and _holds(outline, bays | {index}):
            bays.add(index)
            places[index] = replace(places[index], kind="parking")
    if len(bays) < robots:
        text = f"there is room to park {len(bays)} robots only, {robots} were asked for"
        found.append(Finding("warning", file, "-", text, "add parking at the ends of lanes"))
    lanes = _mouths(outline.lanes, bays)
    return Outline(outline.name, outline.level, places, lanes, found)


def _holds(outline: Outline, bays: set[int]) -> bool:
    """All other places still reach each other, and each bay has a way in and the way back."""
    ways = [(a.tail, a.head) for a in outline.lanes if not {a.tail, a.head} & bays]
    if not ways:
        return False
    array, pairs = np.array(ways), {(lane.tail, lane.head) for lane in outline.lanes}
    if beyond(array, len(outline.places)):
        return False
    if len(np.unique(array)) + len(bays) != len(outline.places):
        return False
    return all(any((b, a) in pairs for a, c in pairs if c == b) for b in bays)


def _mouths(lanes: list[Lane], bays: set[int]) -> list[Lane]:
    """A bay keeps one way in, and the way back out rear first: nobody turns in it."""
    pairs = {(lane.tail, lane.head) for lane in lanes}
    mouth: dict[int, int] = {}
    for lane in lanes:
        if lane.head in bays and (lane.head, lane.tail) in pairs:
            mouth.setdefault(lane.head, lane.tail)
    kept = []
    for lane in lanes:
        if lane.tail in bays:
            if mouth[lane.tail] == lane.head:
                way_in = next(a for a in lanes if (a.tail, a.head) == (lane.head, lane.tail))
                kept.append(replace(lane, backwards=not way_in.backwards))
        elif lane.head not in bays or mouth[lane.head] == lane.tail:
            kept.append(lane)
    return kept


def to_lif(outline: Outline) -> lif.Lif:
    """As LIF: metres, radians; bays as stations named by kind."""
    nodes = tuple(
        lif.Node(
            nodeId=place.id, nodePosition=lif.Position(x=place.x_m, y=place.y_m),
            vehicleTypeNodeProperties=(), nodeDescription=place.note,
        )
        for place in outline.places
    )  # fmt: skip
    edges = []
    for lane in outline.lanes:
        row: dict[str, Any] = {"vehicleTypeId": FLEET}
        if lane.backwards:
            row |= {"orientationType": "TANGENTIAL", "vehicleOrientation": math.pi}
        if lane.speed_mps:
            row["maxSpeed"] = lane.speed_mps
        tail, head = outline.places[lane.tail].id, outline.places[lane.head].id
        edges.append(
            lif.Edge(
                edgeId=f"{tail}>{head}", startNodeId=tail, endNodeId=head,
                vehicleTypeEdgeProperties=(lif.EdgeProperties(**row),),
            )
        )  # fmt: skip
    stations = tuple(
        lif.Station(stationId=BAYS[place.kind] + place.id, interactionNodeIds=(place.id,))
        for place in outline.places
        if place.kind
    )
    layout = lif.Layout(
        layoutId=outline.name, layoutVersion="1", layoutLevelId=outline.level,
        nodes=nodes, edges=tuple(edges), stations=stations,
    )  # fmt: skip
    return lif.file_of(outline.name, layout)


def site_files(outline: Outline, robot_radius_m: float) -> dict[str, str]:
    """A site's skeleton: one fleet, transports only, guarantees advised."""
    half = robot_radius_m / math.sqrt(2)
    robots = sum(bool(place.kind) for place in outline.places)
    kinds = [kind for kind in BAYS if any(place.kind == kind for place in outline.places)]
    corners = [[half, half], [-half, half], [-half, -half], [half, -half]]
    fleet = {
        "robots": robots,
        "footprint_m": corners, "speed_mps": 1.0, "acceleration_mps2": 0.8, "turn_degps": 90,
        "battery": {"reach_m": 9000, "idle_hours": 12, "charge_minutes": 30},
    }  # fmt: skip
    if "charger" not in kinds:  # nowhere to charge: the battery is left out of it
        fleet["battery"] = {"reach_m": 1e9, "idle_hours": 1e6, "charge_minutes": 1}
    site = {
        "format": 1, "id": outline.name, "guarantees": "advised", "fleets": {FLEET: fleet},
        "safety_margin_m": 0.04, "two_way_penalty": 4.0,
        "bays": [{"match": f"{BAYS[kind]}*", "kind": kind} for kind in kinds],
        "flow": {"transport": {"visit": {"do": "carry", "to": "stop", "then": ["done"]},
                               "done": {"do": "finish"}}},
        "simulation": {"demand": {"transport": {
            "orders_per_hour": TRANSPORTS_PER_ROBOT_HOUR * robots, "stops": "any"}}},
    }  # fmt: skip
    text = "# Made by `lightsout layout convert`: fleet and demand are guesses. Mend them.\n"
    return {
        "site.yaml": text + str(yaml.safe_dump(site, sort_keys=False)),
        "layout.lif.json": lif.write(to_lif(outline)),
    }
