"""The building as data: read, checked as a whole, compiled. A broken layout is never half loaded."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from orchestrator.core.site import Site
from orchestrator.layout import compile as compiling
from orchestrator.layout import flow_check, guarantees, lif
from orchestrator.layout.findings import Finding, LayoutError, errors
from orchestrator.layout.site_file import FaultsFile, SiteFile, read_faults, read_site
from planners.roadmap import RoadmapArrays

__all__ = ["Finding", "LayoutError", "LoadedSite", "check_site", "load_files", "load_site"]

SITE, FAULTS = "site.yaml", "faults.yaml"
FILE_BYTES_MAX = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class LoadedSite:
    """A site that passed every check. `files` (name -> text) is all it was made from."""

    site: Site
    arrays: RoadmapArrays
    spec: SiteFile
    faults: FaultsFile | None
    files: dict[str, str]


def load_site(path: Path) -> LoadedSite:
    """Load a site's folder. Raises `LayoutError` with everything that is wrong."""
    return load_files(read_files(path), path.name)


def read_files(path: Path) -> dict[str, str]:
    """The texts a site consists of."""
    folder = path if path.is_dir() else path.parent
    if not (folder / SITE).is_file():
        mend = "name a folder with a site.yaml, as sites/jd_small"
        raise LayoutError([Finding("error", str(path), "-", "is no site", mend)])
    files: dict[str, str] = {}
    for file in sorted(folder.iterdir()):
        if file.suffix in (".yaml", ".json") and file.is_file():
            if file.stat().st_size > FILE_BYTES_MAX:
                text = f"is larger than {FILE_BYTES_MAX // 2**20} MB"
                raise LayoutError([Finding("error", str(file), "-", text, "split it")])
            try:
                files[file.name] = file.read_text(encoding="utf-8")
            except UnicodeDecodeError as error:
                text = f"byte {error.start} is not UTF-8"
                raise LayoutError(
                    [Finding("error", str(file), "-", text, "save it as UTF-8")]
                ) from error
    return files


def load_files(files: dict[str, str], name: str) -> LoadedSite:
    """Load a site from texts, as a recorded run keeps them."""
    loaded, found = _load(files)
    if loaded is None or errors(found):
        raise LayoutError(errors(found))
    return loaded


def check_site(path: Path) -> list[Finding]:
    """Everything there is to say about a site's folder, or about a LIF file by itself."""
    if path.is_file() and path.suffix == ".json":
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            what = f"byte {error.start} is not UTF-8"
            return [Finding("error", str(path), "-", what, "save it as UTF-8")]
        return lif.read(text, str(path))[1]
    try:
        return _load(read_files(path))[1]
    except LayoutError as error:
        return error.findings


def _load(files: dict[str, str]) -> tuple[LoadedSite | None, list[Finding]]:
    spec, found = read_site(files[SITE], SITE)
    if spec is None:
        return None, found
    found += flow_check.check(spec, SITE)
    faults = None
    if FAULTS in files:
        faults, wrong = read_faults(files[FAULTS], FAULTS)
        found += wrong
        found += _fault_fleets(faults, spec)
    if spec.layout not in files:
        text = f"there is no file {spec.layout!r} beside it"
        return None, [*found, Finding("error", SITE, "layout", text, "mend the name")]
    parsed, wrong = lif.read(files[spec.layout], spec.layout)
    found += wrong
    if parsed is None or errors(found):
        return None, found
    plan, wrong = compiling.draft(parsed, spec, spec.layout)
    found += wrong
    if errors(found):
        return None, found
    roadmap = compiling.roadmap_of(plan, spec)
    site = compiling.site_of(roadmap, spec, digest(files))
    severity = "error" if spec.guarantees == "required" else "warning"
    found += guarantees.check(site, spec, spec.layout, severity)
    found += _stations(site, spec)
    return LoadedSite(site, compiling.arrays_of(roadmap, spec), spec, faults, files), found


def digest(files: dict[str, str]) -> str:
    """Content hash over all files of a site."""
    hashed = hashlib.sha256()
    for name in sorted(files):
        hashed.update(f"{name}\0{len(files[name])}\0".encode())
        hashed.update(files[name].encode())
    return hashed.hexdigest()


def _fault_fleets(faults: FaultsFile | None, spec: SiteFile) -> list[Finding]:
    if faults is None or faults.robot_dies is None:
        return []
    mend = f"use one of {', '.join(spec.fleets)}"
    return [
        Finding("error", FAULTS, "robot_dies.fleets", f"no fleet {name!r}", mend)
        for name in faults.robot_dies.fleets
        if name not in spec.fleets
    ]


def _stations(site: Site, spec: SiteFile) -> list[Finding]:
    found: list[Finding] = []
    for number, row in enumerate(spec.stations):
        prefix = row.match.partition("*")[0]
        made = [station for station in site.stations if station.id.startswith(prefix)]
        if not made:
            text = f"{row.match!r} matches no station of the layout"
            mend = "mend the pattern, or name the station so in LIF"
            found.append(Finding("error", SITE, f"stations.{number}.match", text, mend))
        for station in made:
            if row.out_bay and station.out_bay < 0:
                text = f"station {station.id!r} finds no bay for {row.out_bay!r}"
                mend = "add the LIF station, or mend the pattern"
                found.append(Finding("error", SITE, f"stations.{number}.out_bay", text, mend))
    return found
