"""Answers that don't come are asked for again; a machine that owes too many counts as broken."""

from __future__ import annotations

from orchestrator.core import breakdowns, carry, exceptions, flow, lanes, missions, stations
from orchestrator.core.messages import StationFaulted
from orchestrator.core.robots import Token
from orchestrator.core.site import Step
from orchestrator.core.world import Task, World

SECOND_NS = 1_000_000_000
TIMEOUT = "timeout"


def expect(world: World, number: int, step: Step) -> None:
    """An answer to this work, look or task is expected within the step's time."""
    seconds = step.timeout_s
    if not seconds and step.do != "carry":
        seconds = world.site.policy.work_timeout_s
    if seconds:
        world.due[number] = world.time_ns + seconds * SECOND_NS


def watch(world: World) -> None:
    """Once a tick: what is overdue."""
    for number in [number for number, due_ns in world.due.items() if due_ns <= world.time_ns]:
        if number not in world.due:
            continue  # ended with another one
        del world.due[number]
        if number in world.works:
            _silent(world, number, world.works[number])
        elif number in world.looks:
            _silent(world, number, world.looks[number])
        elif number in world.floor_looks:
            lanes.unseen(world, number, "no answer")
        elif number in world.tasks:
            _unbegun(world, world.tasks[number])
        elif number in world.underway:
            _underway(world, world.underway[number])


def _silent(world: World, number: int, token: Token) -> None:
    capability = flow.step_of(world, world.orders[token[0]], token[1]).needs
    station = stations.station_of(world, token, capability)
    silent = world.stations[station].silent
    silent[capability] = silent.get(capability, 0) + 1
    if silent[capability] > world.site.policy.answer_tries:
        del silent[capability]
        why = f"{world.site.policy.answer_tries + 1} answers did not come"
        fault = StationFaulted(station=station, capability=capability, reason=why)
        breakdowns.faulted(world, fault)
    elif number in world.works:
        stations.unanswered(world, number, TIMEOUT)
    else:
        stations.look_away(world, number)
        flow.step_ended(world, token, TIMEOUT)


def _unbegun(world: World, task: Task) -> None:
    """No robot could take the load in time: where the step says so, another tote is fetched."""
    order = world.orders[task.token[0]]
    step = flow.step_of(world, order, task.token[1])
    if TIMEOUT not in step.outcomes or step.start != "home" or step.to != "station":
        _note(world, task, step)
        return
    carry.cancel(world, task)
    flow.step_ended(world, task.token, TIMEOUT)


def _underway(world: World, task: Task) -> None:
    robot = next((robot for robot in world.robots if robot.task == task.id), None)
    if robot is not None and not robot.load:
        carry.give_back(world, robot)
        if task.id in world.tasks:
            missions.advance(world, robot)
            _unbegun(world, task)
            return
    order = world.orders[task.token[0]]
    _note(world, task, flow.step_of(world, order, task.token[1]))


def _note(world: World, task: Task, step: Step) -> None:
    """It goes on; what it takes so long is written down."""
    order = world.orders[task.token[0]]
    if order.state == "open":
        exceptions.opened(world, TIMEOUT, flow.subject_of(task.token), order.id)
    expect(world, task.id, step)
