"""PIBT on a clock: a window of plans on a directed roadmap with headings and conflict sets.

Okumura et al., "Priority inheritance with backtracking for iterative multi-agent path finding",
AIJ 2022, decides for all agents at once, step by step, as if each edge and each turn took a step.
Here an agent is decided when it gets there: it is free from some time on, a move takes what turning
and driving take and begins when all moves that go before it have ended, and meanwhile nobody pushes
it. So at a crossing they go in the sequence in which they come.

The recursion is unrolled onto a stack. An agent on the stack forbids its node to those above it, so
there is no rotation of a full cycle, and the sequence in which moves are decided is a sequence in
which they can be made one at a time.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from planners.kernels.distance import FAR, turn_cost

UNDECIDED, ON_STACK, SETTLED = 0, 1, 2
NOBODY, STAYS = -1, -2
CANDIDATES_MAX = 9
DETOUR_MS = 6_000  # who is not pushed waits rather than take a way that costs so much more


@njit(cache=True)
def mix(a, b, c):
    """A small integer hash for tie-breaking."""
    x = (a * 73856093) ^ (b * 19349663) ^ (c * 83492791)
    x = (x ^ (x >> 13)) * 1274126177
    return (x ^ (x >> 16)) & 0x7FFF


@njit(cache=True)
def rank(i, robots, node, heading, ranking, cand, cost):
    """List agent i's candidate edges by cost; return how many. Waiting is not among them: it is
    what is left when all fail. Edges that only lead away stay in the list, so that the agent can
    be pushed."""
    table_row, tables, fields, shut, salt = ranking
    fleet, goal, _ = robots
    _, head, edge_heading, edge_fleets, edge_ms, turn_ms, out_offset, out_edge, node_bay = fields
    f, v, goal_bay = fleet[i], node[i], -1
    if goal[i] >= 0:
        goal_bay = node_bay[goal[i]]
    count = 0
    for k in range(out_offset[v], out_offset[v + 1]):
        e = out_edge[k]
        w = head[e]
        if not (edge_fleets[e] >> f) & 1 or shut[w]:
            continue
        if node_bay[w] >= 0 and node_bay[w] != goal_bay:
            continue
        value = edge_ms[f, e] + turn_cost(heading[i], edge_heading[e], turn_ms[f])
        if goal[i] >= 0:
            value += min(tables[table_row[i], e], FAR)
        value = value * 1024 + (mix(e, i, salt) & 1023)
        at = count
        if count < CANDIDATES_MAX:
            count += 1
        elif value >= cost[count - 1]:
            continue
        else:
            at = count - 1
        while at > 0 and cost[at - 1] > value:
            cost[at] = cost[at - 1]
            cand[at] = cand[at - 1]
            at -= 1
        cost[at] = value
        cand[at] = e
    return count


@njit(cache=True)
def obstacle(i, e, robots, node, node_bay, status, stand_owner, conflicts):
    """Who is in the way of agent i along e: NOBODY, STAYS, or the one undecided agent that would
    have to move. Whoever has reached its goal in a bay stays there."""
    fleet, goal, fixed = robots
    ms_offset, ms_item, _, _, _, swept, sweep = conflicts
    pushed = NOBODY
    m = fleet[i] * swept + sweep[e]
    for k in range(ms_offset[m], ms_offset[m + 1]):
        j = stand_owner[ms_item[k]]
        if j < 0 or j == i:
            continue
        if fixed[j] or status[j] != UNDECIDED:
            return STAYS
        if goal[j] == node[j] and node_bay[node[j]] >= 0:
            return STAYS
        if pushed >= 0 and pushed != j:
            return STAYS
        pushed = j
    return pushed


@njit(cache=True)
def wants(i, goal, node, count, cand, table_row, tables):
    """Has agent i any reason of its own to move? Not at its goal, not without one, and not where
    every way leads away from a goal it can't reach."""
    if goal[i] < 0 or node[i] == goal[i] or count == 0:
        return False
    return tables[table_row[i], cand[0]] < FAR


@njit(cache=True)
def settle(
    now, stack, robots, node, heading, ranking, conflicts, stand_owner, state, cost, out, made
):
    """Priority inheritance from the agent at the bottom of the stack: settle it and all it pushes.
    Moves (agent, edge) are appended to `out`; returns how many it holds then."""
    status, cand, count, tried = state[0], state[1], state[2], state[3]
    depth = 0
    while depth >= 0:
        i = stack[depth]
        pushed, moved = -1, False
        while tried[i] < count[i] and pushed < 0 and not moved:
            e = cand[i, tried[i]]
            j = obstacle(i, e, robots, node, ranking[2][8], status, stand_owner, conflicts)
            if j == STAYS:
                tried[i] += 1
            elif j >= 0:
                pushed = j
            else:
                moved = True
                take(now, i, e, robots[0], node, heading, ranking[2], conflicts, stand_owner, state)
                out[made, 0] = i
                out[made, 1] = e
                made += 1
        if pushed >= 0:
            depth += 1
            stack[depth] = pushed
            status[pushed] = ON_STACK
            tried[pushed] = 0
            count[pushed] = rank(pushed, robots, node, heading, ranking, cand[pushed], cost)
            continue
        status[i] = SETTLED
        depth -= 1
        if depth >= 0 and not moved:
            tried[stack[depth]] += 1  # the pushed one stays: the next candidate
    return made


@njit(cache=True)
def take(now, i, e, fleet, node, heading, fields, conflicts, stand_owner, state):
    """Agent i turns to e and goes along it, as soon as all that touch its way have gone."""
    _, _, mm_offset, mm_item, nodes, swept, sweep = conflicts
    free, busy, moves = state[4], state[5], state[6]
    f = fleet[i]
    m = f * swept + sweep[e]
    begin = max(now, free[i], busy[m])
    for k in range(mm_offset[m], mm_offset[m + 1]):
        begin = max(begin, busy[mm_item[k]])
    end = begin + turn_cost(heading[i], fields[2][e], fields[5][f]) + fields[4][f, e]
    busy[m] = end
    free[i] = end
    moves[i] += 1
    heading[i] = fields[2][e]
    stand_owner[f * nodes + node[i]] = -1
    node[i] = fields[1][e]
    stand_owner[f * nodes + node[i]] = i


@njit(cache=True, nogil=True)
def window(
    clock, ready_ms, priority, robots, node, heading, table_row, tables, fields, conflicts,
    stand_owner, shut, salt, out,
):  # fmt: skip
    """All moves that are decided within a window. `clock`: how long it is, a beat (agents are looked
    at so often), moves of an agent at most; `ready_ms` (R,): when each is at `node`. `node`,
    `heading`, `stand_owner` are changed; returns how many moves `out` holds."""
    window_ms, beat_ms, most = clock
    goal, fixed = robots[1], robots[2]
    n = len(node)
    order = np.argsort(-priority, kind="mergesort")
    ranking = (table_row, tables, fields, shut, salt)
    free = ready_ms.astype(np.int64)
    moves = np.zeros(n, np.int32)
    status = np.zeros(n, np.int8)
    cand = np.empty((n, CANDIDATES_MAX), np.int32)  # edges, best first
    count = np.zeros(n, np.int32)
    tried = np.zeros(n, np.int32)
    busy = np.zeros(len(conflicts[0]) - 1, np.int64)  # by move id: when the last one ends
    state = (status, cand, count, tried, free, busy, moves)
    stack = np.empty(n, np.int32)
    cost = np.empty(CANDIDATES_MAX, np.int64)
    made = 0
    for now in range(0, window_ms, beat_ms):
        for i in range(n):
            status[i] = UNDECIDED if free[i] <= now and moves[i] < most else SETTLED
        for r in range(n):
            root = order[r]
            if status[root] != UNDECIDED or fixed[root]:
                continue
            tried[root] = 0
            count[root] = rank(root, robots, node, heading, ranking, cand[root], cost)
            # Who has no reason of its own to move stays undecided: others may push it later.
            if wants(root, goal, node, count[root], cand[root], table_row, tables):
                while cost[count[root] - 1] > cost[0] + DETOUR_MS * 1024:
                    count[root] -= 1
                stack[0] = root
                status[root] = ON_STACK
                made = settle(
                    now, stack, robots, node, heading, ranking, conflicts, stand_owner, state,
                    cost, out, made,
                )  # fmt: skip
    return made
