"""`lightsout orders submit | change | cancel`."""

from __future__ import annotations

import argparse
import secrets
from pathlib import Path
from typing import Any

from orchestrator.commands import command, moment, operator, orders_show
from orchestrator.commands.fleet_ask import ask_all, code_of

SUBMIT = """\
  lightsout orders submit --sku SKU-01 --quantity 2 --sku SKU-02 --quantity 1 --wait --mqtt mqtt://broker
  lightsout orders submit --kind transport --stops n1,n2 --mqtt mqtt://broker
  lightsout orders submit orders.csv --mqtt mqtt://broker

FILE: CSV, a JSON array or JSON lines with order_id and sku, quantity or lines or stops, and, as you
like, due_in_s or due_s (from the run's beginning), kind, chute, route, carrier, priority. An order that
comes twice by one id is one order."""
CHANGE = """\
  lightsout orders change o-17 --priority 9 --due-in 10m --mqtt mqtt://broker

Orders that are not released yet: later it is refused."""
OF_ONE = (
    "id", "sku", "quantity", "stops", "kind", "chute", "route", "carrier", "priority",
    "due_in", "due_at", "cutoff_in", "cutoff_at",
)  # fmt: skip
CANCEL = "  lightsout orders cancel o-17 o-18 --reason 'customer called' --mqtt mqtt://broker"


def add(verbs: Any) -> None:
    """Declare the commands."""
    parser = command(verbs, "submit", "hand in orders", SUBMIT)
    parser.add_argument("file", nargs="?", type=Path, metavar="FILE")
    parser.add_argument("--id", help="its name; the same again is the same order (a new one)")
    _lines(parser)
    parser.add_argument("--stops", metavar="A,B,…", help="nodes, of a transport")
    parser.add_argument("--kind", help="one of the site's order types (outbound, or transport)")
    parser.add_argument("--chute", help="where it is to go")
    parser.add_argument("--route", help="of which carrier's truck")
    parser.add_argument("--carrier")
    _urgency(parser)
    parser.add_argument("--wait", action="store_true", help="until all are closed")
    _ends(parser)
    parser = command(verbs, "change", "lines, priority or cut-off of an order", CHANGE)
    parser.add_argument("id", metavar="ID")
    _lines(parser)
    _urgency(parser)
    _ends(parser)
    parser = command(verbs, "cancel", "orders that are wanted no more", CANCEL)
    parser.add_argument("ids", nargs="+", metavar="ID")
    parser.add_argument("--reason", default="")
    _ends(parser)


def _lines(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--sku", action="append", default=[], help="repeatable")
    parser.add_argument(
        "--quantity", action="append", type=int, default=[], help="of each --sku, in sequence (1)"
    )


def _urgency(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--priority", type=int, help="0 to 9: higher ones are released first")
    parser.add_argument("--due-in", type=moment, metavar="TIME", help="90, 30m, 2h, from now")
    parser.add_argument("--due-at", metavar="UTC", help="as 2030-01-31T12:00:00Z")
    parser.add_argument("--cutoff-in", type=moment, metavar="TIME", help="the carrier's, from now")
    parser.add_argument("--cutoff-at", metavar="UTC", help="the same; the earlier of both counts")


def _ends(parser: argparse.ArgumentParser) -> None:
    operator.add(parser)
    parser.set_defaults(carry_out=run)


def run(arguments: argparse.Namespace) -> int:
    """Carry it out."""
    asked = {"submit": _submitted, "change": _changed, "cancel": _cancelled}[arguments.verb](
        arguments
    )

    async def work(known: operator.Operator) -> int:
        waits = getattr(arguments, "wait", False)
        if waits:
            await known.hear(f"{known.root}/orders/+/status")
        answers = await ask_all(known, "orders", asked, as_json=arguments.json)
        code = code_of(answers)
        pairs = zip(asked, answers, strict=True)
        ids = {request["order_id"] for (_, request), answer in pairs if answer["accepted"]}
        if waits and ids:
            code = max(code, await _closed(known, ids, as_json=arguments.json))
        return code

    return operator.carry_out(arguments, work, asks=True)


async def _closed(known: operator.Operator, ids: set[str], *, as_json: bool) -> int:
    """Wait for all of them; 0: they are done."""
    code = 0
    async for _, row in known.news():
        if row is None or row["order_id"] not in ids or row["status"] == "open":
            continue
        ids.remove(row["order_id"])
        orders_show.show(row, as_json=as_json)
        code = max(code, int(row["status"] != "done"))
        if not ids:
            break
    return code


def _submitted(arguments: argparse.Namespace) -> list[tuple[str, dict[str, Any]]]:
    if arguments.file is not None:
        from orchestrator.commands.orders_file import read  # noqa: PLC0415

        given = [key for key in OF_ONE if getattr(arguments, key) not in (None, [])]
        if given:
            option = given[0].replace("_", "-")
            raise operator.NoAnswer(f"--{option} and a FILE: the file says it -> leave one out")
        orders = read(arguments.file)
    else:
        order: dict[str, Any] = {"order_id": arguments.id or f"cli-{secrets.token_hex(4)}"}
        order["kind"] = arguments.kind or ("transport" if arguments.stops else "outbound")
        order |= _lines_of(arguments) | _urgency_of(arguments)
        if arguments.stops:
            order["stops"] = [name.strip() for name in arguments.stops.split(",")]
        if not arguments.stops and "lines" not in order:
            raise operator.NoAnswer("what is ordered? -> --sku and --quantity, --stops, or a FILE")
        names = {"station": arguments.chute, "route": arguments.route, "carrier": arguments.carrier}
        order |= {key: value for key, value in names.items() if value}
        orders = [order]
    return [(f"order {order['order_id']}", {"type": "OrderReceived"} | order) for order in orders]


def _changed(arguments: argparse.Namespace) -> list[tuple[str, dict[str, Any]]]:
    values = _lines_of(arguments) | _urgency_of(arguments)
    if not values:
        raise operator.NoAnswer("change what? -> --priority, --due-in, --cutoff-in, or --sku")
    request = {"type": "OrderChanged", "order_id": arguments.id} | values
    return [(f"change order {arguments.id}", request)]


def _cancelled(arguments: argparse.Namespace) -> list[tuple[str, dict[str, Any]]]:
    return [
        (
            f"cancel order {name}",
            {"type": "OrderCancelled", "order_id": name, "reason": arguments.reason},
        )
        for name in arguments.ids
    ]


def _lines_of(arguments: argparse.Namespace) -> dict[str, Any]:
    skus, quantities = arguments.sku, arguments.quantity
    if not skus and not quantities:
        return {}
    quantities = quantities or [1] * len(skus)
    if len(quantities) != len(skus):
        if not skus:
            raise operator.NoAnswer("--quantity of what? -> --sku SKU before it")
        raise operator.NoAnswer(
            f"{len(skus)} --sku and {len(quantities)} --quantity -> as many of each"
        )
    return {"lines": [list(pair) for pair in zip(skus, quantities, strict=True)]}


def _urgency_of(arguments: argparse.Namespace) -> dict[str, Any]:
    found = {
        "priority": arguments.priority, "due_in_s": arguments.due_in, "due_at": arguments.due_at,
        "cutoff_in_s": arguments.cutoff_in, "cutoff_at": arguments.cutoff_at,
    }  # fmt: skip
    return {key: value for key, value in found.items() if value is not None}
