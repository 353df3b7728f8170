"""Vehicles that stand because they were told to, by us or by somebody beside them.

Who is paused by us is sent no order and no update until it goes on. A pause that is not ours is
somebody's at the vehicle, and only ends there.
"""

from __future__ import annotations

from orchestrator.vda5050.control.sending import Desk, instant, push
from orchestrator.vda5050.control.vehicle import Vehicle
from orchestrator.vda5050.model import State

KINDS = ("startPause", "stopPause")


def pause(desk: Desk, v: Vehicle, *, on: bool) -> None:
    """Stand still, or go on along what it holds; repeated until the vehicle says so."""
    v.paused, v.unpaused = on, False
    now, before = KINDS if on else reversed(KINDS)
    crossing = [name for name, known in v.instants.items() if known.action.kind == before]
    for name in crossing:
        v.end_instant(name, "taken back")  # not any more, but it may still arrive
    if crossing or v.state is None or v.state.paused != on:
        instant(desk, v, now)
    push(desk, v)


def told(desk: Desk, v: Vehicle, before: State | None, state: State) -> None:
    """What a new state says of it: a vehicle that lost our pause, or was not there to hear
    it, gets it again."""
    if any(known.action.kind in KINDS for known in v.instants.values()):
        return
    was = before is not None and before.paused
    if v.paused and not state.paused and (was or v.unpaused):
        v.unpaused = False
        instant(desk, v, "startPause")
    elif state.paused and not was and not v.paused and not _ours(desk, state):
        desk.alarm(v.name, "is paused at the vehicle: it stands until somebody resumes it there")


def known_again(desk: Desk, v: Vehicle, state: State, *, paused: bool) -> None:
    """After a restart of ours: what the vehicle says is compared with what the core believes."""
    v.paused = paused
    if paused != state.paused and (paused or _ours(desk, state)):
        instant(desk, v, KINDS[0] if paused else KINDS[1])


def _ours(desk: Desk, state: State) -> bool:
    return any(
        action.kind == "startPause" and action.id.startswith(f"{desk.run}-")
        for action in (*state.instant_actions, *state.actions)
    )
