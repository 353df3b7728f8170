"""The certificate of a rehearsal: what exactly was rehearsed, and what has changed since.

Hashes and JSON only: whoever is about to command vehicles checks it without a simulation. What decides
is hashed: the files of the site byte by byte, the tables they compile to, and the sources of everything
that decides or checks, also of what a rehearsal does not run: who has changed what tells vehicles to
drive should try it (`fleet simulate`) and rehearse again. What only carries and keeps is not: MQTT, the
page, the journal, ROS; nor the safety bridge, a program of its own. The seal notices a certificate that
was edited or cut; it is no signature.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from orchestrator.core.site import Site
from orchestrator.core.world import CORE_VERSION
from orchestrator.layout import CERTIFICATE, site_files

FORMAT = 1
BYTES_MAX = 16 * 1024 * 1024
ROOT = Path(__file__).parents[1]
DECIDES = (
    "orchestrator/core", "orchestrator/layout", "orchestrator/gate", "orchestrator/host",
    "orchestrator/answers.py", "orchestrator/touring.py", "planners",
    "orchestrator/serving.py", "orchestrator/live.py", "orchestrator/inbox.py",
    "orchestrator/pending.py", "orchestrator/fleets.py", "orchestrator/vda5050", "orchestrator/api",
    "orchestrator/vision",
)  # fmt: skip
CARRIES = (
    "orchestrator/mqtt", "orchestrator/journal", "orchestrator/web", "orchestrator/ros",
    "orchestrator/linking.py",
)  # fmt: skip
# What plans are computed with, what reads the site and what strangers say.
LIBRARIES = ("msgspec", "numba", "numpy", "ortools", "pydantic", "scipy", "shapely")
Certificate = dict[str, Any]


class CertificateError(ValueError):
    """A certificate that can't be used, with the reason and the mend."""


def default_path(site: Path) -> Path:
    """Where a site's certificate lies."""
    return (site if site.is_dir() else site.parent) / CERTIFICATE


def identity(folder: Path, site: Site) -> dict[str, Any]:
    """What is about to be run: the site's files, what they compile to, and the code."""
    return {"files": files_of(folder), "compiled": compiled(site), "code": code()}


def files_of(folder: Path) -> dict[str, str]:
    """SHA-256 of each of the site's files, by name. Raises `LayoutError`."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in site_files(folder)}


def files_of_texts(texts: dict[str, str]) -> dict[str, str]:
    """The same of a site whose files are at hand as texts (a run file keeps them)."""
    return {name: hashlib.sha256(text.encode()).hexdigest() for name, text in sorted(texts.items())}


def compiled(site: Site) -> str:
    """SHA-256 of the tables the core runs on."""
    parts = [site.id, site.hash, *map(repr, (site.roadmap, site.fleets, site.stations))]
    parts += [repr(value) for value in (site.order_types, sorted(site.skus), site.policy)]
    parts += [repr(value) for value in (site.routes, site.replenish, site.min_units)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


@cache
def code() -> dict[str, Any]:
    """Version, core version, a hash per part of the sources that decides, libraries."""
    return {
        "version": _version("lightsout"),
        "core_version": CORE_VERSION,
        "sources": {name: sources(ROOT / name) for name in DECIDES},
        "libraries": libraries(),
    }


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"


def libraries() -> dict[str, str]:
    """The versions of what plans are computed with."""
    return {name: _version(name) for name in LIBRARIES}


def sources(path: Path) -> str:
    """SHA-256 of a file of ours, or of all modules below a folder."""
    hashed = hashlib.sha256()
    for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
        content = file.read_bytes()
        hashed.update(f"{file.relative_to(ROOT).as_posix()}\0{len(content)}\0".encode())
        hashed.update(content)
    return hashed.hexdigest()


def sealed(certificate: Certificate) -> Certificate:
    """The certificate with its seal: SHA-256 over everything else."""
    rest = {key: value for key, value in certificate.items() if key != "seal"}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"))
    return rest | {"seal": hashlib.sha256(text.encode()).hexdigest()}


def write(path: Path, certificate: Certificate) -> None:
    """Put it there, whole or not at all."""
    part = path.with_name(f".{path.name}.part")
    part.write_text(json.dumps(sealed(certificate), indent=1) + "\n", encoding="utf-8")
    part.replace(path)


def read(path: Path) -> Certificate:
    """The certificate in a file. Raises `CertificateError`."""
    try:
        if path.stat().st_size > BYTES_MAX:
            raise CertificateError(f"{path}: is larger than {BYTES_MAX // 2**20} MB -> {_ANEW}")
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise CertificateError(f"{path}: there is no certificate -> {_ANEW}") from error
    except OSError as error:
        raise CertificateError(f"{path}: can't be read: {error.strerror} -> {_ANEW}") from error
    except (ValueError, RecursionError) as error:
        raise CertificateError(f"{path}: is no certificate: {error} -> {_ANEW}") from error
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise CertificateError(f"{path}: is no certificate of format {FORMAT} -> {_ANEW}")
    if sealed(found) != found:
        raise CertificateError(f"{path}: was changed after it was written -> {_ANEW}")
    return found


_ANEW = "lightsout rehearse SITE writes one"


def check(folder: Path, certificate: Certificate, site: Site | None = None) -> list[str]:
    """Why this certificate does not allow running the site as it now is; empty: it does. With `site`
    (compiled, as it is about to be run) its tables are compared, too. Raises `LayoutError`."""
    return differences(certificate, files_of(folder), site)


def differences(
    certificate: Certificate, files: dict[str, str], site: Site | None = None
) -> list[str]:
    """As `check`, for files that are hashed already."""
    found = []
    if certificate.get("passed") is not True:
        reasons = certificate.get("reasons") or ["no reason is given"]
        found.append(f"the rehearsal failed: {reasons[0]}")
    found += _less_than_asked(certificate)
    found += _changed_files(_part(certificate, "files"), files)
    if site is not None and certificate.get("compiled") != compiled(site):
        found.append(
            "the compiled site: is not the rehearsed one (fleets, policy or tables differ)"
        )
    return found + _changed_code(_part(certificate, "code"), code())


def _part(certificate: Certificate, key: str) -> dict[str, Any]:
    value = certificate.get(key)
    return value if isinstance(value, dict) else {}


def _less_than_asked(certificate: Certificate) -> list[str]:
    asked, had = _part(certificate, "thresholds"), _part(certificate, "rehearsed")
    found = []
    for key in ("hours", "seeds"):
        least, really = asked.get(key), had.get(key)
        if not isinstance(least, int | float) or not isinstance(really, int | float):
            found.append(f"the certificate does not say how many {key} were rehearsed")
        elif really < least:
            found.append(f"{key}: {really:g} were rehearsed, site.yaml asks for {least:g}")
    return found


def _changed_files(then: dict[str, Any], now: dict[str, str]) -> list[str]:
    found = []
    for name in sorted({*then, *now}):
        if name not in now:
            found.append(f"{name}: is gone")
        elif name not in then:
            found.append(f"{name}: is new")
        elif then[name] != now[name]:
            found.append(f"{name}: has changed")
    return found


def _changed_code(then: dict[str, Any], now: dict[str, Any]) -> list[str]:
    found = []
    for key, word in (("version", "lightsout"), ("core_version", "core version")):
        if then.get(key) != now[key]:
            found.append(f"{word}: is {now[key]}, {then.get(key)} was rehearsed")
    for key in ("sources", "libraries"):
        before = _part(then, key)
        for name, value in now[key].items():
            if before.get(name) != value and key == "sources":
                found.append(f"{name}: its sources have changed")
            elif before.get(name) != value:
                found.append(f"{name}: is {value}, {before.get(name)} was rehearsed")
    return found
