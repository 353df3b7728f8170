"""The report as one HTML page: inline style, inline SVG, nothing from elsewhere."""

from __future__ import annotations

import base64
from html import escape
from pathlib import Path
from typing import Any

from orchestrator.vision.pictures import find
from orchestrator.vision.readers.shrinking import shrunk
from sim.report import Report, cards, svg
from sim.report.map import LEVELS, heat_map
from sim.report.parts import NONE, Html, card, document, meter, percent, span, table, tile
from sim.report.timeline import STATES
from sim.verification.table import clock

PICTURES_MAX, THUMBNAIL_PX, THUMBNAIL_BYTES = 40, 240, 20_000
WORDS = {state: state.replace("_", " ") for state in STATES}


def page(report: Report) -> str:
    """The whole document."""
    figures = report.figures
    run = figures["run"]
    title = f"{run['name']}: {clock(run['simulated_s'])[:-4]} with {run['robots']} robots"
    body = [
        f"<header><h1>{escape(run['name'])}</h1>",
        f"<p class='soft'>{escape(_subtitle(run))}</p></header>",
        _origin(run),
        _tiles(figures),
        "<div class='row'>", _throughput(figures["orders"], run), _cycle(figures["orders"]), "</div>",
        cards.exceptions(figures["exceptions"]),
        cards.mistakes(figures["mistakes"]),
        cards.departures(figures["departures"]),
        cards.shifts(figures["shifts"]),
        _fleets(figures),
        "<div class='row'>", _over_time(figures),
        cards.congestion(figures["congestion"], run), "</div>",
        *_lower(figures),
        cards.machines(figures["machines"]),
        "<div class='row'>", _heat(report, "move"), _heat(report, "stand"), "</div>",
        _faults(figures["faults"]), _unfinished(figures["unfinished"], report.pictures),
        _arguments(figures),
    ]  # fmt: skip
    return document(title, "".join(body))


def _origin(run: dict[str, Any]) -> str:
    """Of a fork: where it comes from, and what was changed."""
    if not run["forked_from"] and not run["forks"]:
        return ""
    lines = [f"forked from {row}" for row in run["forked_from"]]
    lines += [f"from {row}" for row in run["forks"]]
    return f"<p class='origin'>{'<br>'.join(escape(line) for line in lines)}</p>"


def _subtitle(run: dict[str, Any]) -> str:
    parts = [f"{clock(run['simulated_s'])[:-4]} simulated", f"{run['robots']} robots",
             f"seed {run['seed']}"]  # fmt: skip
    if run["faults"] != "none":
        parts.append("with faults")
    return " · ".join(parts)


def _tiles(figures: dict[str, Any]) -> str:
    orders, ratio, seen = figures["orders"], figures["lights_out"], figures["verification"]
    fleet, cycle = figures["fleets"]["all"], orders["cycle"]
    fillable, everything = ratio["fillable"], ratio["all"]
    if fillable["ratio"] is None:
        note = "none had a due time within the run"
        head = tile(str(orders["finished"]), "orders finished", note, "head")
    else:
        note = (f"{fillable['lights_out']} of {fillable['due']} fillable orders due in the run; "
                f"of all {everything['due']}: {percent(everything['ratio'], 2)}")  # fmt: skip
        style = "head" if fillable["ratio"] >= 1 else "head bad"
        head = tile(percent(fillable["ratio"], 2), "lights-out ratio", note, style, _count(seen))
    clear = seen["clearance_m"]
    tiles = [
        head,
        tile(f"{orders['per_hour']:g}", "orders per hour",
              f"{orders['finished']} of {orders['received']} finished"),
        tile(span(cycle["p50_s"]), "cycle time p50", f"p95 {span(cycle['p95_s'])}"),
        tile(percent(orders["on_time_share"]), "on time",
              f"{orders['on_time']} of {orders['due']}"),
        tile(str(seen["contacts"]), "contacts",
              f"clearance {100 * clear:.1f} cm" if clear is not None else "",
              "bad" if seen["contacts"] else ""),
        tile(str(seen["human_touches"]), "human touches",
              f"{seen['orders_touched']} orders touched",
              "bad" if seen["human_touches"] else ""),
        tile(percent(fleet["waiting_share"]), "waiting", "of the time on missions"),
        _travel(fleet),
        tile("clean" if seen["clean"] else str(seen["findings"]), "verification",
              ", ".join(f"{n} {k}" for k, n in seen["finding_counts"].items()) or "nothing found",
              "" if seen["clean"] else "bad"),
    ]  # fmt: skip
    return f"<div class='tiles'>{''.join(tiles)}</div>"


def _count(seen: dict[str, Any]) -> str:
    """What keeps orders from counting, in one line."""
    names = {"late": "late", "wrong": "wrong", "overdue_at_end": "overdue",
             "orders_touched": "touched", "unfillable": "not fillable"}  # fmt: skip
    return "<div class='counts'>" + "".join(
        f"<span><em>{seen[key]}</em>{name}</span>" for key, name in names.items()
    ) + "</div>"  # fmt: skip


def _travel(fleet: dict[str, Any]) -> str:
    loaded, empty = fleet["loaded_m"] / 1000, fleet["empty_m"] / 1000
    if not loaded:
        return tile(f"{empty:.1f} km", "driven", "without loads")
    note = f"{loaded:.1f} km loaded, {empty:.1f} empty"
    return tile(percent(fleet["empty_share"]), "empty travel", note)


def _throughput(orders: dict[str, Any], run: dict[str, Any]) -> str:
    rows, wide = orders["throughput_5min"], orders["throughput_15min"]
    tips = [f"from {svg.clock(row['from_s'])}: {row['orders']} orders" for row in rows]
    line = [wide[index // 3]["per_hour"] for index in range(len(rows))]
    chart = svg.bars(
        [row["per_hour"] for row in rows], [svg.clock(row["from_s"]) for row in rows], tips,
        "orders finished per hour", line=line, marks=cards.fork_marks(run, 300),
    )  # fmt: skip
    return card(
        "Throughput", "orders finished per hour, each 5 minutes; line: each 15 minutes", chart
    )


def _cycle(orders: dict[str, Any]) -> str:
    cycle = orders["cycle"]
    rows = cycle["histogram"]
    if not rows:
        return card("Order cycle time", "no order was finished", "")
    width = rows[0]["to_s"]
    tips = [f"{span(r['from_s'])} to {span(r['to_s'])}: {r['orders']} orders" for r in rows]
    labels = [f"{r['from_s'] / 60:g}" for r in rows]
    marks = [(cycle[key] / width, f"{key[:3]} {span(cycle[key])}") for key in ("p50_s", "p95_s")]
    chart = svg.bars([r["orders"] for r in rows], labels, tips, "cycle times", marks=marks)
    return card("Order cycle time", "orders by minutes from reception to hand-out", chart)


def _legend(figures: dict[str, Any]) -> str:
    seen = figures["fleets"]["all"]["share"]
    items = "".join(
        f"<span><i class='{state}'></i>{WORDS[state]}</span>" for state in STATES if seen[state] > 0
    )
    return f"<div class='legend'>{items}</div>"


def _fleets(figures: dict[str, Any]) -> str:
    fleets = figures["fleets"]
    names = [name for name in fleets if name != "all" or len(fleets) > 2]
    rows = [(name, [fleets[name]["share"][state] for state in STATES]) for name in names]
    bars = svg.share_bars(rows, list(STATES), [WORDS[state] for state in STATES])
    head = (
        "fleet",
        "robots",
        "loaded km",
        "empty km",
        "empty share",
        "waiting share",
        "stop and go",
    )
    listed = table(head, [
        (name, fleets[name]["robots"], f"{fleets[name]['loaded_m'] / 1000:.2f}",
         f"{fleets[name]['empty_m'] / 1000:.2f}", percent(fleets[name]["empty_share"]),
         percent(fleets[name]["waiting_share"]), percent(fleets[name]["stop_and_go_share"]))
        for name in names
    ], numeric=range(1, 7))  # fmt: skip
    caption = "share of time; a robot at a station is being served there, a waiting one is not"
    return card(
        "Fleets", caption, bars + _legend(figures) + "<div style='height:14px'></div>" + listed
    )


def _over_time(figures: dict[str, Any]) -> str:
    rows = figures["fleet_over_time"]
    values = [[row["robots"][state] for state in STATES] for row in rows]
    labels = [svg.clock(row["from_s"]) for row in rows]
    tips = [
        [f"from {label}: {value:.1f} robots {WORDS[state]}"
         for state, value in zip(STATES, row, strict=True)]
        for label, row in zip(labels, values, strict=True)
    ]  # fmt: skip
    chart = svg.stacked(values, list(STATES), labels, tips, "robots by state over time")
    return card("What robots did", "mean number of robots in each state, each 5 minutes",
                 chart + _legend(figures))  # fmt: skip


def _lower(figures: dict[str, Any]) -> list[str]:
    """Energy, beside the stations if there are any."""
    charge = cards.energy(figures["energy"], figures["run"])
    if not figures["stations"]:
        return [charge]
    return ["<div class='row'>", charge, _stations(figures["stations"]), "</div>"]


def _stations(rows: list[dict[str, Any]]) -> str:
    listed = table(("station", "a robot stood there", "handled", "per hour"), [
        (row["station"], Html(meter(row["occupied_share"])), row["handled"], row["per_hour"])
        for row in rows
    ], numeric=(2, 3))  # fmt: skip
    return card("Stations", "share of time with a robot; totes, parcels made or handed out", listed)


def _heat(report: Report, layer: str) -> str:
    moving = layer == "move"
    seconds, grid = report.moving if moving else report.standing
    title = "Where robots drive" if moving else "Where robots stand"
    caption = "robot-seconds per cell" + ("" if moving else ", without idle and charging robots")
    drawn = heat_map(grid, seconds, (report.loaded, report.places), layer, title)
    steps = "".join(
        f"<i style='background:var(--{layer});opacity:{0.12 + 0.88 * step / LEVELS:.2f}'></i>"
        for step in range(1, LEVELS + 1)
    )
    busy = seconds[seconds > 0]
    least, most = (0.0, 0.0) if not len(busy) else (float(busy.min()), float(busy.max()))
    legend = (
        f"<div class='legend'><span>{least:.0f} s<span class='scale'>{steps}</span>{most:.0f} s "
        f"per cell of {grid.cell_m:.2f} m</span></div>"
    )
    return card(title, caption, drawn + legend)


def _faults(rows: list[dict[str, Any]]) -> str:
    if not rows:
        return card("Faults", "none happened", "")
    listed = table(("from", "what", "who", "reason", "lasted", "ended"), [
        (clock(row["from_s"])[:-4], row["kind"].replace("_", " "), row["subject"], row["reason"],
         f"{row['seconds']:.0f} s" if row["seconds"] is not None else NONE, row["ended"])
        for row in rows
    ], numeric=(4,))  # fmt: skip
    return card("Faults", f"{len(rows)} and how they ended", listed)


def _unfinished(rows: list[dict[str, Any]], pictures: Path | None) -> str:
    if not rows:
        return card("Orders not finished", "all were", "")
    shown = [row["picture"] for row in rows if row["picture"]][:PICTURES_MAX]
    listed = table(("order", "kind", "status", "why", "received", "due", ""), [
        (row["order"], row["kind"], row["status"], row["reason"], clock(row["received_s"])[:-4],
         clock(row["due_s"])[:-4] if row["due_s"] else NONE,
         _thumbnail(row["picture"], pictures) if row["picture"] in shown else row["picture"][:12])
        for row in rows
    ])  # fmt: skip
    return card(
        "Orders not finished", f"{len(rows)} listed; set aside first, then by due time", listed
    )


def _thumbnail(name: str, pictures: Path | None) -> str:
    """A small one; its name where it is not there any more."""
    picture = find(pictures, name) if pictures is not None else None
    if picture is None:
        return name[:12]
    small = shrunk(picture, THUMBNAIL_PX, THUMBNAIL_BYTES)
    data = base64.b64encode(small.data).decode()
    return Html(f"<img alt='{name[:12]}' src='data:{small.media_type};base64,{data}'>")


def _arguments(figures: dict[str, Any]) -> str:
    rows = [
        (key.replace("_", " "), Html(f"<code>{escape(str(value))}</code>"))
        for key, value in figures["run"].items()
        if value not in ("", None, {}) and not key.startswith("fork")
    ]
    return card("The run", "what it was made from; hashes are SHA-256", table(("", ""), rows))
