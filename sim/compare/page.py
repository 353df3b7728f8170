"""Two runs on one HTML page: nothing from elsewhere."""

from __future__ import annotations

from html import escape

from sim.compare import Comparison
from sim.compare.rows import Row
from sim.compare.series import Series
from sim.compare.words import difference, percent, shown
from sim.report import svg
from sim.report.parts import Html, card, document, table, tile
from sim.verification.table import clock

TILES = (
    "orders_per_hour", "cycle_p50_s", "lights_out_percent", "open_at_end", "metres_per_order",
    "waiting_percent",
)  # fmt: skip


def page(found: Comparison) -> str:
    """The whole document."""
    title = f"{found.names[0]} \u2192 {found.names[1]}"
    span = f"{clock(found.from_ns / 1e9)[:-4]} to {clock(found.to_ns / 1e9)[:-4]}"
    site = escape(str(found.seen[0].recipe.get("name", "")))
    plots = [_plot(curve, found) for curve in found.series]
    body = [
        f"<header><h1>{escape(title)}</h1><p class='soft'>{site} · {span}</p></header>",
        f"<p class='origin'>{escape(found.about)}</p>",
        _tiles(found),
        "<div class='row'>", *plots[:2], "</div><div class='row'>", *plots[2:], "</div>",
        _rows(found), _runs(found),
    ]  # fmt: skip
    return document(title, "".join(body))


def _tiles(found: Comparison) -> str:
    rows = {row.key: row for row in found.rows}
    tiles = []
    for key in TILES:
        row = rows[key]
        change = difference(row) + (f" ({percent(row)})" if percent(row) else "")
        style = row.verdict or "soft"
        more = f"<span class='{style}'>{escape(change)}</span>"
        value = shown(row.second, row.unit)
        tiles.append(tile(value, row.label, f"against {shown(row.first, row.unit)}", more=more))
    return f"<div class='tiles'>{''.join(tiles)}</div>"


def _plot(curve: Series, found: Comparison) -> str:
    bins = len(curve.curves[0])
    labels = [svg.clock(at * curve.bin_s) for at in range(bins)]
    tips = [
        f"from {label}: "
        + ", ".join(
            f"{name} {'-' if row[at] is None else f'{row[at]:g}'}"
            for name, row in zip(found.names, curve.curves, strict=True)
        )
        for at, label in enumerate(labels)
    ]
    marks = []
    if found.from_ns:
        at_s = found.from_ns / 1e9
        marks = [(at_s / curve.bin_s, f"from {svg.clock(at_s)}")]
    drawn = svg.lines(curve.curves, labels, curve.title, tips=tips, marks=marks)
    legend = "".join(
        f"<span><i class='l{side}'></i>{escape(name)}</span>"
        for side, name in enumerate(found.names)
    )
    return card(curve.title, curve.caption, f"{drawn}<div class='legend'>{legend}</div>")


def _rows(found: Comparison) -> str:
    def coloured(row: Row, text: str) -> Html:
        return Html(f"<span class='{row.verdict}'>{escape(text)}</span>")

    listed = table(("", *found.names, "difference", ""), [
        (row.label, shown(row.first, row.unit), shown(row.second, row.unit),
         coloured(row, difference(row)), coloured(row, percent(row)))
        for row in found.rows
    ], numeric=(1, 2, 3, 4))  # fmt: skip
    content = f"<div class='whole'>{listed}</div>"
    return card("All figures", "green: better, red: worse than the first", content)


def _runs(found: Comparison) -> str:
    rows = []
    for side, name in enumerate(found.names):
        seen = found.seen[side]
        line = " < ".join(str(row["run"]) for row in seen.meta.get("forked_from", [])[::-1])
        digest = seen.meta.get("totals", {}).get("journal_hash", "")
        checked = "nothing found" if seen.verdict.clean else f"{seen.verdict.findings.total}"
        rows.append((name, seen.recipe.get("seed"), line or "-", checked, digest[:16]))
    head = ("run", "seed", "forked from", "goods and orders checked", "journal")
    caption = "contacts are checked by lightsout verify; the journal's hash is SHA-256"
    return card("The runs", caption, table(head, rows))
