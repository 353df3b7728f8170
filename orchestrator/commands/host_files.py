"""What `run`, `replay` and `reconcile` share of the host's files and the outbox."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from orchestrator.commands import positive

NAMES = ("orders", "inbound", "items", "stock", "outbox", "snapshot_minutes")


def add(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `run`."""
    host = parser.add_argument_group("the host's files (docs/host-files.md)")
    host.add_argument(
        "--orders", type=Path, metavar="FILE", help="CSV or JSON: instead of the demand"
    )
    host.add_argument(
        "--inbound", type=Path, metavar="FILE", help="notices (ASN), instead of the suppliers"
    )
    host.add_argument(
        "--items", type=Path, metavar="FILE", help="item master, instead of the site's"
    )
    host.add_argument("--stock", type=Path, metavar="FILE", help="what the host believes is there")
    host.add_argument(
        "--trust", choices=["building", "host"], default="building",
        help="whose stock counts where they differ (building)",
    )  # fmt: skip
    host.add_argument("--outbox", type=Path, metavar="DIR", help="confirmations go here as files")
    host.add_argument(
        "--snapshot-minutes", type=positive, metavar="N", help="a stock snapshot so often"
    )


def values(arguments: argparse.Namespace) -> dict[str, Any]:
    """Texts for the recipe. Raises `HostFileError`."""
    from orchestrator.host.records import read_text  # noqa: PLC0415

    found: dict[str, Any] = {"trust": arguments.trust}
    for name in ("orders", "inbound", "stock"):
        path = getattr(arguments, name)
        if path is not None:
            found |= {name: read_text(path), f"{name}_name": str(path)}
    return found


def with_items(files: dict[str, str], path: Path) -> tuple[dict[str, str], list[str]]:
    """The site's files with this item master, and the rows of it that are left out."""
    from orchestrator.host.items import FILES, read_items  # noqa: PLC0415
    from orchestrator.host.records import HostFileError, read_text  # noqa: PLC0415

    text = read_text(path)
    items, bad = read_items(text, str(path))
    if not items.items:
        why = f" ({bad[0]})" if bad else ""
        raise HostFileError(f"{path}: holds no items{why} -> add a row")
    others = {name: kept for name, kept in files.items() if name not in FILES}
    return others | {FILES[0]: text}, [str(row) for row in bad]


def origin(arguments: argparse.Namespace) -> dict[str, Any]:
    """For the run file: where messages go, so that a resumed run goes on sending there."""
    if arguments.outbox is None:
        from orchestrator.host.records import HostFileError  # noqa: PLC0415

        if arguments.snapshot_minutes:
            raise HostFileError(
                "--snapshot-minutes: snapshots go to the outbox -> add --outbox DIR"
            )
        return {}
    return {"outbox": outbox(arguments.outbox, arguments.snapshot_minutes)}


def outbox(folder: Path, snapshot_minutes: float | None) -> dict[str, Any]:
    """As it stands in a run file."""
    return {"folder": str(folder.resolve()), "snapshot_minutes": snapshot_minutes or 0.0}
