"""What was set aside empties itself: totes go back to whoever sent them, boxes into stock again."""

from __future__ import annotations

from orchestrator.core import carry, filing, flow, stations
from orchestrator.core.orders import Order, OrderLine
from orchestrator.core.site import OrderType, Step
from orchestrator.core.world import World

AWAY = "send_away"
REINDUCT = "reinduct"


def away_type() -> OrderType:
    """The built-in order type that brings a tote out of the building."""
    carry_out = Step(AWAY, "carry", "tote", start="dock", to="out", then=("gone",))
    return OrderType(AWAY, {AWAY: carry_out, "gone": Step("gone", "finish")}, AWAY)


def send_away(world: World, order: Order, line: int) -> None:
    """The line's tote can't be taken in: where it stands at a station it leaves the building; a robot
    that holds it brings it out."""
    tote = world.stock.totes.get(order.lines[line].tote)
    if tote is None or tote.home >= 0 or (tote.user is not None and tote.place[0] != "robot"):
        return
    if tote.place[0] == "robot":
        robot = world.robots[tote.place[1]]
        if not robot.legs and robot.action < 0:
            carry.send_home(world, tote, None)
    elif tote.place[0] == "station":
        flow.open_internal(world, AWAY, tote.id)


def reinduct(world: World, order: Order) -> None:
    """What an order that was set aside has in a box or parcel becomes stock again, where the site's
    flow knows how."""
    units = world.stock.boxes.get(order.box)
    kind = world.site.order_types.get(REINDUCT)
    if not units or kind is None or order.kind == REINDUCT or order.parcel[0] in ("robot", "truck"):
        return
    again = Order(f"{REINDUCT}-{order.id}", REINDUCT, [], 0, order.load, (), internal=True)
    if filing.known(world, again.id):
        return
    again.lines = [
        OrderLine(sku, quantity, 0, f"again-{order.id}/{number}")
        for number, (sku, quantity) in enumerate(units.items(), 1)
    ]
    again.box, again.station, again.parcel = order.box, order.station, order.parcel
    again.position, order.position = order.position, -1
    world.orders[again.id] = again
    again.enter("open")
    first = kind.steps[kind.first]
    if again.parcel[0]:  # packed already
        stations.leave(world, again)
        flow.start(world, (again.id, first.then[0], -1))
    else:
        flow.start(world, (again.id, first.id, -1))
