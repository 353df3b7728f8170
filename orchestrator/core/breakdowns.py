"""Machines that break: repaired from afar a bounded number of times, then by maintenance. What waits
for them moves on or makes room meanwhile. See ADR 12."""

from __future__ import annotations

from orchestrator.core import exceptions, flow, rehome, stations
from orchestrator.core.messages import (
    RecoverStation,
    StationFaulted,
    StationRecovered,
    StationRepairFailed,
)
from orchestrator.core.world import Down, World

SECOND_NS = 1_000_000_000
ARMS = ("pick", "depalletise", "unpack", "discard")
DOWN = "down"


def _kind(capability: str) -> str:
    return "arm_down" if capability in ARMS else "station_down"


def _subject(world: World, station: int, capability: str) -> str:
    return f"{world.site.stations[station].id}:{capability}"


def _known(world: World, station: int, capability: str) -> bool:
    places = world.site.stations
    if 0 <= station < len(places) and capability in places[station].capabilities:
        return True
    world.alarm(f"station {station}", f"no such machine: {capability!r}")
    return False


def faulted(world: World, event: StationFaulted) -> None:
    """What the machine was at is undone and waits, with all that comes, until it works again."""
    station, capability = event.station, event.capability
    if not _known(world, station, capability) or capability in world.stations[station].down:
        return
    state = world.stations[station]
    state.down[capability] = Down(world.time_ns)
    subject = _subject(world, station, capability)
    exceptions.opened(world, _kind(capability), subject, text=event.reason)
    _ask(world, station, capability)
    work = state.running.get(capability)
    if work is not None:
        stations.unanswered(world, work, DOWN, undone=event.aborted == work)
    for request, token in list(world.looks.items()):
        needs = flow.step_of(world, world.orders[token[0]], token[1]).needs
        if needs == capability and stations.station_of(world, token, needs) == station:
            stations.look_away(world, request)
            flow.step_ended(world, token, DOWN)


def _ask(world: World, station: int, capability: str) -> None:
    """The next attempt."""
    down = world.stations[station].down[capability]
    down.attempts += 1
    down.asked_ns = world.time_ns
    maintenance = down.attempts > world.site.policy.repair_tries
    if maintenance:
        text = f"{down.attempts - 1} repairs failed: maintenance is called"
        world.alarm(_subject(world, station, capability), text)
    world.out.append(
        RecoverStation(
            station=station, capability=capability, attempt=down.attempts, maintenance=maintenance
        )
    )


def repair_failed(world: World, event: StationRepairFailed) -> None:
    """Try again, or call maintenance. Failures of earlier attempts are known already."""
    if not _known(world, event.station, event.capability):
        return
    down = world.stations[event.station].down.get(event.capability)
    if down is not None and event.attempt == down.attempts:
        subject = _subject(world, event.station, event.capability)
        text = f"repair {event.attempt} failed"
        exceptions.tried(world, _kind(event.capability), subject, text)
        _ask(world, event.station, event.capability)


def recovered(world: World, event: StationRecovered) -> None:
    """It works again: what waited for it goes on."""
    station, capability = event.station, event.capability
    if not _known(world, station, capability):
        return
    state = world.stations[station]
    down = state.down.pop(capability, None)
    if down is None:
        return
    tried = down.attempts <= world.site.policy.repair_tries
    how = "repaired" if tried else "maintenance"
    exceptions.ended(world, _kind(capability), _subject(world, station, capability), how)
    go_on(world, station, capability)
    flow.release_backlog(world)


def go_on(world: World, station: int, capability: str) -> None:
    """What waited for the machine."""
    queue = world.stations[station].queues[capability]
    for _ in range(len(queue)):
        token = queue.popleft()
        if flow.step_of(world, world.orders[token[0]], token[1]).do == "inspect":
            stations.look(world, token, capability)
        else:
            queue.append(token)
    rehome.let_come(world, station)
    stations.run(world, station, capability)


def watch(world: World) -> None:
    """Once a tick: repairs that nobody answers have failed; who has waited long enough makes room."""
    policy = world.site.policy
    for station, state in enumerate(world.stations):
        for capability, down in list(state.down.items()):
            if world.time_ns - down.asked_ns >= policy.repair_answer_s * SECOND_NS:
                subject = _subject(world, station, capability)
                exceptions.tried(world, _kind(capability), subject, "the repair has no answer")
                _ask(world, station, capability)
            if world.time_ns - down.since_ns >= policy.rehome_after_s * SECOND_NS:
                rehome.clear(world, station, capability)
        since_ns = min(state.closed.values(), default=world.time_ns)
        if world.time_ns - since_ns >= policy.rehome_after_s * SECOND_NS:
            for capability in state.queues if state.closed else ():
                rehome.clear(world, station, capability)
