"""Charts as inline SVG, coloured by the page's CSS variables. Plain functions, strings out."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

WIDTH, HEIGHT = 520, 230
LEFT, RIGHT, TOP, BOTTOM = 44, 12, 14, 30


def number(value: float) -> str:
    """Short and exact enough for a drawing."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def clock(seconds: float) -> str:
    """H:MM"""
    minutes = round(seconds / 60)
    return f"{minutes // 60}:{minutes % 60:02}"


def text(x: float, y: float, content: str, style: str = "axis", anchor: str = "middle") -> str:
    """A label."""
    return (
        f'<text class="{style}" x="{number(x)}" y="{number(y)}" text-anchor="{anchor}">'
        f"{escape(content)}</text>"
    )


def rect(x: float, y: float, width: float, height: float, *, style: str, tip: str = "") -> str:
    """A rectangle, with a tooltip."""
    title = f"<title>{escape(tip)}</title>" if tip else ""
    return (
        f'<rect class="{style}" x="{number(x)}" y="{number(y)}" width="{number(max(width, 0))}" '
        f'height="{number(max(height, 0))}" rx="1.5">{title}</rect>'
    )


def frame(parts: Sequence[str], label: str, width: float = WIDTH, height: float = HEIGHT) -> str:
    """The drawing itself."""
    return (
        f'<svg viewBox="0 0 {number(width)} {number(height)}" role="img" '
        f'aria-label="{escape(label, quote=True)}">{"".join(parts)}</svg>'
    )


def nice(top: float) -> tuple[float, float]:
    """A round end of an axis not below `top`, and the step of its ticks."""
    if top <= 0:
        return 1.0, 1.0
    step = next(
        s * 10**e for e in range(-3, 9) for s in (1, 2, 2.5, 5) if top / (s * 10**e) <= 4.01
    )
    return -(-(top - 0.01 * step) // step) * step, step


def y_axis(top: float, step: float, height: float) -> list[str]:
    """Horizontal grid lines with their values."""
    parts = []
    for index in range(round(top / step) + 1):
        y = height - BOTTOM - (height - TOP - BOTTOM) * index * step / top
        style = "base" if index == 0 else "grid"
        parts.append(f'<line class="{style}" x1="{LEFT}" x2="{WIDTH - RIGHT}" '
                     f'y1="{number(y)}" y2="{number(y)}"/>')  # fmt: skip
        parts.append(text(LEFT - 6, y + 3.5, f"{index * step:g}", anchor="end"))
    return parts


def x_axis(labels: Sequence[str], height: float) -> list[str]:
    """Labels below, at the bins' beginnings."""
    count = max(len(labels), 1)
    every = next(n for n in (1, 2, 3, 4, 6, 8, 12, 24, 48, 96, 10**9) if count / n <= 9)
    width = (WIDTH - LEFT - RIGHT) / count
    return [
        text(LEFT + index * width, height - BOTTOM + 16, label)
        for index, label in enumerate(labels)
        if index % every == 0
    ]


def bars(
    values: Sequence[float],
    labels: Sequence[str],
    tips: Sequence[str],
    label: str,
    *,
    line: Sequence[float] = (),
    marks: Sequence[tuple[float, str]] = (),
) -> str:
    """Columns from zero; `line`: values over the same bins; `marks`: (position in bins, label)."""
    top, step = nice(max([*values, *line, 0]))
    scale = (HEIGHT - TOP - BOTTOM) / top
    width = (WIDTH - LEFT - RIGHT) / max(len(values), 1)
    gap = min(2.0, width * 0.2)
    parts = y_axis(top, step, HEIGHT) + x_axis(labels, HEIGHT)
    for index, (value, tip) in enumerate(zip(values, tips, strict=True)):
        x, height = LEFT + index * width + gap / 2, value * scale
        parts.append(rect(x, HEIGHT - BOTTOM - height, width - gap, height, style="bar", tip=tip))
    if line:
        points = " ".join(
            f"{number(LEFT + (i + 0.5) * width)},{number(HEIGHT - BOTTOM - v * scale)}"
            for i, v in enumerate(line)
        )
        parts.append(f'<polyline class="trend" points="{points}"/>')
    return frame(parts + _marks(marks, width), label)


def _marks(marks: Sequence[tuple[float, str]], width: float) -> list[str]:
    """Dashed lines at places along the bins, each with its label."""
    parts = []
    for row, (at, name) in enumerate(marks):
        x = LEFT + at * width
        parts.append(f'<line class="mark" x1="{number(x)}" x2="{number(x)}" y1="{TOP - 4}" '
                     f'y2="{HEIGHT - BOTTOM}"/>')  # fmt: skip
        left = x > 0.8 * WIDTH
        y = TOP + 6 + 14 * row
        parts.append(text(x + (-5 if left else 5), y, name, "note", "end" if left else "start"))
    return parts


def stacked(
    rows: Sequence[Sequence[float]], styles: Sequence[str], labels: Sequence[str],
    tips: Sequence[Sequence[str]], label: str, *, height: float = HEIGHT,
) -> str:  # fmt: skip
    """Columns of several parts."""
    top, step = nice(max((sum(row) for row in rows), default=0))
    scale = (height - TOP - BOTTOM) / top
    width = (WIDTH - LEFT - RIGHT) / max(len(rows), 1)
    gap = min(2.0, width * 0.15)
    parts = y_axis(top, step, height) + x_axis(labels, height)
    for index, row in enumerate(rows):
        y = height - BOTTOM
        for value, style, tip in zip(row, styles, tips[index], strict=True):
            part = value * scale
            y -= part
            if part > 0.05:
                x = LEFT + index * width + gap / 2
                parts.append(
                    rect(x, y, width - gap, part, style=style, tip=tip).replace(' rx="1.5"', "")
                )
    return frame(parts, label, WIDTH, height)


def share_bars(
    rows: Sequence[tuple[str, Sequence[float]]], styles: Sequence[str], names: Sequence[str]
) -> str:
    """One horizontal bar per row, of shares that sum to one."""
    left, bar, space, width = 100.0, 26.0, 12.0, 1080.0
    parts = []
    for index, (name, shares) in enumerate(rows):
        x, y = left, index * (bar + space) + 2
        parts.append(text(left - 10, y + bar / 2 + 4, name, "label", "end"))
        for share, style, state in zip(shares, styles, names, strict=True):
            part = share * (width - left)
            if part > 0.3:
                tip = f"{name}: {state} {100 * share:.1f} %"
                parts.append(rect(x, y, part - 1, bar, style=style, tip=tip))
                if part > 38:
                    parts.append(text(x + part / 2, y + bar / 2 + 4, f"{100 * share:.0f} %", "on"))
            x += part
    return frame(parts, "share of time per fleet", width, len(rows) * (bar + space) - space + 4)


def lines(
    series: Sequence[Sequence[float | None]],
    labels: Sequence[str],
    label: str,
    *,
    top: float = 0.0,
    tips: Sequence[str] = (),
    marks: Sequence[tuple[float, str]] = (),
) -> str:
    """One line per series over the same bins, in the classes l0, l1, ...; None leaves a gap. `top`: the
    axis goes at least so far; `tips`: of each bin; `marks`: (position in bins, label)."""
    known = [value for row in series for value in row if value is not None]
    top, step = nice(max([*known, top, 0]))
    count = max(len(labels), 1)
    width, scale = (WIDTH - LEFT - RIGHT) / count, (HEIGHT - TOP - BOTTOM) / top
    parts = y_axis(top, step, HEIGHT) + x_axis(labels, HEIGHT)
    parts += _marks(marks, width)
    for index, row in enumerate(series):
        path, pen = [], "M"
        for at, value in enumerate(row):
            if value is None:
                pen = "M"
                continue
            x, y = LEFT + (at + 0.5) * width, HEIGHT - BOTTOM - value * scale
            path.append(f"{pen}{number(x)} {number(y)}")
            pen = "L"
        parts.append(f'<path class="line l{index}" d="{"".join(path)}"/>')
    for at, tip in enumerate(tips):
        parts.append(rect(LEFT + at * width, TOP, width, HEIGHT - TOP - BOTTOM, style="hover",
                          tip=tip).replace(' rx="1.5"', ""))  # fmt: skip
    return frame(parts, label)


def strips(
    rows: Sequence[tuple[str, Sequence[float]]], labels: Sequence[str], label: str, bin_text: str
) -> str:
    """One strip per row, a cell per bin, the darker the nearer its share is to one."""
    left, high, space, width = 150.0, 15.0, 3.0, 1080.0
    cell = (width - left - 52) / max(len(labels), 1)
    parts = []
    for index, (name, shares) in enumerate(rows):
        y = index * (high + space)
        parts.append(text(left - 8, y + high - 4, name, "axis", "end"))
        for at, share in enumerate(shares):
            tip = f"{name}, {labels[at]} ({bin_text}): {100 * share:.0f} % at work"
            parts.append(
                rect(left + at * cell, y, cell - min(1.0, cell * 0.15), high, style="cell", tip=tip)
                .replace(' rx="1.5"', f' fill-opacity="{0.06 + 0.94 * min(share, 1.0) ** 0.6:.2f}"')
            )  # fmt: skip
        mean = sum(shares) / max(len(shares), 1)
        parts.append(text(width, y + high - 4, f"{100 * mean:.0f} %", "axis", "end"))
    bottom = len(rows) * (high + space) + 12
    every = next(n for n in (1, 2, 3, 4, 6, 8, 12, 24, 48, 96) if len(labels) / n <= 13)
    parts += [
        text(left + at * cell, bottom, name, "axis", "start")
        for at, name in enumerate(labels)
        if at % every == 0
    ]
    return frame(parts, label, width, bottom + 6)


def funnel(rows: Sequence[tuple[str, int, str]], label: str) -> str:
    """Bars from the left, one below the other, as wide as their number; (name, number, style)."""
    left, high, space, width = 150.0, 26.0, 10.0, 520.0
    most = max([count for _, count, _ in rows] + [1])
    parts = []
    for index, (name, count, style) in enumerate(rows):
        y = index * (high + space)
        length = (width - left - 60) * count / most
        parts.append(text(left - 10, y + high / 2 + 4, name, "label", "end"))
        parts.append(rect(left, y, max(length, 1.5), high, style=style, tip=f"{name}: {count}"))
        parts.append(text(left + length + 8, y + high / 2 + 4, str(count), "note", "start"))
    return frame(parts, label, width, len(rows) * (high + space))
