"""Cards about the whole flow: exceptions, shifts, departures, congestion, energy, machines."""

from __future__ import annotations

from html import escape
from typing import Any

from sim.report import svg
from sim.report.parts import NONE, Html, card, percent, span, table
from sim.verification.table import clock

STRIPS_MAX = 60
LINES_MAX = 6


def words(name: str) -> str:
    """An identifier as words."""
    return name.replace("_", " ")


def exceptions(figures: dict[str, Any]) -> str:
    """The funnel, and a row per kind."""
    if not figures["opened"]:
        return card("Exceptions", "none were opened", "")
    drawn = svg.funnel(
        [
            ("opened", figures["opened"], "f-all"),
            ("tried again", figures["retried"], "f-try"),
            ("resolved", figures["resolved"], "f-good"),
            ("order set aside", figures["set_aside"], "f-aside"),
            ("by a person", figures["by_person"], "f-person"),
            ("open at the end", figures["open"], "f-open"),
        ],
        "exceptions and how they ended",
    )
    listed = table(("kind", "opened", "further tries", "how they ended", "p50", "longest"), [
        (words(row["kind"]), row["opened"], row["tries"], _ends(row["ends"]), span(row["p50_s"]),
         span(row["max_s"]))
        for row in figures["kinds"]
    ], numeric=(1, 2, 4, 5))  # fmt: skip
    return (
        "<div class='row uneven'>"
        + card("Exceptions", "how those that were opened ended", drawn)
        + card("Exceptions by kind", "each with its ends and how long it took", listed)
        + "</div>"
    )


def mistakes(figures: dict[str, Any]) -> str:
    """What machines did wrong to goods, and which check caught it; nothing where nothing was."""
    if not figures["made"]:
        return ""
    head = ("mistake", "made", "caught by", "still inside", "put into stock", "torn, but readable",
            "shipped")  # fmt: skip
    listed = table(head, [
        (row["kind"], row["made"], _ends(row["caught"]), row["open"], row["stocked"],
         row["readable"], row["shipped"])
        for row in figures["kinds"]
    ], numeric=(1, 3, 4, 5, 6))  # fmt: skip
    caption = f"{figures['made']} made by machines, {figures['shipped']} left the building"
    return card("Mistakes and the checks that caught them", caption, listed)


def _ends(ends: dict[str, int]) -> Html:
    chips = "".join(f"<span>{count} {escape(words(how))}</span>" for how, count in ends.items())
    return Html(f"<div class='chips'>{chips}</div>")


def shifts(figures: dict[str, Any]) -> str:
    """A row per shift."""
    names = ("orders received", "done", "late", "exceptions", "robots died", "human touches",
             "units in", "units out")  # fmt: skip
    keys = ("received", "done", "late", "exceptions", "deaths", "touches", "units_in", "units_out")
    listed = table(("shift", *names), [
        (f"{svg.clock(row['from_s'])} - {svg.clock(row['to_s'])}", *(row[key] for key in keys))
        for row in figures["rows"]
    ], numeric=range(1, 9))  # fmt: skip
    hours = figures["shift_h"]
    length = f"{hours:g} h" if hours >= 1 else f"{60 * hours:g} min"
    return card("Shifts", f"of {length}; done and late by the time they were finished", listed)


def departures(figures: dict[str, Any]) -> str:
    """Trucks and what was promised to them; nothing where no trucks come."""
    if not figures["trucks"] and not figures["routes"]:
        return ""
    routes = table(("route", "trucks", "parcels", "promised", "met", ""), [
        (row["route"], row["departed"], row["parcels"], row["promised"], row["met"],
         percent(row["met_share"]))
        for row in figures["routes"]
    ], numeric=range(1, 6))  # fmt: skip
    trucks = table(("truck", "door", "docked", "was to leave", "left", "late", "parcels"), [
        (row["truck"], row["door"], clock(row["docked_s"])[:-7], clock(row["departs_s"])[:-7],
         clock(row["left_s"])[:-7] if row["left_s"] is not None else NONE, _delay(row["delay_s"]),
         _load(row))
        for row in figures["trucks"]
    ], numeric=(2, 3, 4, 5, 6))  # fmt: skip
    share = figures["on_time_share"]
    caption = f"{figures['on_time']} of {figures['departed']} trucks left in time"
    caption += f" ({percent(share)})" if share is not None else ""
    return (
        "<div class='row uneven nowrap'>"
        + card("Routes", "orders whose promised departure lay within the run", routes)
        + card("Departures", caption, trucks)
        + "</div>"
    )


def _delay(seconds: float | None) -> str:
    if seconds is None:
        return NONE
    return span(seconds) if seconds > 60 else "in time"


def _load(row: dict[str, Any]) -> str:
    return f"{row['parcels']} of {row['capacity']}" if row["capacity"] else str(row["parcels"])


def fork_marks(run: dict[str, Any], bin_s: float) -> list[tuple[float, str]]:
    """Where a run turned off, in bins."""
    return [(at_s / bin_s, f"fork {svg.clock(at_s)}") for at_s in run["forked_s"]]


def congestion(rows: list[dict[str, Any]], run: dict[str, Any]) -> str:
    """Share of the robots under way that wait, over time."""
    labels = [svg.clock(row["from_s"]) for row in rows]
    shares = [100 * row["waiting_share"] for row in rows]
    tips = [
        f"from {label}: {share:.1f} % of {row['under_way']:.1f} robots under way wait"
        for label, share, row in zip(labels, shares, rows, strict=True)
    ]
    marks = fork_marks(run, rows[1]["from_s"]) if len(rows) > 1 else ()
    drawn = svg.lines([shares], labels, "waiting share over time", top=20, tips=tips, marks=marks)
    worst = max(range(len(rows)), key=lambda at: shares[at], default=0)
    note = f"worst: {shares[worst]:.1f} % from {labels[worst]}" if rows else ""
    return card("Congestion", "percent of the robots under way that stand and wait",
                f"{drawn}<p class='caption'>{note}</p>")  # fmt: skip


def energy(figures: dict[str, Any], run: dict[str, Any]) -> str:
    """Charge over time per fleet, and what was used."""
    fleets = dict(list(figures["fleets"].items())[:LINES_MAX])
    if not fleets:
        return ""
    first = next(iter(fleets.values()))["over_time"]
    labels = [svg.clock(row["from_s"]) for row in first]
    series = [[row["percent"] for row in fleet["over_time"]] for fleet in fleets.values()]
    tips = [
        f"from {label}: "
        + ", ".join(
            f"{name} {fleet['over_time'][at]['percent']} %, "
            f"{percent(fleet['over_time'][at]['charging_share'])} on a charger"
            for name, fleet in fleets.items()
        )
        for at, label in enumerate(labels)
    ]
    marks = fork_marks(run, figures["bin_s"])
    drawn = svg.lines(series, labels, "charge over time", top=100, tips=tips, marks=marks)
    legend = "".join(
        f"<span><i class='l{index}'></i>{escape(name)}</span>" for index, name in enumerate(fleets)
    )
    kwh = any(fleet["kwh_used"] is not None for fleet in fleets.values())
    head = ("fleet", "kWh used" if kwh else "full charges used", "on a charger", "least charge")
    listed = table(head, [
        (name, fleet["kwh_used"] if kwh else f"{fleet['charges_used']:.1f}",
         percent(fleet["charging_share"]),
         NONE if fleet["least_percent"] is None else f"{fleet['least_percent']:g} %")
        for name, fleet in fleets.items()
    ], numeric=(1, 2, 3))  # fmt: skip
    return card("Energy", "mean charge per fleet in percent, as the robots report it",
                f"{drawn}<div class='legend'>{legend}</div>{listed}")  # fmt: skip


def machines(figures: dict[str, Any]) -> str:
    """A strip per station and capability."""
    rows = figures["rows"]
    if not rows:
        return ""
    shown = rows
    if len(rows) > STRIPS_MAX:
        shown = sorted(rows, key=lambda row: -row["busy_share"])[:STRIPS_MAX]
        shown.sort(key=lambda row: (row["station"], row["capability"]))
    bins = len(shown[0]["over_time"])
    labels = [svg.clock(at * figures["bin_s"]) for at in range(bins)]
    strips = [(f"{r['station']} {words(r['capability'])}", r["over_time"]) for r in shown]
    length = f"{figures['bin_s'] / 60:g} min"
    drawn = svg.strips(strips, labels, "machines at work over time", length)
    caption = f"share of each {length} in which the machine was at work; right: over the run"
    if len(rows) > len(shown):
        caption += f"; the {STRIPS_MAX} busiest of {len(rows)}"
    return card("Machines", caption, drawn)
