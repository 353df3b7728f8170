"""Buildings made by others into LIF or a site's skeleton; what a file is, its content says."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

from orchestrator.layout import FILE_BYTES_MAX, LoadedSite, lif, load_site, occupancy, rmf
from orchestrator.layout.findings import Finding, LayoutError
from orchestrator.layout.grid import HEADINGS, node_name, read_map
from orchestrator.layout.outline import Lane, Outline, Place, largest_part, site_files, to_lif
from orchestrator.layout.outline import with_bays as _with_bays
from orchestrator.layout.reading import read_yaml

KNOWN = "a ROS map's YAML, an RMF building.yaml or graph, a movingai .map, or a site's folder"


@dataclass(frozen=True, slots=True)
class Choices:
    """Metres; `pitch_m` None is the format's own (a robot's size for maps, 1 m for grids)."""

    pitch_m: float | None = None
    robot_radius_m: float = 0.4
    level: str | None = None
    graph: int = 0
    robots: int = 2


def convert(path: Path, to: str, choices: Choices) -> tuple[dict[str, str], list[Finding]]:
    """Texts by file name (`layout.lif.json`; for `to` = site a `site.yaml` too), and what was left
    out. Raises `LayoutError`."""
    file = str(path)
    if path.is_dir() or path.name == "site.yaml":
        if to != "lif":
            raise occupancy.refuse(file, "-", "is a site already", "convert it --to lif")
        return {"layout.lif.json": lif.write(of_site(load_site(path)))}, []
    outline = _with_bays(largest_part(_read(path, choices), file), file, choices.robots)
    if to == "site":
        return site_files(outline, choices.robot_radius_m), outline.found
    return {"layout.lif.json": lif.write(to_lif(outline))}, outline.found


def _read(path: Path, choices: Choices) -> Outline:
    file = str(path)
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            raise occupancy.refuse(file, "-", "is too large", "split it")
        data = path.read_bytes()
    except OSError as error:
        text = f"can't be read: {error.strerror}"
        raise occupancy.refuse(file, "-", text, f"name {KNOWN}") from error
    if data[:2] in (b"P2", b"P5"):
        raise occupancy.refuse(file, "byte 0", "is the image of a map", "name its YAML")
    if data.split(None, 1)[:1] == [b"type"]:
        return _of_grid(path, choices.pitch_m or 1.0)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        what = f"byte {error.start} is not UTF-8"
        raise occupancy.refuse(file, "-", what, f"name {KNOWN}") from error
    raw, found = read_yaml(text, file)
    if found:
        raise LayoutError(found)
    if isinstance(raw, dict) and "levels" in raw:
        name = path.name.split(".")[0]
        return rmf.read(rmf.Source(raw, text, file), name, choices.level, choices.graph)
    if isinstance(raw, dict) and "image" in raw:
        return occupancy.read(raw, path, choices.pitch_m, choices.robot_radius_m)
    if isinstance(raw, dict) and "layouts" in raw:
        raise occupancy.refuse(file, "-", "is LIF already", "write a site.yaml beside it")
    raise occupancy.refuse(file, "line 1", "is no building known here", f"name {KNOWN}")


def _of_grid(path: Path, cell_m: float) -> Outline:
    free = read_map(path)
    cells = {(r, c): i for i, (r, c) in enumerate(zip(*map(list, free.nonzero()), strict=True))}
    places = [Place(node_name(int(r), int(c)), float(c * cell_m), float(-r * cell_m))
              for r, c in cells]  # fmt: skip
    lanes = [
        Lane(here, cells[r + dr, c + dc])
        for (r, c), here in cells.items()
        for dr, dc in HEADINGS.values()
        if (r + dr, c + dc) in cells
    ]
    return Outline(path.stem, "ground", places, lanes)


def of_site(loaded: LoadedSite) -> lif.Lif:
    """A compiled site as LIF that compiles to the same tables: mm, whole degrees, m/s."""
    roadmap, names = loaded.site.roadmap, list(loaded.spec.fleets)
    nodes = [
        {"nodeId": name, "nodePosition": {"x": x / 1000, "y": y / 1000},
         "vehicleTypeNodeProperties": []}
        for name, x, y in zip(
            roadmap.node_ids, roadmap.node_x_mm, roadmap.node_y_mm, strict=True)
    ]  # fmt: skip
    edges = []
    for edge, name in enumerate(roadmap.edge_ids[: roadmap.edges]):
        heading = math.radians((roadmap.edge_heading_deg[edge] + 180) % 360 - 180)
        row: dict[str, object] = {"orientationType": "GLOBAL", "vehicleOrientation": heading}
        if roadmap.edge_speed_mmps[edge]:
            row["maxSpeed"] = roadmap.edge_speed_mmps[edge] / 1000
        fleets = [n for i, n in enumerate(names) if roadmap.edge_fleets[edge] >> i & 1]
        edges.append({
            "edgeId": name, "startNodeId": roadmap.node_ids[roadmap.edge_tail[edge]],
            "endNodeId": roadmap.node_ids[roadmap.edge_head[edge]],
            "vehicleTypeEdgeProperties": [{"vehicleTypeId": n, **row} for n in fleets],
        })  # fmt: skip
    stations = [
        {"stationId": bay.id, "interactionNodeIds": [roadmap.node_ids[n] for n in bay.nodes]}
        for bay in roadmap.bays
    ]
    layout = {"layoutId": loaded.site.id, "layoutVersion": "1", "nodes": nodes, "edges": edges,
              "stations": stations}  # fmt: skip
    return lif.file_of(loaded.site.id, lif.Layout.model_validate_json(json.dumps(layout)))
