"""Parts of a page: cards, tiles, tables, numbers in words."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from sim.report.style import sheet

NONE = "-"


def document(title: str, body: str) -> str:
    """A whole page that stands alone."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{sheet()}</style></head>"
        f"<body><main>{body}</main></body></html>\n"
    )


def percent(share: float | None, digits: int = 1) -> str:
    """A share of one as percent."""
    if share is None:
        return NONE
    return f"{100 * share:.{digits}f} %" if share < 1 else "100 %"


def span(seconds: float | None) -> str:
    """A length of time."""
    if seconds is None:
        return NONE
    return f"{int(seconds) // 60}:{int(seconds) % 60:02} min" if seconds >= 60 else f"{seconds:g} s"


def tile(value: str, name: str, note: str = "", style: str = "", more: str = "") -> str:
    """A figure with its name."""
    small = (f"<span>{escape(note)}</span>" if note else "") + more
    return (
        f"<div class='tile {style}'><span>{escape(name)}</span><b>{escape(value)}</b>{small}</div>"
    )


def card(title: str, caption: str, content: str) -> str:
    """A titled part of the page."""
    return (
        f"<section class='card'><h2>{escape(title)}</h2><p class='caption'>{escape(caption)}</p>"
        f"{content}</section>"
    )


def meter(share: float) -> str:
    """A share as a small bar, with its number."""
    return f"<span class='meter'><i style='width:{100 * share:.1f}%'></i></span>{percent(share)}"


class Html(str):
    """Already escaped."""

    __slots__ = ()


def table(head: Sequence[str], rows: Sequence[Sequence[Any]], numeric: Sequence[int] = ()) -> str:
    """A table; columns in `numeric` are set to the right."""

    def cells(tag: str, row: Sequence[Any]) -> str:
        return "".join(
            f"<{tag}{' class=n' if index in numeric else ''}>"
            f"{value if isinstance(value, Html) else escape(str(value))}</{tag}>"
            for index, value in enumerate(row)
        )

    top = f"<thead><tr>{cells('th', head)}</tr></thead>" if any(head) else ""
    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    return f"<div class='scroll'><table>{top}<tbody>{body}</tbody></table></div>"
