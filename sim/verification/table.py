"""The verdict as text."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from sim.verification import Verdict

ROWS_MAX = 40


def show(verdict: Verdict, console: Console, name: str) -> None:
    """Print figures, then findings."""
    console.print(_figures(verdict, name))
    counts = verdict.findings.counts
    if verdict.clean:
        console.print("[green]nothing found[/green]")
        return
    table = Table(title="findings", title_justify="left")
    for column in ("time", "kind", "what", "finding"):
        table.add_column(column, justify="right" if column == "time" else "left")
    rows = verdict.findings.as_json()["rows"]
    for row in rows[:ROWS_MAX]:
        table.add_row(
            clock(row["time_s"]), row["kind"], escape(row["subject"]), escape(row["text"])
        )
    console.print(table)
    listed = ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items()))
    console.print(f"[red]{verdict.findings.total} findings[/red]: {listed}")
    if len(rows) > ROWS_MAX:
        console.print(f"{len(rows) - ROWS_MAX} more with --json")


def clock(time_s: float | None) -> str:
    """H:MM:SS.mmm"""
    if time_s is None:
        return "-"
    minutes, seconds = divmod(time_s, 60)
    return f"{int(minutes) // 60}:{int(minutes) % 60:02}:{seconds:06.3f}"


def percent(ratio: dict[str, Any]) -> str:
    """A lights-out ratio in words."""
    if ratio["ratio"] is None:
        return "no order was due within the run"
    return f"{100 * ratio['ratio']:.2f} %  ({ratio['lights_out']} of {ratio['due']})"


def _figures(verdict: Verdict, name: str) -> Table:
    figures = verdict.figures
    table = Table(title=name, title_justify="left", show_header=False)
    table.add_column(justify="left", style="bold")
    table.add_column(justify="left")
    for key, value in _rows(figures):
        table.add_row(key, escape(str(value)))
    return table


def _rows(figures: dict[str, Any]) -> list[tuple[str, str]]:
    motion, contact = figures.get("motion", {}), figures.get("contact", {})
    goods, ratio = figures["goods"], figures["lights_out"]
    rows = [("run", f"{clock(figures['simulated_s'])}, {figures['robots']} robots")]
    if motion:
        rows.append(
            ("trajectories", f"{motion['pieces']} pieces, top {motion['speed_mps_max']} m/s")
        )
    if contact:
        rows.append(("contacts", str(contact["contacts"])))
        where = f"at {clock(contact['clearance_s'])}, {' and '.join(contact['clearance_robots'])}"
        least = contact["clearance_m"]
        rows.append(("least clearance", f"{least:.3f} m {where}" if least is not None else "-"))
    kinds = ", ".join(f"{count} {kind}" for kind, count in figures["orders"].items())
    states = ", ".join(f"{n} {state}" for state, n in figures["states"].items()) or "-"
    late = f"{figures['late']} finished late, {figures['overdue_at_end']} due and unfinished"
    touches = f"{figures['human_touches']}, {figures['orders_touched']} orders touched"
    rows += [
        ("orders", kinds or "none"),
        ("in the books", states),
        ("units", ", ".join(f"{v} {k.removeprefix('units_')}" for k, v in goods.items()
                            if k.startswith("units_"))),
        ("labels", _labels(figures["labels"])),
        ("finished right", str(figures["finished_right"])),
        ("wrong", str(figures["wrong"])),
        ("late", late),
        ("human touches", touches),
        ("exceptions", _exceptions(figures["exceptions"])),
    ]  # fmt: skip
    if figures.get("transport"):
        rows.append(
            ("transports", f"{figures['transport']['transports_backed']} backed by a track")
        )
    rows += [
        ("lights-out, all", percent(ratio["all"])),
        ("lights-out, fillable", percent(ratio["fillable"])),
        ("checked in", f"{figures['wall_s']} s"),
    ]
    return rows


def _labels(figures: dict[str, int]) -> str:
    checked, unread = figures["checked"], figures["unread"]
    return f"{checked - unread} of {checked} read, {figures['torn_but_read']} of them torn"


def _exceptions(figures: dict[str, Any]) -> str:
    hows: dict[str, int] = {}
    for ends in figures["ended"].values():
        for how, count in ends.items():
            hows[how] = hows.get(how, 0) + count
    text = ", ".join(f"{count} {how}" for how, count in sorted(hows.items(), key=lambda h: -h[1]))
    still = sum(figures["open_at_end"].values())
    return f"{figures['opened']} opened; ended: {text or 'none'}; {still} still open"
