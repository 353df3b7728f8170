"""The floor as a picture (SVG, self-contained) and as a dictionary for the web page."""

from __future__ import annotations

from html import escape
from statistics import median

from orchestrator.core.roadmap import Bay, Roadmap
from orchestrator.layout import LoadedSite

PX_PER_PITCH = 34.0  # pixels between neighbouring nodes, when first opened
KINDS = {"slot": "storage slot", "station": "station", "charger": "charger", "parking": "parking"}
LANES_NAMED_MAX = 5  # colours there are for lanes
STYLE = """
svg{--paper:#fbfaf7;--ink:#2b2f33;--soft:#8b9197;--slot:#d9cfbb;--station:#f0b35b;--charger:#8fc79a;
--parking:#cfd6dd;--l0:#3c78b4;--l1:#c05a3a;--l2:#7d5ba6;--l3:#2f8f83;--l4:#8a7a2c;
font-family:system-ui,sans-serif;background:var(--paper)}
@media (prefers-color-scheme:dark){svg{--paper:#16191c;--ink:#e4e6e8;--soft:#7d858c;--slot:#4b4436;
--station:#a8702a;--charger:#3d7a4a;--parking:#3c444c;--l0:#6ea8e0;--l1:#e58a6b;--l2:#b394db;
--l3:#63c2b5;--l4:#cbb95f}}
.lane,.arrow,.bay{fill:none;stroke-linecap:round;stroke-linejoin:round}
.way{opacity:.45}.arrow{stroke:none}text{fill:var(--ink);text-anchor:middle;dominant-baseline:central}
text.id{fill:var(--soft)}text.key{text-anchor:start}
"""
STYLE += "".join(f".bay.{kind}{{stroke:var(--{kind})}}" for kind in KINDS)
STYLE += "".join(
    f".lane.l{i}{{stroke:var(--l{i})}}.arrow.l{i}{{fill:var(--l{i})}}"
    for i in range(LANES_NAMED_MAX)
)


def draw(loaded: LoadedSite, ids: bool = False) -> str:
    """The floor as SVG: lanes with their direction, bays by kind, stations; node ids on demand."""
    roadmap = loaded.site.roadmap
    pitch = median(roadmap.edge_length_mm) if roadmap.edges else 1000.0
    west, south, east, north = _bounds_mm(roadmap)
    lanes = sorted({mask for mask in roadmap.edge_fleets if mask})
    head_room, foot_room = 1.1 * pitch, (1.2 + 0.55 * len(lanes)) * pitch
    width = max(east - west, 12 * pitch)
    height = north - south + head_room + foot_room
    scale = PX_PER_PITCH / pitch
    title = (
        f"{loaded.site.id}: {roadmap.nodes} nodes, {roadmap.edges} edges, {len(roadmap.bays)} bays"
    )
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{west:.0f} {-north - head_room:.0f} '
        f'{width:.0f} {height:.0f}" width="{width * scale:.0f}" height="{height * scale:.0f}">',
        f"<title>{escape(title)}</title><style>{STYLE}</style>",
        _text(west + 0.3 * pitch, north + 0.55 * pitch, title, 0.42 * pitch, "key"),
        *(_bay(roadmap, bay, pitch) for bay in roadmap.bays),
        *_lanes(roadmap, lanes, pitch),
        *_labels(loaded, pitch, ids),
        *_legend(loaded, lanes, (west + 0.4 * pitch, south - 0.4 * pitch), pitch),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _spots_mm(roadmap: Roadmap) -> list[tuple[int, int]]:
    return list(zip(roadmap.node_x_mm, roadmap.node_y_mm, strict=True))


def _bounds_mm(roadmap: Roadmap) -> tuple[int, int, int, int]:
    border = 1000
    xs, ys = roadmap.node_x_mm or (0,), roadmap.node_y_mm or (0,)
    return min(xs) - border, min(ys) - border, max(xs) + border, max(ys) + border


def _fleets(names: list[str], mask: int) -> list[str]:
    return [name for index, name in enumerate(names) if mask >> index & 1]


def _text(x: float, y: float, text: str, size: float, kind: str = "") -> str:
    look = f' class="{kind}"' if kind else ""
    return f'<text{look} x="{x:.0f}" y="{-y:.0f}" font-size="{size:.0f}">{escape(text)}</text>'


def _bay(roadmap: Roadmap, bay: Bay, pitch: float) -> str:
    """A thick round line over the nodes of the bay."""
    spots = _spots_mm(roadmap)
    way = " L".join(f"{spots[node][0]} {-spots[node][1]}" for node in bay.nodes)
    end = "h0" if len(bay.nodes) == 1 else ""
    return (
        f'<path class="bay {bay.kind}" stroke-width="{0.7 * pitch:.0f}" d="M{way}{end}">'
        f"<title>{escape(bay.id)}</title></path>"
    )


def _lanes(roadmap: Roadmap, lanes: list[int], pitch: float) -> list[str]:
    """For each set of fleets one path of lanes, one of ways into and out of bays, one of arrows."""
    spots, bay = _spots_mm(roadmap), roadmap.node_bay
    pairs = set(zip(roadmap.edge_tail, roadmap.edge_head, roadmap.edge_fleets, strict=True))
    parts: list[str] = []
    for colour, mask in enumerate(lanes):
        lines: dict[str, list[str]] = {"": [], " way": []}
        arrows: list[str] = []
        for tail, head, fleets in sorted(pairs):
            if fleets != mask:
                continue
            both = (head, tail, fleets) in pairs
            if not both or tail < head:
                (ax, ay), (bx, by) = spots[tail], spots[head]
                kind = " way" if bay[tail] >= 0 or bay[head] >= 0 else ""
                lines[kind].append(f"M{ax} {-ay}L{bx} {-by}")
            if not both:
                arrows.append(_arrow(spots[tail], spots[head], 0.13 * pitch))
        look = f"l{colour % LANES_NAMED_MAX}"
        for kind, rows in lines.items():
            size = (0.035 if kind else 0.06) * pitch
            parts.append(
                f'<path class="lane {look}{kind}" stroke-width="{size:.0f}" d="{"".join(rows)}"/>'
            )
        parts.append(f'<path class="arrow {look}" d="{"".join(arrows)}"/>')
    return parts


def _arrow(tail: tuple[int, int], head: tuple[int, int], size: float) -> str:
    """A triangle in the middle of the edge, pointing along it."""
    (ax, ay), (bx, by) = tail, head
    length = max(1.0, ((bx - ax) ** 2 + (by - ay) ** 2) ** 0.5)
    ux, uy = (bx - ax) / length * size, (by - ay) / length * size
    x, y = (ax + bx) / 2, (ay + by) / 2
    corners = [(x + ux, y + uy), (x - ux - uy, y - uy + ux), (x - ux + uy, y - uy - ux)]
    return "M" + "L".join(f"{cx:.0f} {-cy:.0f}" for cx, cy in corners) + "Z"


def _labels(loaded: LoadedSite, pitch: float, ids: bool) -> list[str]:
    """Names of stations, their out-bays and, on demand, of all bays and nodes."""
    roadmap = loaded.site.roadmap
    spots, machines = _spots_mm(roadmap), loaded.site.stations
    named = {one.bay for one in machines} | {one.out_bay for one in machines}
    parts: list[str] = []
    for index, bay in enumerate(roadmap.bays):
        if ids or index in named:
            x, y = spots[bay.node]
            parts.append(_text(x, y + (0.12 * pitch if ids else 0), bay.id, 0.2 * pitch))
    if ids:
        parts += [
            _text(x, y - 0.13 * pitch, name, 0.14 * pitch, "id")
            for name, (x, y) in zip(roadmap.node_ids, spots, strict=True)
        ]
    return parts


def _legend(
    loaded: LoadedSite, lanes: list[int], corner: tuple[float, float], pitch: float
) -> list[str]:
    (x, y), size = corner, 0.3 * pitch
    parts: list[str] = []
    used = {bay.kind for bay in loaded.site.roadmap.bays}
    for number, kind in enumerate(kind for kind in KINDS if kind in used):
        left = x + number * 3.1 * pitch
        parts.append(
            f'<path class="bay {kind}" stroke-width="{size:.0f}" d="M{left:.0f} {-y:.0f}h0"/>'
        )
        parts.append(_text(left + 0.35 * pitch, y, KINDS[kind], size, "key"))
    names = list(loaded.spec.fleets)
    for number, mask in enumerate(lanes):
        low = y - (number + 1) * 0.55 * pitch
        look = f"l{number % LANES_NAMED_MAX}"
        parts.append(
            f'<path class="lane {look}" stroke-width="{0.06 * pitch:.0f}" '
            f'd="M{x - 0.15 * pitch:.0f} {-low:.0f}h{0.8 * pitch:.0f}"/>'
        )
        text = f"lanes of {' and '.join(_fleets(names, mask))} (no arrow: both directions)"
        parts.append(_text(x + 0.9 * pitch, low, text, size, "key"))
    return parts
