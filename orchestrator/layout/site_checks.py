"""Do site file and layout fit together: patterns that match, places and carriers for the flow?"""

from __future__ import annotations

from fnmatch import fnmatchcase

from orchestrator.core.roadmap import Roadmap
from orchestrator.core.site import Site
from orchestrator.layout.findings import Finding
from orchestrator.layout.site_file import FaultsFile, SiteFile
from orchestrator.vda5050.quirks import quirks_of


def check(site: Site, spec: SiteFile, file: str) -> list[Finding]:
    """Findings over a compiled site; `file` is the site file's name."""
    return [
        *_patterns(site.roadmap, spec, file),
        *_stations(site, spec, file),
        *_carries(site, spec, file),
        *_routes(site, spec, file),
        *_simulation(site, spec, file),
        *_transports(site, spec, file),
        *_vehicles(spec, file),
    ]


def faults(given: FaultsFile | None, spec: SiteFile, file: str) -> list[Finding]:
    """Does faults.yaml speak of this site's fleets?"""
    if given is None:
        return []
    mend = f"use one of {', '.join(spec.fleets)}"
    kinds = ("robot_dies", "robot_slips", "robot_nonsense")
    found = [
        Finding("error", file, f"{kind}.fleets.{number}", f"no fleet {name!r}", mend)
        for kind in kinds
        for number, name in enumerate(getattr(getattr(given, kind), "fleets", ()))
        if name not in spec.fleets
    ]
    known = list(dict.fromkeys(name for row in spec.stations for name in row.capabilities))
    mend = f"use one of {', '.join(known)}"
    for number, name in enumerate(given.machine_down.capabilities if given.machine_down else ()):
        if name not in known:
            path, text = f"machine_down.capabilities.{number}", f"no station can {name!r}"
            found.append(Finding("error", file, path, text, mend))
    return found


def _patterns(roadmap: Roadmap, spec: SiteFile, file: str) -> list[Finding]:
    edges = {name.partition("#")[0] for name in roadmap.edge_ids[: roadmap.edges]}
    cameras = () if isinstance(spec.floor_cameras, bool) else spec.floor_cameras
    asked = (
        ("bays.{}.match", [row.match for row in spec.bays], {bay.id for bay in roadmap.bays},
         "station"),
        ("corridors.{}.match", [row.match for row in spec.corridors], edges, "edge"),
        ("floor_cameras.{}", cameras, edges, "edge"),
    )  # fmt: skip
    return [
        Finding(
            "warning", file, path.format(number), f"{pattern!r} matches no LIF {kind}",
            "mend the pattern, or remove the line",
        )
        for path, patterns, names, kind in asked
        for number, pattern in enumerate(patterns)
        if not any(fnmatchcase(name, pattern) for name in names)
    ]  # fmt: skip


def _vehicles(spec: SiteFile, file: str) -> list[Finding]:
    """Vehicles that may join are of fleets that there are, with quirks that there are."""
    found: list[Finding] = []
    for number, row in enumerate(spec.vehicles):
        if row.fleet not in spec.fleets:
            mend = f"use one of {', '.join(spec.fleets)}"
            text = f"no fleet {row.fleet!r}"
            found.append(Finding("error", file, f"vehicles.{number}.fleet", text, mend))
        try:
            quirks_of(row.quirks)
        except ValueError as error:
            text, _, mend = str(error).partition(" -> ")
            path = f"vehicles.{number}.quirks"
            found.append(Finding("error", file, path, text, mend or "see docs/vda5050.md"))
    return found


def _stations(site: Site, spec: SiteFile, file: str) -> list[Finding]:
    found: list[Finding] = []
    bays = site.roadmap.bays
    seen: dict[str, str] = {}
    outs = {station.bay: station.out_bay for station in site.stations}
    for number, row in enumerate(spec.stations):
        path = f"stations.{number}"
        made = [index for index, bay in enumerate(bays) if fnmatchcase(bay.id, row.match)]
        if not made:
            text = f"{row.match!r} matches no station of the layout"
            mend = "mend the pattern, or name the station so in LIF"
            found.append(Finding("error", file, f"{path}.match", text, mend))
        for index in made:
            name = bays[index].id
            if name in seen:
                text = f"{name!r} is matched by {seen[name]!r} as well"
                mend = "let each station be matched by one line"
                found.append(Finding("error", file, f"{path}.match", text, mend))
            seen[name] = row.match
            if bays[index].kind != "station":
                text = f"{name!r} is a bay of kind {bays[index].kind!r}"
                mend = "give it `kind: station` in `bays`"
                found.append(Finding("error", file, f"{path}.match", text, mend))
            if row.out_bay and outs[index] < 0:
                text = f"station {name!r} finds no bay for {row.out_bay!r}"
                mend = "add the LIF station, or mend the pattern"
                found.append(Finding("error", file, f"{path}.out_bay", text, mend))
    return found


def _carries(site: Site, spec: SiteFile, file: str) -> list[Finding]:
    """Every carry finds places to begin and to end, that a fleet with the right hands may enter."""
    found: list[Finding] = []
    for kind, steps in spec.flow.items():
        for name, step in steps.items():
            if step.do != "carry":
                continue
            carriers = sum(
                1 << index
                for index, fleet in enumerate(spec.fleets.values())
                if not step.needs or step.needs in fleet.carries
            )
            for key, place in (("start", step.start), ("to", step.to)):
                bays = _places(site, place, start=key == "start")
                if bays is None:
                    continue
                path = f"flow.{kind}.{name}.{key}"
                if not bays:
                    text = f"the site has no {_thing(place)}"
                    mend = "add one to the layout, and a line to `bays` and `stations`"
                    found.append(Finding("error", file, path, text, mend))
                elif not any(site.roadmap.bays[bay].fleets & carriers for bay in bays):
                    text = f"no fleet that carries {step.needs!r} may enter any {_thing(place)}"
                    mend = "open an edge into it to such a fleet"
                    found.append(Finding("error", file, path, text, mend))
    return found


def _places(site: Site, where: str, *, start: bool) -> list[int] | None:
    """The bays that `start` or `to` may mean; None where it names none in particular."""
    place, _, at = where.partition(":")
    match place:
        case "slot" | "home":
            bays = enumerate(site.roadmap.bays)
            return [i for i, bay in bays if bay.kind == "slot" and at in ("", bay.zone)]
        case "station" | "chute" if at:
            return [station.bay for station in site.stations if at in station.capabilities]
        case "chute" if start:
            rows = [station for station in site.stations if station.kind == "chute"]
            return [row.out_bay if row.out_bay >= 0 else row.bay for row in rows]
        case "dock" | "chute" | "door":
            return [station.bay for station in site.stations if station.kind == place]
        case "station":
            return [s.bay for s in site.stations if s.kind not in ("dock", "chute", "door")]
        case "out":
            return [s.out_bay for s in site.stations if s.out_bay >= 0]
    return None


def _thing(where: str) -> str:
    place, _, at = where.partition(":")
    if at:
        return f"slot of zone {at!r}" if place in ("slot", "home") else f"station that can {at!r}"
    return {
        "home": "slot", "slot": "slot", "out": "out_bay", "station": "station of kind pick",
        "dock": "station of kind dock", "chute": "station of kind chute",
        "door": "station of kind door",
    }[place]  # fmt: skip


def _routes(site: Site, spec: SiteFile, file: str) -> list[Finding]:
    """Routes name a door and chutes; what is asked of them has a timetable; stock rules name types."""
    found: list[Finding] = []

    def wrong(path: str, text: str, mend: str) -> None:
        found.append(Finding("error", file, path, text, mend))

    for name, route in site.routes.items():
        if route.door < 0 or site.stations[route.door].kind != "door":
            wrong(f"routes.{name}.door", "is no station of kind door", "name one of `stations`")
        if not route.chutes:
            wrong(f"routes.{name}.chutes", "matches no station of kind chute", "mend the pattern")
    demand, trucks = spec.simulation.demand.outbound, spec.simulation.trucks
    for name in trucks:
        if name not in site.routes:
            wrong(f"simulation.trucks.{name}", "is no route", "name one of `routes`")
    by_truck = [
        kind for kind, steps in spec.flow.items() if any(s.to == "door" for s in steps.values())
    ]
    for name in demand.routes if demand else ():
        if name not in trucks:
            path = f"simulation.demand.outbound.routes.{name}"
            wrong(path, "has no timetable", f"add simulation.trucks.{name}")
    if demand and "outbound" in by_truck and not demand.routes:
        path = "simulation.demand.outbound.routes"
        wrong(path, "orders go by truck, and none has a route", "give each route its share")
    for index, row in enumerate(spec.replenish):
        for key, value in (("order_type", row.order_type), ("relieve", row.relieve)):
            if value and value not in spec.flow:
                wrong(f"replenish[{index}].{key}", f"no order type {value!r}", "add it to `flow`")
    if len(site.replenish) < len(spec.replenish):
        text = "an order type has no carry from home:ZONE to slot:ZONE"
        wrong("replenish", text, "add such a step to the type")
    for word, rate in (
        ("inbound", spec.simulation.demand.inbound),
        ("returns", spec.simulation.demand.returns),
    ):
        if rate is not None and rate.order_type not in spec.flow:
            path = f"simulation.demand.{word}.order_type"
            wrong(path, f"no order type {rate.order_type!r}", "add it to `flow`")
    return found


def _transports(site: Site, spec: SiteFile, file: str) -> list[Finding]:
    """Transport demand names an order type that visits stops, and nodes that there are."""
    wanted, path = spec.simulation.demand.transport, "simulation.demand.transport"
    if wanted is None:
        return []
    kind = site.order_types.get(wanted.order_type)
    if kind is None or not any(step.to == "stop" for step in kind.steps.values()):
        text = f"no order type {wanted.order_type!r} with a carry to `stop`"
        return [Finding("error", file, f"{path}.order_type", text, "add it to `flow`")]
    if wanted.stops == "any":
        if sum(bay < 0 for bay in site.roadmap.node_bay) >= 2:
            return []
        return [Finding("error", file, f"{path}.stops", "fewer than two lane nodes", "add lanes")]
    known = {name: node for node, name in enumerate(site.roadmap.node_ids)}
    found: list[Finding] = []
    if not wanted.stops:
        found.append(Finding("error", file, f"{path}.stops", "is empty", "write any, or node ids"))
    for number, names in enumerate(wanted.stops):
        for name in names:
            if name not in known or not site.roadmap.is_stop(known[name]):
                text, mend = f"{name!r} is no node to stop at", "name a node of the layout"
                found.append(Finding("error", file, f"{path}.stops[{number}]", text, mend))
    return found


def _simulation(site: Site, spec: SiteFile, file: str) -> list[Finding]:
    found: list[Finding] = []
    known = {capability for station in spec.stations for capability in station.capabilities}
    known.add("floor")  # cameras above lanes
    simulation = spec.simulation
    for key, rows in (("service_s", simulation.service_s), ("success", simulation.success)):
        for name in rows:
            if name not in known:
                path, text = f"simulation.{key}.{name}", f"no station can {name!r}"
                mend = "mend the name, or add the capability to a station"
                found.append(Finding("error", file, path, text, mend))
    slots = sum(bay.kind == "slot" for bay in site.roadmap.bays)
    if spec.stock.totes > slots:
        text = f"{spec.stock.totes} totes but only {slots} slots"
        found.append(Finding("error", file, "stock.totes", text, "take fewer, or add slots"))
    return found
