"""The HTTP API: read-only questions about a run at a time."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Path, Query, Request

from orchestrator.web import figures, session
from orchestrator.web.picture import Picture
from orchestrator.web.poses import state as pose_at
from orchestrator.web.run import WatchedRun
from orchestrator.web.shapes import FaultSpan, Kpi, Load, Order, Robot, RunInfo, Station

router = APIRouter()
Run = Annotated[str, Query(alias="run", max_length=200, description="name; left out: the newest")]
Time = Annotated[float | None, Query(ge=0, lt=1e9, description="seconds; left out: the newest")]
OrderState = Literal[
    "open",
    "waiting",
    "picking",
    "packed",
    "handed_out",
    "done",
    "quarantined",
    "cancelled",
    "refused",
    "late",
]
CLOSED_MAX = 5000
HERE_M = 0.3  # so near to a bay's point of service a robot stands in it


class NotThere(LookupError):
    """No such run, robot or station."""


async def watched(request: Request, name: str) -> WatchedRun:
    """The run that is meant, ready to be asked."""
    try:
        run: WatchedRun = await request.app.state.library.get(name)
    except KeyError:
        raise HTTPException(404, f"no run {name!r}" if name else "no run yet") from None
    if run.loaded is None:
        raise HTTPException(503, run.error or "the run is being read")
    return run


def _time_ns(run: WatchedRun, t: float | None) -> int:
    return run.edge_ns if t is None else min(round(t * 1e9), run.edge_ns)


@router.get("/healthz", tags=["service"])
async def healthz() -> dict[str, str]:
    """Is the server up?"""
    return {"status": "ok"}


@router.get("/api/runs", tags=["runs"])
async def runs(request: Request) -> list[str]:
    """Names of all runs, newest first."""
    names: list[str] = await asyncio.to_thread(request.app.state.library.names)
    return names


@router.get("/api/run", tags=["runs"])
async def run_info(request: Request, name: Run = "") -> RunInfo:
    """What a run is about and how far it is."""
    return (await watched(request, name)).info()


@router.get("/api/layout", tags=["runs"])
async def layout(request: Request, name: Run = "") -> dict[str, Any]:
    """The building: nodes [x_m, y_m, bay], edges [tail, head, fleets], bays, stations, fleets."""
    return (await watched(request, name)).drawing or {}


@router.get("/api/kpi", tags=["state"])
async def kpi(request: Request, name: Run = "", t: Time = None) -> Kpi:
    """The headline figures at a time."""
    run = await watched(request, name)
    t_ns = _time_ns(run, t)
    busy = await asyncio.to_thread(session.busy, run, t_ns)
    return figures.kpi(run.pictures.ledger, t_ns, len(busy), run.robots_at(t_ns))


@router.get("/api/orders", tags=["state"])
async def orders(
    request: Request,
    name: Run = "",
    t: Time = None,
    state: OrderState | None = None,
    limit: Annotated[int, Query(ge=1, le=CLOSED_MAX)] = 500,
) -> list[Order]:
    """Orders at a time, the newest first; `open`: not closed; `late`: past their due time."""
    run = await watched(request, name)
    t_ns = _time_ns(run, t)
    rows = [row.shown(t_ns) for row in run.pictures.ledger.at(t_ns, CLOSED_MAX)]
    if state == "open":
        rows = [row for row in rows if row.closed_s is None]
    elif state == "late":
        rows = [row for row in rows if row.late]
    elif state is not None:
        rows = [row for row in rows if row.state == state]
    rows.sort(key=lambda row: row.received_s, reverse=True)
    return rows[:limit]


@router.get("/api/faults", tags=["state"])
async def faults(request: Request, name: Run = "") -> list[FaultSpan]:
    """Every fault of the run so far."""
    return (await watched(request, name)).pictures.ledger.faults


@router.get("/api/robots/{robot}", tags=["state"])
async def robot(
    request: Request, robot: Annotated[int, Path(ge=0)], name: Run = "", t: Time = None
) -> Robot:
    """A robot by its index: where it is, what it carries, where it is planned to go."""
    run = await watched(request, name)
    if robot >= len(run.robots):
        raise NotThere(f"no robot {robot}")
    return await asyncio.to_thread(_robot, run, robot, _time_ns(run, t))


def _robot(run: WatchedRun, index: int, t_ns: int) -> Robot:
    assert run.loaded is not None
    fact = run.robots[index]
    piece = run.poses.at(t_ns)[index]
    x, y, theta, speed = pose_at(piece, t_ns)
    picture, ledger = run.pictures.at(t_ns), run.pictures.ledger
    fault = next((f for f in ledger.faults_at(t_ns) if f.subject == fact["name"]), None)
    active = int(piece["t0_ns"]) + int(piece["dt_ns"]) > t_ns
    turning = active and float(piece["omega_radps"]) != 0
    place = f"robot:{fact['name']}"
    load = next((_load(run, picture, n) for n, p in picture.place.items() if p == place), None)
    roadmap = run.loaded.site.roadmap
    route = []
    for edge in run.reports.route(index, t_ns):
        head = roadmap.edge_head[edge]
        route.append((roadmap.node_x_mm[head] / 1000, roadmap.node_y_mm[head] / 1000))
    return Robot(
        robot=index,
        name=fact["name"],
        fleet=fact["fleet"],
        state="dead" if fault else "turning" if turning else "driving" if active else "standing",
        x_m=round(x, 3),
        y_m=round(y, 3),
        theta_rad=round(theta, 4),
        speed_mps=round(abs(speed), 2),
        at=_bay_at(run, x, y),
        load=load,
        battery_percent=run.reports.battery_percent(index, t_ns),
        route=route,
        fault=fault,
        trips=picture.trips[fact["name"]],
    )


def _bay_at(run: WatchedRun, x_m: float, y_m: float) -> str:
    assert run.loaded is not None
    roadmap = run.loaded.site.roadmap
    for bay in roadmap.bays:
        dx = roadmap.node_x_mm[bay.node] / 1000 - x_m
        dy = roadmap.node_y_mm[bay.node] / 1000 - y_m
        if abs(dx) < HERE_M and abs(dy) < HERE_M:
            return bay.id
    return ""


def _load(run: WatchedRun, picture: Picture, name: str) -> Load:
    sku, units = picture.units.get(name, ("", None))
    ledger = run.pictures.ledger
    order = ledger.parcel_order.get(name, "")
    return Load(id=name, place=picture.place[name], sku=sku, quantity=units, order=order)


@router.get("/api/stations/{station}", tags=["state"])
async def station(
    request: Request,
    station: Annotated[str, Path(max_length=200)],
    name: Run = "",
    t: Time = None,
) -> Station:
    """A station by its name: what stands there and how much it has done."""
    run = await watched(request, name)
    assert run.loaded is not None
    spec = next((s for s in run.loaded.site.stations if s.id == station), None)
    if spec is None:
        raise NotThere(f"no station {station!r}")
    picture = await asyncio.to_thread(run.pictures.at, _time_ns(run, t))
    place = f"station:{station}"
    loads = [_load(run, picture, name) for name, where in picture.place.items() if where == place]
    return Station(
        id=station, kind=spec.kind, loads=loads, handled=picture.handled[station],
        positions=spec.positions,
    )  # fmt: skip
