"""The building as data: read, checked as a whole, compiled. Nothing is ever half loaded."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from pathlib import Path

from orchestrator.core.site import Site
from orchestrator.host.items import FILES, ItemMaster, of_names, read_items
from orchestrator.host.records import HostFileError
from orchestrator.layout import compile as compiling
from orchestrator.layout import flow_check, guarantees, lif, lif_checks, site_checks
from orchestrator.layout.draft import draft
from orchestrator.layout.findings import Finding, LayoutError, errors
from orchestrator.layout.site_file import FaultsFile, SiteFile, read_faults, read_site
from planners.roadmap import RoadmapArrays

__all__ = [
    "Finding",
    "LayoutError",
    "LoadedSite",
    "check_site",
    "load_files",
    "load_site",
    "read_files",
    "site_files",
]

SITE, FAULTS = "site.yaml", "faults.yaml"
CERTIFICATE = "certificate.json"  # of its rehearsal: it lies beside the site, and is no part of it
FILE_BYTES_MAX = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class LoadedSite:
    """A site that passed every check. `files` (name -> text) is all it was made from."""

    site: Site
    arrays: RoadmapArrays
    spec: SiteFile
    faults: FaultsFile | None
    files: dict[str, str]
    items: ItemMaster = field(default_factory=ItemMaster)


def load_site(path: Path) -> LoadedSite:
    """Load a site's folder. Raises `LayoutError` with everything that is wrong."""
    return load_files(read_files(path), path.name)


def read_files(path: Path) -> dict[str, str]:
    """The texts a site consists of; `path` is its folder or its site.yaml."""
    return {file.name: _text(file) for file in site_files(path)}


def site_files(path: Path) -> list[Path]:
    """The files a site consists of, by name. Raises `LayoutError`."""
    folder = path.parent if path.name == SITE and path.is_file() else path
    if not (folder / SITE).is_file():
        found = _check_lif(path) if path.is_file() and path.suffix == ".json" else []
        mend = "name a folder with a site.yaml, as sites/jd_small"
        raise LayoutError([*found, Finding("error", str(path), "-", "is no site", mend)])
    return [
        file
        for file in sorted(folder.iterdir())
        if (file.suffix in (".yaml", ".json") or file.name in FILES)
        and file.name != CERTIFICATE
        and file.is_file()
    ]


def _text(file: Path) -> str:
    try:
        if file.stat().st_size > FILE_BYTES_MAX:
            what, mend = f"is larger than {FILE_BYTES_MAX // 2**20} MB", "split it"
        else:
            return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        what, mend = f"byte {error.start} is not UTF-8", "save it as UTF-8"
    except OSError as error:
        what, mend = f"can't be read: {error.strerror}", "look at its permissions"
    raise LayoutError([Finding("error", str(file), "-", what, mend)])


def load_files(files: dict[str, str], name: str) -> LoadedSite:
    """Load a site from texts, as a recorded run keeps them."""
    loaded, found = _load(files)
    if loaded is None or errors(found):
        raise LayoutError(errors(found))
    return loaded


def check_site(path: Path) -> list[Finding]:
    """Everything there is to say about a site's folder, or about a LIF file by itself."""
    try:
        if path.is_file() and path.suffix == ".json":
            return _check_lif(path)
        return _load(read_files(path))[1]
    except LayoutError as error:
        return error.findings


def _check_lif(path: Path) -> list[Finding]:
    parsed, found = lif.read(_text(path), str(path))
    if parsed is not None:
        found += lif_checks.check(parsed, str(path))
        if not errors(found):
            found += lif_checks.ways_back(parsed, str(path))
    return found


def _load(files: dict[str, str]) -> tuple[LoadedSite | None, list[Finding]]:
    if SITE not in files:
        mend = f"the files of a site hold a {SITE}"
        return None, [Finding("error", SITE, "-", "is missing", mend)]
    spec, found = read_site(files[SITE], SITE)
    faults = None
    if FAULTS in files:
        faults, wrong = read_faults(files[FAULTS], FAULTS)
        found += wrong
    if spec is None:
        return None, found
    items, wrong = _items(files, spec)
    found += wrong
    if any(name in files for name in FILES):
        stock = spec.stock.model_copy(update={"names": tuple(items.items)})
        spec = spec.model_copy(update={"stock": stock})
    found += flow_check.check(spec, SITE)
    found += site_checks.faults(faults, spec, FAULTS)
    if spec.layout not in files:
        text = f"there is no file {spec.layout!r} beside it"
        return None, [*found, Finding("error", SITE, "layout", text, "mend the name")]
    parsed, wrong = lif.read(files[spec.layout], spec.layout)
    found += wrong
    if parsed is None:
        return None, found
    found += lif_checks.check(parsed, spec.layout)
    if errors(found):
        return None, found
    plan, wrong = draft(parsed, spec, spec.layout)
    found += wrong
    if errors(found):
        return None, found
    roadmap = compiling.roadmap_of(plan, spec)
    site = compiling.site_of(roadmap, spec, digest(files))
    site = replace(site, min_units=items.min_units)
    severity = "error" if spec.guarantees == "required" else "warning"
    found += guarantees.check(site, spec, spec.layout, severity)
    found += site_checks.check(site, spec, SITE)
    return LoadedSite(site, compiling.arrays_of(roadmap, spec), spec, faults, files, items), found


def _items(files: dict[str, str], spec: SiteFile) -> tuple[ItemMaster, list[Finding]]:
    """The item master beside the site file; without one, names alone. Rows that can't be used are
    warnings: the others are used."""
    name = next((name for name in FILES if name in files), "")
    if not name:
        return of_names(spec.stock.sku_names), []
    try:
        items, bad = read_items(files[name], name)
    except HostFileError as error:
        return ItemMaster(), [Finding("error", name, "-", str(error), "mend it")]
    found = [Finding("warning", name, f"line {row.line}", row.text, row.mend) for row in bad]
    if not items.items:
        found.append(Finding("error", name, "-", "holds no items", "add a row, or delete it"))
    return items, found


def digest(files: dict[str, str]) -> str:
    """Content hash over all files of a site."""
    hashed = hashlib.sha256()
    for name in sorted(files):
        hashed.update(f"{name}\0{len(files[name])}\0".encode())
        hashed.update(files[name].encode())
    return hashed.hexdigest()
