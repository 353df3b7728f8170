"""The building as the page draws it: made once per run, from the files that the run keeps."""

from __future__ import annotations

from typing import Any

from orchestrator.layout import LoadedSite, load_files


def load(meta: dict[str, Any]) -> LoadedSite:
    """The site of a run. Raises `LayoutError`; ValueError if the run keeps no site."""
    recipe = meta.get("recipe")
    if not isinstance(recipe, dict) or not isinstance(recipe.get("files"), dict):
        raise ValueError("the run keeps no site -> record it anew")
    return load_files(recipe["files"], str(recipe.get("name", "site")))


def drawing(loaded: LoadedSite) -> dict[str, Any]:
    """Nodes [x_m, y_m, bay]; edges [tail, head, fleets]; bays, stations, fleets; bounds."""
    roadmap, site = loaded.site.roadmap, loaded.site
    xs = [x / 1000 for x in roadmap.node_x_mm]
    ys = [y / 1000 for y in roadmap.node_y_mm]
    return {
        "site": site.id,
        "nodes": [list(row) for row in zip(xs, ys, roadmap.node_bay, strict=True)],
        "node_ids": list(roadmap.node_ids),
        "edges": [
            list(row)
            for row in zip(roadmap.edge_tail, roadmap.edge_head, roadmap.edge_fleets, strict=True)
            if row[2]
        ],
        "bays": [
            {"id": bay.id, "kind": bay.kind, "nodes": list(bay.nodes), "fleets": bay.fleets}
            for bay in roadmap.bays
        ],
        "stations": [
            {
                "id": station.id,
                "kind": station.kind,
                "bay": station.bay,
                "out_bay": station.out_bay,
                "positions": station.positions,
            }
            for station in site.stations
        ],
        "fleets": [
            {
                "id": fleet.id,
                "footprint": [list(p) for p in loaded.spec.fleets[fleet.id].footprint_m],
            }
            for fleet in site.fleets
        ],
        "bounds": [min(xs, default=0), min(ys, default=0), max(xs, default=1), max(ys, default=1)],
    }
