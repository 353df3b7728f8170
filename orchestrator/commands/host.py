"""`lightsout host`: what a host (WMS) says and hears over topics, with files at its end."""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from orchestrator.commands import command, operator, positive

EXAMPLES = """\
  lightsout host items items.csv --mqtt mqtt://broker
  lightsout host notices asn.csv --mqtt mqtt://broker      notice_id,sku,quantity[,in_s,dock,load]
  lightsout host stock stock.csv --mqtt mqtt://broker      what differs from the building
  lightsout host listen out/ --mqtt mqtt://broker          a file per message, then acknowledged

Formats: docs/host-files.md. Exit codes: 0 all rows taken (stock: no difference), 1 not all, 2 no answer
or bad usage."""
VERBS = {
    "items": "tell new items, or what is known now of old ones",
    "notices": "announce loads that are to come",
    "stock": "ask what differs from the host's list",
}
ROWS_MAX, BYTES_MAX = 5000, 800_000  # in one message
LIST = {"items": "items", "notices": "notices", "stock": "totes"}
COLUMNS = {"items": ("sku",), "notices": ("notice_id", "sku", "quantity"), "stock": ("tote",)}
NUMBERS = {
    "quantity", "weight_g", "length_mm", "width_mm", "height_mm", "min_units", "in_s"
}  # fmt: skip
OUT = ("confirmations", "departures", "receipts", "stock", "snapshots")


def add(subparsers: Any) -> None:
    """Declare the command."""
    parser = command(subparsers, "host", "speak to a site as its host (WMS) does", EXAMPLES)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for verb, summary in VERBS.items():
        each = command(verbs, verb, summary, EXAMPLES)
        each.add_argument("file", type=Path, metavar="FILE", help="CSV, a JSON array or JSON lines")
        if verb == "stock":
            each.add_argument("--part", action="store_true", help="the list is not complete")
        operator.add(each)
    each = command(verbs, "listen", "keep what the host is told, and acknowledge it", EXAMPLES)
    each.add_argument("folder", type=Path, metavar="DIR")
    each.add_argument("--once", action="store_true", help="until everything that was said is kept")
    each.add_argument("--seconds", type=positive, help="(until interrupted)")
    operator.add(each)


def run(arguments: argparse.Namespace) -> int:
    """Carry it out."""
    if arguments.verb == "listen":
        return _listen(arguments)
    messages = _messages(arguments)

    async def work(known: operator.Operator) -> int:
        await known.hear(f"{known.root}/host/out/replies", f"{known.root}/host/out/reconciliations")
        code = 0
        for lines, message in messages:
            answer = await known.ask(f"host/in/{arguments.verb}", message)
            code = max(code, _told(arguments, lines, answer))
        if arguments.verb == "stock":
            code = max(code, await _differences(known, messages, as_json=arguments.json))
        return code

    return operator.carry_out(arguments, work, asks=True)


def _messages(arguments: argparse.Namespace) -> list[tuple[list[int], dict[str, Any]]]:
    """The file's rows in messages, each with the lines in which its rows begin. What is no row at all
    is refused here. Raises `HostFileError`."""
    from orchestrator.host.records import HostFileError, read, read_text  # noqa: PLC0415

    verb, path = arguments.verb, arguments.file
    records, bad = read(read_text(path), str(path), COLUMNS[verb], LIST[verb])
    if bad:
        raise HostFileError("\n  ".join(["nothing was said:", *map(str, bad[:20])]))
    if not records:
        raise HostFileError(f"{path}: holds no rows -> begin with {','.join(COLUMNS[verb])}")
    rows = [(record.line, _typed(record.values)) for record in records]
    if verb == "notices" and records[0].rows:
        rows = _pallets(rows)
    found = []
    for lines, part in _parts(rows):
        message: dict[str, Any] = {LIST[verb]: part}
        if verb == "stock":
            message["complete"] = not arguments.part
        found.append((lines, message))
    if verb == "stock" and len(found) > 1 and not arguments.part:
        text = f"{path}: {len(rows)} totes are more than one message holds"
        raise HostFileError(f"{text} -> --part: only totes that it names are compared")
    return found


def _typed(values: dict[str, Any]) -> dict[str, Any]:
    """Numbers of a CSV as numbers; what is none, or empty, is left as it is for the master to name."""
    found = dict(values)
    for key in NUMBERS & values.keys():
        text = values[key]
        if isinstance(text, str) and text.strip():
            with contextlib.suppress(ValueError):
                number = float(text)
                if math.isfinite(number) and "_" not in text:
                    found[key] = int(number) if number.is_integer() else number
    return {key: value for key, value in found.items() if value != "" or key not in NUMBERS}


def _parts(rows: list[tuple[int, dict[str, Any]]]) -> Iterator[tuple[list[int], list[Any]]]:
    """As many rows as a message holds, and their lines."""
    lines: list[int] = []
    part: list[dict[str, Any]] = []
    size = 0
    for line, values in rows:
        length = len(json.dumps(values))
        if part and (len(part) >= ROWS_MAX or size + length > BYTES_MAX):
            yield lines, part
            lines, part, size = [], [], 0
        lines.append(line)
        part.append(values)
        size += length
    yield lines, part


def _pallets(rows: list[tuple[int, dict[str, Any]]]) -> list[tuple[int, dict[str, Any]]]:
    """Rows of one notice_id are one load."""
    found: dict[str, tuple[int, dict[str, Any]]] = {}
    for line, values in rows:
        goods = {key: values.pop(key) for key in ("sku", "quantity") if key in values}
        first = found.setdefault(values.get("notice_id", ""), (line, values | {"lines": []}))
        first[1]["lines"].append(goods)
    return list(found.values())


def _told(arguments: argparse.Namespace, lines: list[int], answer: dict[str, Any]) -> int:
    """What became of one message; rows are named by their line of the file."""
    rows = [_placed(str(arguments.file), lines, row) for row in answer.get("rows", ())]
    if arguments.json:
        print(json.dumps(answer | {"rows": rows}))
    else:
        for row in rows:
            print(f"left out: {row}", file=sys.stderr)
        if not answer["accepted"]:
            print(f"rejected: {answer['reason']}", file=sys.stderr)
        else:
            print(
                f"accepted: {len(lines)} of {arguments.verb}" + (", but for these" if rows else "")
            )
    return 0 if answer["accepted"] and not rows else 1


def _placed(file: str, lines: list[int], row: str) -> str:
    head, _, rest = row.partition(": ")
    number = head.removeprefix("row ")
    if number.isdigit() and 1 <= int(number) <= len(lines):
        return f"{file}:{lines[int(number) - 1]}: {rest}"
    return f"{file}: {row}"


async def _differences(
    known: operator.Operator, messages: list[tuple[list[int], dict[str, Any]]], *, as_json: bool
) -> int:
    """Pages come before the reply, in sequence; 1: there is a difference."""
    open_pages = {message["request"] for _, message in messages}
    count, seen = 0, set()
    async for topic, page in known.news(known.timeout_s):
        if not topic.endswith("/reconciliations") or page is None:
            continue
        name = page["request"], page["page"]
        if page["request"] not in open_pages or name in seen:  # asked again, answered again
            continue
        seen.add(name)
        count += len(page["differences"])
        for each in page["differences"]:
            print(json.dumps(each) if as_json else _words(each))
        if page["page"] == page["pages"]:
            open_pages.remove(page["request"])
        if not open_pages:
            break
    if open_pages:
        raise operator.NoAnswer("not all differences came -> ask again")
    if not as_json:
        print(f"{count} differences")
    return 1 if count else 0


def _words(each: dict[str, Any]) -> str:
    sides = [
        f"{side} {held['quantity']} {held['sku']} at {held['place']}" if held else f"{side} nothing"
        for side in ("host", "building")
        for held in [each.get(side)]
    ]
    return f"{each['kind']}: {each['tote']}: {', '.join(sides)}"


def _listen(arguments: argparse.Namespace) -> int:
    from orchestrator.host.kept import Kept  # noqa: PLC0415

    kept = Kept(arguments.folder)

    async def work(known: operator.Operator) -> int:
        out = f"{known.root}/host/out"
        await known.hear(*(f"{out}/{name}" for name in OUT), f"{out}/state")
        greeted, made = False, -1
        async for topic, message in known.news(arguments.seconds):
            if message is None:
                continue
            lags = False
            if topic.endswith("/state"):
                kept.begin(message["run"])
                lags = not greeted or message["acknowledged"] < kept.number
                greeted, made = True, message["made"]
            new = kept.take(message)
            for each in new:
                _say(each, arguments)
            if new or lags:
                ack = {"run": kept.run, "number": kept.number}
                known.link.publish(f"{known.root}/host/in/acks", json.dumps(ack).encode(), 1)
            if arguments.once and made == kept.number:
                break
        await known.link.flush(known.timeout_s)
        return 0

    return operator.carry_out(arguments, work, asks=False)


def _say(message: dict[str, Any], arguments: argparse.Namespace) -> None:
    if arguments.json:
        print(json.dumps(message), flush=True)
    else:
        subject = message.get("order_id") or message.get("tote") or message.get("truck") or ""
        print(f"{message['number']:>8}  {message.get('kind', ''):<18} {subject}", flush=True)
