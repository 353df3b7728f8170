"""What nobody may be sent into just now: closed lanes and zones; and who may not be sent anywhere.

Commands are made before the batch of events that they belong to is over: what was closed or stopped
behind them in the same batch counts for them as well.
"""

from __future__ import annotations

from orchestrator.core.messages import ExtendBase
from orchestrator.core.world import Scope, World


def closed(world: World, command: ExtendBase) -> str:
    """ "" or why the command must not leave."""
    roadmap = world.site.roadmap
    if not 0 <= command.robot < len(world.robots):
        return ""  # the logical half names it
    if world.robots[command.robot].holds:
        return "it is paused or stopped"
    for edge in command.edges:
        if not 0 <= edge < len(roadmap.edge_tail):
            return ""
        if roadmap.sweep(edge) in world.closed_lanes:
            return f"edge {roadmap.edge_ids[edge]} is closed"
        for name, scope in world.scopes.items():
            if _enters(scope, roadmap.edge_tail[edge], roadmap.edge_head[edge]):
                return f"edge {roadmap.edge_ids[edge]} leads into what is closed ({name})"
    return ""


def _enters(scope: Scope, tail: int, head: int) -> bool:
    """Where robots only keep out, those inside may go on; where they stand, nobody moves."""
    return head in scope.nodes and (scope.kind in ("pause", "stop") or tail not in scope.nodes)
