"""Figures in words, for the terminal and for the page."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from sim.compare import Comparison
from sim.compare.rows import Row, Value
from sim.verification.table import clock

NONE = "-"
COLOURS = {"better": "green", "worse": "red", "": ""}


def shown(value: Value, unit: str) -> str:
    """A figure with its unit."""
    if value is None:
        return NONE
    text = f"{value:,.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else f"{value:,}"
    return f"{text} {unit}".strip()


def difference(row: Row) -> str:
    """With its sign."""
    if row.difference is None:
        return NONE
    text = shown(abs(row.difference), "points" if row.unit == "%" else row.unit)
    return text if not row.difference else f"{'+' if row.difference > 0 else '-'}{text}"


def percent(row: Row) -> str:
    """The difference in percent of the first; points and equal figures have none."""
    if row.percent is None or not row.difference or row.unit == "%":
        return ""
    return f"{row.percent:+.1f} %"


def show(found: Comparison, console: Console) -> None:
    """Print the comparison."""
    console.print(escape(found.about))
    span = f"{clock(found.from_ns / 1e9)[:-4]} to {clock(found.to_ns / 1e9)[:-4]}"
    table = Table(title=f"from {span}", title_justify="left")
    table.add_column("")
    for name in (*found.names, "difference", ""):
        table.add_column(escape(name), justify="right")
    for row in found.rows:
        colour = COLOURS[row.verdict]
        cells = (difference(row), percent(row))
        table.add_row(
            escape(row.label), shown(row.first, row.unit), shown(row.second, row.unit),
            *(f"[{colour}]{cell}[/{colour}]" if colour and cell else cell for cell in cells),
        )  # fmt: skip
    console.print(table)
