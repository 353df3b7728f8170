"""`lightsout layout`: check, draw and convert buildings."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestrator.commands import command, output, positive

if TYPE_CHECKING:
    from orchestrator.layout.findings import Finding

EXAMPLES = """\
  lightsout layout check sites/jd_small
  lightsout layout check building.lif.json
  lightsout layout convert building.lif.json --angles degrees --out mended.lif.json
  lightsout layout convert map.yaml --to site --pitch 1.2 --robot-radius 0.4 --out sites/mine
  lightsout layout convert office.building.yaml --level L1 --graph 0 --to lif --out office.lif.json
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
    convert = command(verbs, "convert", "mend a LIF file, or read another format", EXAMPLES)
    convert.add_argument("path", type=Path, metavar="IN")
    what = convert.add_mutually_exclusive_group(required=True)
    what.add_argument("--angles", choices=["degrees"], help="what a LIF file's angles are in")
    what.add_argument("--to", choices=["lif", "site"], help="read another format and write this")
    convert.add_argument(
        "--out", type=Path, metavar="PATH", help="file (standard output) or folder"
    )
    convert.add_argument("--pitch", type=positive, metavar="M", help="between nodes of a map")
    convert.add_argument("--robot-radius", type=positive, default=0.4, metavar="M", help="(0.4)")
    convert.add_argument("--level", help="of an RMF building (the first with lanes)")
    convert.add_argument("--graph", type=int, default=0, help="of an RMF building (0)")
    convert.add_argument("--robots", type=int, default=2, help="to make parking places for (2)")


def run(arguments: argparse.Namespace) -> int:
    """Carry it out."""
    if arguments.verb == "check":
        return _check(arguments)
    if arguments.verb == "draw":
        from orchestrator.layout import load_site  # noqa: PLC0415
        from orchestrator.layout.draw import draw  # noqa: PLC0415

        return _write(draw(load_site(arguments.path), ids=arguments.ids), arguments.out)
    if arguments.verb == "convert" and arguments.to:
        return _convert(arguments)
    from orchestrator.layout.findings import Finding, LayoutError  # noqa: PLC0415
    from orchestrator.layout.lif import convert_angles  # noqa: PLC0415

    try:
        text = convert_angles(arguments.path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        finding = Finding("error", str(arguments.path), "-", f"not converted: {error}", "see it")
        raise LayoutError([finding]) from error
    return _write(text, arguments.out)


def _convert(arguments: argparse.Namespace) -> int:
    from orchestrator.layout.convert import Choices, convert  # noqa: PLC0415
    from orchestrator.layout.findings import Finding, LayoutError  # noqa: PLC0415

    out = arguments.out
    if arguments.to == "site" and (out is None or (out / "site.yaml").exists()):
        text, mend = "a site needs a folder without a site.yaml", "name a new folder"
        raise LayoutError([Finding("error", str(out or "--out"), "-", text, mend)])
    choices = Choices(arguments.pitch, arguments.robot_radius, arguments.level, arguments.graph,
                      arguments.robots)  # fmt: skip
    texts, found = convert(arguments.path, arguments.to, choices)
    for finding in found:
        print(finding, file=sys.stderr)
    if arguments.to == "lif":
        return _write(texts["layout.lif.json"], out)
    out.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (out / name).write_text(text, encoding="utf-8")
    print(f"wrote {out}: transports only; say what your robots are in {out / 'site.yaml'},")
    print(f"then lightsout run {out} --record a.run (random transports; or --orders FILE)")
    return 0


def _check(arguments: argparse.Namespace) -> int:
    from orchestrator.layout import check_site  # noqa: PLC0415
    from orchestrator.layout.findings import errors  # noqa: PLC0415

    found = check_site(arguments.path) + _check_vision(arguments.path)
    if arguments.json:
        print(json.dumps([asdict(finding) for finding in found]))
    else:
        for finding in found:
            print(finding)
        wrong = len(errors(found))
        print(f"{arguments.path}: {wrong} errors, {len(found) - wrong} warnings")
    return 1 if errors(found) else 0


def _check_vision(path: Path) -> list[Finding]:
    from orchestrator.vision.settings import FILE, check  # noqa: PLC0415

    folder = path.parent if path.name == "site.yaml" else path
    return check(folder / FILE) if (folder / FILE).is_file() else []


def _write(text: str, out: Path | None) -> int:
    if out is None:
        sys.stdout.write(text)
    else:
        with output(out) as file:
            file.write(text)
        print(f"wrote {out}")
    return 0
