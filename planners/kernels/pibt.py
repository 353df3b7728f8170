"""One step of PIBT with headings on a directed roadmap with conflict sets.

Okumura et al., "Priority inheritance with backtracking for iterative multi-agent path finding",
AIJ 2022; headings as in the League of Robot Runners: a robot that does not face along the edge it
wants turns first, at most a quarter per step, and holds its node meanwhile.

The recursion is unrolled onto a stack. An agent on the stack forbids its node to those above it, so
there is no rotation of a full cycle, and the sequence in which agents are settled is a sequence in
which the moves can be made one at a time.
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
def obstacle(i, e, robots, node, node_bay, status, stand_owner, conflicts, turning):
    """Who is in the way of agent i along e: NOBODY, STAYS, or the one undecided agent that would
    have to move. Whoever has reached its goal in a bay stays there."""
    fleet, goal, fixed = robots
    ms_offset, ms_item, _, swept, sweep = conflicts
    pushed = NOBODY
    m = fleet[i] * swept + sweep[e]
    for k in range(ms_offset[m], ms_offset[m + 1]):
        j = stand_owner[ms_item[k]]
        if j < 0 or j == i:
            continue
        if fixed[j] or status[j] != UNDECIDED or turning[j]:
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
def step(
    order, robots, node, heading, table_row, tables, fields, conflicts, stand_owner, shut, salt, out
):
    """Move everybody once. `node`, `heading`, `stand_owner` are changed; the moves (robot, edge) are
    appended to `out` (rows, 2) in a sequence in which they can be made one at a time; returns how
    many."""
    goal, fixed = robots[1], robots[2]
    n = len(node)
    state = (
        np.zeros(n, np.int8),  # status
        np.zeros(n, np.int8),  # turning in this step
        np.empty((n, CANDIDATES_MAX), np.int32),  # candidate edges, best first
        np.zeros(n, np.int32),  # how many
        np.zeros(n, np.int32),  # the next one to try
    )
    status, cand, count, tried = state[0], state[2], state[3], state[4]
    stack = np.empty(n, np.int32)
    cost = np.empty(CANDIDATES_MAX, np.int64)
    ranking = (table_row, tables, fields, shut, salt)
    made = 0
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
                stack,
                robots,
                node,
                heading,
                ranking,
                conflicts,
                stand_owner,
                state,
                cost,
                out,
                made,
            )
    return made


@njit(cache=True)
def settle(stack, robots, node, heading, ranking, conflicts, stand_owner, state, cost, out, made):
    """Priority inheritance from the agent at the bottom of the stack: settle it and all it pushes."""
    status, turning, cand, count, tried = state
    edge_heading = ranking[2][2]
    depth = 0
    while depth >= 0:
        i = stack[depth]
        pushed, moved = -1, False
        while tried[i] < count[i] and pushed < 0 and not moved:
            e = cand[i, tried[i]]
            j = obstacle(i, e, robots, node, ranking[2][8], status, stand_owner, conflicts, turning)
            if j == STAYS:
                tried[i] += 1
            elif j >= 0:
                pushed = j
            else:
                moved = True
                made = take(i, e, robots[0], node, heading, ranking[2], conflicts, stand_owner,
                            turning, out, made)  # fmt: skip
        if pushed >= 0:
            depth += 1
            stack[depth] = pushed
            status[pushed] = ON_STACK
            tried[pushed] = 0
            count[pushed] = rank(pushed, robots, node, heading, ranking, cand[pushed], cost)
            continue
        if not moved and depth == 0 and heading[i] != edge_heading[cand[i, 0]]:
            # It can't go now: at least it turns the way it wants to go next.
            heading[i] = turned(heading[i], edge_heading[cand[i, 0]])
            turning[i] = 1
        status[i] = SETTLED
        depth -= 1
        if depth >= 0 and (not moved or turning[i]):
            # The pushed one stays: try the next candidate; unless it only turns to make way:
            # then its pusher waits for it.
            below = stack[depth]
            tried[below] = count[below] if turning[i] else tried[below] + 1
    return made


@njit(cache=True)
def take(i, e, fleet, node, heading, fields, conflicts, stand_owner, turning, out, made):
    """Agent i goes along e, or turns towards it if it faces another way."""
    if heading[i] != fields[2][e]:
        heading[i] = turned(heading[i], fields[2][e])
        turning[i] = 1
        return made
    base = fleet[i] * conflicts[2]
    stand_owner[base + node[i]] = -1
    node[i] = fields[1][e]
    stand_owner[base + node[i]] = i
    out[made, 0] = i
    out[made, 1] = e
    return made + 1


@njit(cache=True)
def turned(a_deg, b_deg):
    """The heading after a step's turn from a towards b: at most a quarter."""
    left = (b_deg - a_deg) % 360
    if left <= 90 or left >= 270:
        return b_deg
    if left <= 180:
        return (a_deg + 90) % 360
    return (a_deg + 270) % 360


@njit(cache=True, nogil=True)
def window(
    horizon,
    priority,
    robots,
    node,
    heading,
    table_row,
    tables,
    fields,
    conflicts,
    stand_owner,
    shut,
    salt,
    out,
):
    """`horizon` steps; waiting raises an agent's priority. Returns how many moves `out` holds."""
    goal = robots[1]
    made = 0
    waited = priority.copy()
    for _ in range(horizon):
        order = np.argsort(-waited, kind="mergesort")
        made += step(
            order,
            robots,
            node,
            heading,
            table_row,
            tables,
            fields,
            conflicts,
            stand_owner,
            shut,
            salt,
            out[made:],
        )
        for i in range(len(node)):
            if goal[i] >= 0 and node[i] != goal[i]:
                waited[i] += 10
            elif goal[i] >= 0:
                waited[i] = 0
    return made
