"""What is wrong with a layout: where, what, and how to mend it."""

from __future__ import annotations

from dataclasses import dataclass

LISTED_MAX = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. `path` is a JSON path, a key path, "line N", or "-": all of it."""

    severity: str  # error | warning
    file: str
    path: str
    text: str
    mend: str = ""

    def __str__(self) -> str:
        mend = f" -> {self.mend}" if self.mend else ""
        place = self.file if self.path == "-" else f"{self.file}: {self.path}"
        return f"{self.severity}: {place}: {self.text}{mend}"


class LayoutError(Exception):
    """A site that can't be loaded, with everything that is wrong with it."""

    def __init__(self, findings: list[Finding]) -> None:
        self.findings = findings
        super().__init__("\n".join(str(finding) for finding in findings))


def errors(findings: list[Finding]) -> list[Finding]:
    """The findings that forbid loading."""
    return [finding for finding in findings if finding.severity == "error"]


def json_path(parts: tuple[int | str, ...]) -> str:
    """("layouts", 0, "nodes", 3) -> $.layouts[0].nodes[3]"""
    return "$" + "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in parts)


def listed(names: list[str]) -> str:
    """The first few names, and how many more there are."""
    more = f" and {len(names) - LISTED_MAX} more" if len(names) > LISTED_MAX else ""
    return ", ".join(names[:LISTED_MAX]) + more
