"""The safety controller: a stop is obeyed at once; who was stopped starts again, one by one, when it
was reset *and* says that the zone is clear. This is no safety system: see ADR 14."""

from __future__ import annotations

from orchestrator.core import detours, exceptions, missions, planning, scopes
from orchestrator.core.messages import EmergencyReset, EmergencyStopped, ZoneCleared
from orchestrator.core.world import Scope, World

KIND = "emergency_stop"


def stopped(world: World, event: EmergencyStopped) -> str:
    """A zone without nodes is everything: better too much than too little."""
    scope = Scope("stop", zone=event.zone if event.nodes else "", nodes=dict.fromkeys(event.nodes))
    name = scopes.name_of(world, scope)
    known = world.scopes.get(name)
    if known is not None:  # again: what was reset or cleared before counts no more
        known.reset = known.clear = False
        new = {node: None for node in scope.nodes if node not in known.nodes}
        if not new:
            return ""
        scope.nodes = known.nodes | new
        del world.scopes[name]
    pending = [row for row in world.restarting if row[1] != name]
    world.restarting.clear()
    world.restarting.extend(pending)
    scopes.begin(world, scope)
    exceptions.opened(world, KIND, event.zone or "all", text="stopped by the safety controller")
    return ""


def told(world: World, event: EmergencyReset | ZoneCleared) -> str:
    """Both are needed, in any sequence, since the last stop."""
    name = scopes.name_of(world, Scope("stop", zone=event.zone))
    scope = world.scopes.get(name)
    if scope is None and event.zone:  # it was stopped without nodes
        return "" if any(row[1] == name for row in world.restarting) else _unknown(world, event)
    if scope is None:
        return ""
    if isinstance(event, EmergencyReset):
        scope.reset = True
    else:
        scope.clear = True
    if scope.reset and scope.clear:
        scopes.drop(world, name)
        held = [robot.index for robot in world.robots if name in robot.holds]
        world.restarting.extend((index, name) for index in held)
        exceptions.ended(world, KIND, event.zone or "all", "reset and clear")
        planning.stale(world)
        detours.changed(world)
    return ""


def _unknown(world: World, event: EmergencyReset | ZoneCleared) -> str:
    stops = [scope.zone or "all" for scope in world.scopes.values() if scope.kind == "stop"]
    known = ", ".join(stops)
    return f"zone {event.zone!r} is not stopped; stopped are: {known}" if known else ""


def tick(world: World) -> None:
    """One robot starts again a tick."""
    if not world.restarting:
        return
    index, name = world.restarting.popleft()
    robot = world.robots[index]
    scopes.let_go(world, robot, name)
    planning.stale(world)
    detours.changed(world)
    missions.advance(world, robot)
