"""docs/site-file.md explains every key that site.yaml and faults.yaml may have."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.layout.rehearsal_file import RehearsalFile
from orchestrator.layout.site_file import (
    FaultsFile,
    FleetFile,
    PolicyFile,
    SiteFile,
    StepFile,
)

TEXT = (Path(__file__).parents[2] / "docs" / "site-file.md").read_text(encoding="utf-8")
FREE = {"format"}  # said in prose

KEYS = [
    (part.__name__, key)
    for part in (SiteFile, FleetFile, StepFile, PolicyFile, RehearsalFile, FaultsFile)
    for key in part.model_fields
    if key not in FREE
]


@pytest.mark.parametrize(("part", "key"), KEYS)
def test_every_key_is_explained(part: str, key: str) -> None:
    """In code style, alone or behind a path such as `policy.`, `fleets.NAME.` or `flow.TYPE`."""
    assert any(
        f"{before}{key}{after}" in TEXT for before in ("`", ".", "{") for after in ("`", ".", ":")
    ), f"docs/site-file.md doesn't explain {part}.{key}"
