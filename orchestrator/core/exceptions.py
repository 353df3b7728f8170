"""Everything that went wrong, and how it ended: opened, tried, ended. A problem has a kind and a
subject; the same one is open only once. Each phase is told by a `NoteException`."""

from __future__ import annotations

from orchestrator.core.messages import NoteException
from orchestrator.core.orders import Order
from orchestrator.core.world import Problem, World


def opened(world: World, kind: str, subject: str, order_id: str = "", text: str = "") -> Problem:
    """Something went wrong (again: then it is a further try)."""
    problem = world.problems.get((kind, subject))
    if problem is not None:
        tried(world, kind, subject, text)
        return problem
    problem = Problem(world.number(), kind, subject, order_id, world.time_ns)
    world.problems[kind, subject] = problem
    order = world.orders.get(order_id)
    if order is not None:
        order.problems[kind, subject] = None
    _note(world, problem, "opened", "", text)
    return problem


def tried(world: World, kind: str, subject: str, text: str = "") -> None:
    """Something was done about it. Nothing happens where it is not open."""
    problem = world.problems.get((kind, subject))
    if problem is not None:
        problem.tries += 1
        _note(world, problem, "retried", "", text)


def ended(world: World, kind: str, subject: str, how: str) -> None:
    """It is over: `how` says by what. Nothing happens where it was not open."""
    problem = world.problems.pop((kind, subject), None)
    if problem is None:
        return
    order = world.orders.get(problem.order_id)
    if order is not None:
        order.problems.pop((kind, subject), None)
    world.ended[kind, how] = world.ended.get((kind, how), 0) + 1
    _note(world, problem, "ended", how, "")


def order_closed(world: World, order: Order, how: str) -> None:
    """All problems of an order end with it."""
    for kind, subject in list(order.problems):
        ended(world, kind, subject, how)


def step_done(world: World, order: Order, subject: str) -> None:
    """A step had a good end at last: its problems are resolved."""
    for kind, about in list(order.problems):
        if about == subject:
            ended(world, kind, about, "resolved")


def _note(world: World, problem: Problem, phase: str, how: str, text: str) -> None:
    world.out.append(
        NoteException(
            number=problem.number,
            kind=problem.kind,
            subject=problem.subject,
            phase=phase,
            how=how,
            order_id=problem.order_id,
            text=text,
        )
    )
