"""`--set KEY=VALUE`: what is wrong with a value is said of the key, not of a line of a file that nobody
wrote."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from orchestrator.layout import SITE, LayoutError
from orchestrator.layout.findings import Finding
from sim.fork import full

LINE = re.compile(r" \(line \d+\)$")


@contextmanager
def blaming(settings: dict[str, Any]) -> Iterator[None]:
    """Within it, findings in a site.yaml that was made with these settings name the key that was set;
    the others lose their line."""
    try:
        yield
    except LayoutError as error:
        if not settings:
            raise
        raise LayoutError([_blamed(row, settings) for row in error.findings]) from error


def _blamed(finding: Finding, settings: dict[str, Any]) -> Finding:
    if finding.file != SITE:
        return finding
    path = LINE.sub("", finding.path)
    for key, value in settings.items():
        name = full(key)
        if path == name or path.startswith((f"{name}.", f"{name}[")):
            return replace(finding, file=f"--set {key}={value}", path="-")
        if name.startswith(f"{path}."):
            return replace(finding, file=f"--set {key}={value}", path=path)
    return replace(finding, path=path)
