"""What must always hold. Checked every so many events and at the end of every run."""

from __future__ import annotations

from orchestrator.core import proof
from orchestrator.core.world import World


class InvariantBroken(AssertionError):
    """The core contradicts itself: a bug of ours, with everything that is wrong."""


def require(world: World) -> None:
    """Raise `InvariantBroken` unless all invariants hold."""
    broken = check(world)
    if broken:
        raise InvariantBroken("; ".join(broken))


def check(world: World) -> list[str]:
    """Return every invariant that does not hold, in words."""
    return [
        *_floor(world),
        *proof.broken(world.traffic),
        *_bays(world),
        *_loads(world),
        *_books(world),
        *_orders(world),
        *_problems(world),
        *_obstacles(world),
    ]


def _floor(world: World) -> list[str]:
    """No two holders of conflicting resources; frontiers and graph agree."""
    broken: list[str] = []
    traffic, roadmap = world.traffic, world.site.roadmap
    held: dict[int, int] = {}
    for robot in world.robots:
        stand = robot.fleet * roadmap.nodes + traffic.tail[robot.index]
        if traffic.stands.get(stand) != robot.index:
            broken.append(f"{robot.name} is not the holder of its frontier")
        for other in roadmap.stand_stands[stand]:
            holder = traffic.stands.get(other, robot.index)
            if holder != robot.index:
                broken.append(f"{robot.name} and robot {holder} rest in each other's way")
        node = traffic.at[robot.index]
        for move in traffic.released[robot.index]:
            if roadmap.edge_tail[move.edge] != node or move.waits:
                broken.append(f"{robot.name} was released out of sequence")
            node = roadmap.edge_head[move.edge]
            held[move.move_id] = robot.index
        if node != traffic.tail[robot.index]:
            broken.append(f"{robot.name}'s frontier is not the end of its base")
    for move_id, index in held.items():
        for other in roadmap.move_moves[move_id]:
            if held.get(other, index) != index:
                broken.append(f"robots {index} and {held[other]} hold conflicting lanes")
        for other in roadmap.move_stands[move_id]:
            if traffic.stands.get(other, index) != index:
                broken.append(f"robot {traffic.stands[other]} rests on a lane robot {index} holds")
    return broken


def _bays(world: World) -> list[str]:
    broken: list[str] = []
    roadmap, traffic = world.site.roadmap, world.traffic
    for bay, state in zip(roadmap.bays, world.bays, strict=True):
        if len(state.holders) > len(bay.nodes):
            broken.append(f"bay {bay.id} has more tickets out than places")
    for robot in world.robots:
        goal_bay = roadmap.node_bay[robot.goal] if robot.goal >= 0 else -1
        if goal_bay >= 0 and robot.index not in world.bays[goal_bay].holders:
            broken.append(f"{robot.name} is on its way to {roadmap.bays[goal_bay].id} unticketed")
        for node in (traffic.at[robot.index], traffic.tail[robot.index]):
            index = roadmap.node_bay[node]
            if index >= 0 and robot.index not in world.bays[index].holders:
                broken.append(f"{robot.name} is in bay {roadmap.bays[index].id} without a ticket")
    return broken


def _loads(world: World) -> list[str]:
    """No robot carries more than it has places for, and what it has aboard is under way."""
    broken: list[str] = []
    for robot in world.robots:
        places = world.site.fleets[robot.fleet].places
        if len(robot.loads) > places:
            broken.append(f"{robot.name} carries {len(robot.loads)} loads on {places} places")
        if any(number not in world.underway for number in robot.aboard):
            broken.append(f"{robot.name} has a load aboard that belongs to no task")
    return broken


def _books(world: World) -> list[str]:
    """Each tote in exactly one place, each place with at most one tote, units conserved and reserved
    for lines that still want them."""
    broken: list[str] = []
    stock = world.stock
    wanted: dict[str, int] = {}
    for order in world.orders.values():
        for line in order.lines:
            wanted[line.tote] = wanted.get(line.tote, 0) + line.open
    places: dict[tuple[str, int], str] = {}
    for tote in stock.totes.values():
        if not 0 <= tote.reserved <= tote.quantity:
            broken.append(f"tote {tote.id}: {tote.reserved} of {tote.quantity} reserved")
        if tote.reserved > wanted.get(tote.id, 0):
            broken.append(f"tote {tote.id}: units are reserved for no line")
        if tote.place[0] == "slot":
            if tote.place in places:
                broken.append(f"totes {tote.id} and {places[tote.place]} share a place")
            places[tote.place] = tote.id
        if tote.place[0] == "robot" and tote.id not in world.robots[tote.place[1]].loads:
            broken.append(f"tote {tote.id} is not on the robot it should be on")
        if tote.home >= 0 and stock.slot_owner[tote.home] != tote.id:
            broken.append(f"tote {tote.id} has lost its slot")
    if stock.balance():
        broken.append(f"{stock.balance()} units have vanished or appeared")
    return broken


def _orders(world: World) -> list[str]:
    """Every open order has something that goes on; nothing is silently dropped."""
    broken: list[str] = []
    for order in world.orders.values():
        if order.state == "open" and not order.active:
            broken.append(f"order {order.id} is open and nothing goes on for it")
        if order.state in ("quarantined", "cancelled", "refused") and not order.reason:
            broken.append(f"order {order.id} was set aside without a reason")
    return broken


def _problems(world: World) -> list[str]:
    """An exception ends no later than its order, and the order knows of it."""
    broken: list[str] = []
    for (kind, subject), problem in world.problems.items():
        order = world.orders.get(problem.order_id)
        if order is not None and order.state != "open":
            broken.append(f"{kind} of {subject} is open, its order {order.id} is {order.state}")
        if order is not None and (kind, subject) not in order.problems:
            broken.append(f"order {order.id} doesn't know of its {kind} of {subject}")
    return broken


def _obstacles(world: World) -> list[str]:
    """Something is done about whatever lies on a lane; a look at one has an end."""
    broken: list[str] = []
    for lane, known in world.obstacles.items():
        call, name = ("lane", lane), world.site.roadmap.edge_ids[known.edge]
        if known.look and (
            world.floor_looks.get(known.look) != lane or known.look not in world.due
        ):
            broken.append(f"nobody waits for the look at {name}")
        helped = call in world.helping or call in world.awaiting or call in world.visits
        if not known.look and not helped:
            broken.append(f"something lies on {name}, and nothing is done about it")
    if len(world.floor_looks) != sum(known.look > 0 for known in world.obstacles.values()):
        broken.append("a camera looks at a lane that is open")
    return broken
