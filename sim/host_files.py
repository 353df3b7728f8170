"""A recipe's host files: the texts it holds become orders, notices and opening stock."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from orchestrator.host import stock_list
from orchestrator.host.notices import read_notices
from orchestrator.host.orders import Timed, read_orders
from orchestrator.host.records import BadRow, HostFileError
from orchestrator.layout import LoadedSite
from sim.scenario import Scenario

if TYPE_CHECKING:
    from sim.recipe import Recipe


def read(
    recipe: Recipe, loaded: LoadedSite
) -> tuple[list[Timed] | None, list[Timed] | None, list[BadRow]]:
    """Orders and notices (None: of the site's demand), and the rows that were left out. An id that
    both files use is a notice's."""
    orders = inbound = None
    bad: list[BadRow] = []
    if recipe.inbound_name:
        inbound, bad = read_notices(
            recipe.inbound, recipe.inbound_name, loaded.site, inbound_type(loaded)
        )
        _require(inbound, bad, recipe.inbound_name, "notices", "--inbound")
    if recipe.orders_name:
        orders, wrong = read_orders(recipe.orders, recipe.orders_name, loaded.site)
        _require(orders, wrong, recipe.orders_name, "orders", "--orders")
        taken = {event.order_id for _, event in inbound or ()}
        for _, event in orders:
            if event.order_id in taken:
                text = f"{event.order_id!r} is a notice of {recipe.inbound_name} as well"
                wrong.append(BadRow(recipe.orders_name, 0, text, "give it another order_id"))
        orders = [pair for pair in orders if pair[1].order_id not in taken]
        bad = bad + wrong
    return orders, inbound, bad


def _require(rows: list[Timed], bad: list[BadRow], name: str, what: str, option: str) -> None:
    if not rows and not bad:
        raise HostFileError(f"{name}: holds no {what} -> add a row, or leave {option} out")


def inbound_type(loaded: LoadedSite) -> str:
    """The order type that notices are of: the demand's, `inbound`, or the first that brings goods."""
    wanted = loaded.spec.simulation.demand.inbound
    if wanted is not None:
        return wanted.order_type
    kinds = [name for name in loaded.spec.flow if loaded.site.order_types[name].brings]
    return "inbound" if "inbound" in kinds or not kinds else kinds[0]


def with_stock(scenario: Scenario, recipe: Recipe) -> tuple[Scenario, list[BadRow]]:
    """The scenario with the differences to what the host believes; where the host is trusted, with
    its list as opening stock."""
    site = scenario.loaded.site
    host, bad = stock_list.read_stock(recipe.stock, recipe.stock_name)
    building = stock_list.of_opening(scenario.totes, site)
    differences = tuple(stock_list.compare(host, building))
    totes = scenario.totes
    if recipe.trust == "host":
        totes, wrong = stock_list.opening_of(host, site, recipe.stock_name)
        bad = bad + wrong
    return replace(scenario, totes=totes, differences=differences), bad
