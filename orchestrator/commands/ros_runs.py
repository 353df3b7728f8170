"""Runs of a ROS 2 node: their files, and whether their site may be run."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

from orchestrator import certificate
from orchestrator.journal import RunReader
from orchestrator.ros.parameters import Settings, SettingsError
from sim.recipe import Recipe


def record_of(
    settings: Settings, recipe: Recipe, own: Path | None = None
) -> tuple[Path, dict[str, Any], bool]:
    """Where the journal is, and whether it is gone on with. `own`: this process wrote it before, so it
    goes on with that. With `when_closed: new` a run that others have ended in order keeps its file: the
    next one gets a number."""
    first = path = own or Path(settings.record or f"{recipe.name}.run")
    number, meta = 1, _meta(path)
    while settings.when_closed == "new" and path != own and meta.get("status") == "closed":
        number += 1
        path = first.with_stem(f"{first.stem}-{number}")
        meta = _meta(path)
    if not meta:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path, recipe.meta() | {"run_id": secrets.token_hex(4), "live": True}, False
    if not meta.get("live"):
        raise SettingsError(f"record: {path} is no live run -> name another file")
    if Recipe.of(meta).files != recipe.files:
        raise SettingsError(
            f"record: {path} is of another state of {recipe.name} -> name another file"
        )
    return path, meta, True


def _meta(path: Path) -> dict[str, Any]:
    """Of a run; nothing where there is none."""
    if not path.exists():
        return {}
    with RunReader(path) as reader:
        return reader.meta


def certified(site: Path, recipe: Recipe, override: str) -> list[str]:
    """As `lightsout serve`: what was overridden. Raises `CertificateError`."""
    try:
        known = certificate.read(certificate.default_path(site))
        found = certificate.check(site, known, recipe.load().site)
    except certificate.CertificateError as error:
        found = [str(error)]
    if found and not override:
        raise certificate.CertificateError(
            f"{site} is not rehearsed as it is: {'; '.join(found)} -> lightsout rehearse SITE, or "
            "parameter override: the reason, which is kept in the journal"
        )
    return [f"certificate overridden, because: {override}", *found] if found else []
