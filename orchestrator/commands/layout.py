"""`lightsout layout`: check, draw and convert buildings."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from orchestrator.commands import command, output

EXAMPLES = """\
  lightsout layout check sites/jd_small
  lightsout layout check building.lif.json
  lightsout layout convert building.lif.json --angles degrees --out mended.lif.json
  lightsout layout draw sites/jd_small --out floor.svg"""


def add(subparsers: Any) -> None:
    """Declare the command."""
    parser = command(subparsers, "layout", "check, draw and convert layouts", EXAMPLES)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="check|draw|convert")
    check = command(verbs, "check", "say everything that is wrong; exit 1 if anything is", EXAMPLES)
    check.add_argument("path", type=Path, metavar="SITE|LIF.json")
    check.add_argument("--json", action="store_true")
    draw = command(verbs, "draw", "draw the floor as SVG", EXAMPLES)
    draw.add_argument("path", type=Path, metavar="SITE")
    draw.add_argument("--out", type=Path, metavar="FILE.svg", help="(standard output)")
    draw.add_argument("--ids", action="store_true", help="write node ids")
    convert = command(verbs, "convert", "mend a LIF file", EXAMPLES)
    convert.add_argument("path", type=Path, metavar="LIF.json")
    convert.add_argument("--angles", choices=["degrees"], required=True, help="what they are in")
    convert.add_argument("--out", type=Path, metavar="FILE", help="(standard output)")


def run(arguments: argparse.Namespace) -> int:
    """Carry it out."""
    if arguments.verb == "check":
        return _check(arguments)
    if arguments.verb == "draw":
        from orchestrator.layout import load_site  # noqa: PLC0415
        from orchestrator.layout.draw import draw  # noqa: PLC0415

        return _write(draw(load_site(arguments.path), ids=arguments.ids), arguments.out)
    from orchestrator.layout.findings import Finding, LayoutError  # noqa: PLC0415
    from orchestrator.layout.lif import convert_angles  # noqa: PLC0415

    try:
        text = convert_angles(arguments.path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        finding = Finding("error", str(arguments.path), "-", f"not converted: {error}", "see it")
        raise LayoutError([finding]) from error
    return _write(text, arguments.out)


def _check(arguments: argparse.Namespace) -> int:
    from orchestrator.layout import check_site  # noqa: PLC0415
    from orchestrator.layout.findings import errors  # noqa: PLC0415

    found = check_site(arguments.path)
    if arguments.json:
        print(json.dumps([asdict(finding) for finding in found]))
    else:
        for finding in found:
            print(finding)
        wrong = len(errors(found))
        print(f"{arguments.path}: {wrong} errors, {len(found) - wrong} warnings")
    return 1 if errors(found) else 0


def _write(text: str, out: Path | None) -> int:
    if out is None:
        sys.stdout.write(text)
    else:
        with output(out) as file:
            file.write(text)
        print(f"wrote {out}")
    return 0
