"""LaCAM*: a search over configurations whose successors come from PIBT under lazy constraints.

K. Okumura, "LaCAM: search-based algorithm for quick multi-agent pathfinding", AAAI 2023; "Improving
LaCAM for scalable eventually optimal multi-agent pathfinding", IJCAI 2023; restarts and injected plans
after "Engineering LaCAM*", AAMAS 2024. The cost of a step is the number of agents that are not on
their goals both before and after it. Everything lives in arrays; `Search` in planners/search.py makes
them and says what they hold.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from planners.kernels.pushing import configure, draw

RUNNING, FOUND, EXHAUSTED, FULL = 0, 1, 2, 3
NONE = -1
# places in `counter`
NODES, OPEN, CONSTRAINTS, EDGES, GOAL, BEST = 0, 1, 2, 3, 4, 5
ROOT_AGAIN, ANY_OPEN = 102, 10  # of 1024 times
URGENT_MAX = 0x7FFE0000


@njit(cache=True)
def fingerprint(configuration):
    """A 64-bit hash of a configuration."""
    x = np.uint64(0x9E3779B97F4A7C15)
    for v in configuration:
        x = (x ^ np.uint64(v)) * np.uint64(0xBF58476D1CE4E5B9)
        x ^= x >> np.uint64(29)
    return x


@njit(cache=True)
def lookup(configuration, table, config):
    """(node that has this configuration or NONE, its place in the table)."""
    mask = len(table) - 1
    place = np.int64(fingerprint(configuration) & np.uint64(mask))
    while table[place] != NONE:
        node = table[place]
        same = True
        for i in range(len(configuration)):
            if config[node, i] != configuration[i]:
                same = False
                break
        if same:
            return node, place
        place = (place + 1) & mask
    return NONE, place


@njit(cache=True)
def step_cost(before, after, goal):
    """How many agents are not on their goals before and after; who has none is there where it stays."""
    cost = 0
    for i in range(len(goal)):
        if before[i] != after[i] or (goal[i] >= 0 and before[i] != goal[i]):
            cost += 1
    return cost


@njit(cache=True)
def add_node(configuration, parent, place, cost, problem, nodes, counter):
    """Enter a configuration at its place in the table; return its number."""
    config, urgency, parents, g, h, table = nodes[:6]
    dist = problem[2]
    node = counter[NODES]
    counter[NODES] += 1
    table[place] = node
    parents[node] = parent
    g[node] = cost
    total = 0
    for i in range(len(configuration)):
        v = configuration[i]
        config[node, i] = v
        far = dist[i, v]
        total += far
        if parent < 0:
            urgency[node, i] = far
        elif far == 0:
            urgency[node, i] = urgency[parent, i] & 0xFFFF
        else:
            urgency[node, i] = min(urgency[parent, i], URGENT_MAX) + 0x10000
    h[node] = total
    return node


@njit(cache=True)
def push_open(node, lists, counter):
    """Put a node on top; where the list is full, entries that are repeated further up go."""
    opened, mark = lists[0], lists[1]
    if counter[OPEN] == len(opened):
        kept = len(opened)
        for k in range(len(opened) - 1, -1, -1):
            if not mark[opened[k]]:
                mark[opened[k]] = 1
                kept -= 1
                opened[kept] = opened[k]
        mark[:] = 0
        counter[OPEN] = len(opened) - kept
        for k in range(counter[OPEN]):
            opened[k] = opened[kept + k]
    opened[counter[OPEN]] = node
    counter[OPEN] += 1


@njit(cache=True)
def link(start, end, cost, nodes, lists, counter):
    """Enter an edge, and lower the costs of all that are reached more cheaply now."""
    parents, g, h = nodes[2], nodes[3], nodes[4]
    edge_first, edge_next, edge_to, edge_cost, queue, waiting = lists[2:8]
    known = False
    edge = edge_first[start]
    while edge != NONE and not known:
        known = edge_to[edge] == end
        edge = edge_next[edge]
    if not known:
        edge = counter[EDGES]
        counter[EDGES] += 1
        edge_to[edge], edge_cost[edge] = end, cost
        edge_next[edge], edge_first[start] = edge_first[start], edge
    if g[start] + cost >= g[end]:
        return
    parents[end], g[end] = start, g[start] + cost
    head, size = 0, 1
    queue[0] = end
    while size > 0:
        node = queue[head]
        head = (head + 1) % len(queue)
        size -= 1
        waiting[node] = 0
        goal = counter[GOAL]
        if goal >= 0 and node != goal and g[node] + h[node] < g[goal]:
            push_open(node, lists, counter)
        edge = edge_first[node]
        while edge != NONE:
            other, value = edge_to[edge], g[node] + edge_cost[edge]
            if value < g[other]:
                parents[other], g[other] = node, value
                if not waiting[other]:
                    waiting[other] = 1
                    queue[(head + size) % len(queue)] = other
                    size += 1
            edge = edge_next[edge]


@njit(cache=True)
def next_constraint(node, problem, nodes, constraints, counter, dice):
    """Take the first constraint of a node's tree and grow the tree below it; NONE: none is left."""
    near = problem[0]
    config, urgency = nodes[0], nodes[1]
    first, last, follows, above, who, where, depth = constraints
    taken = first[node]
    if taken == NONE:
        return NONE
    first[node] = follows[taken]
    if depth[taken] >= config.shape[1]:
        return taken
    order = np.argsort(-urgency[node], kind="mergesort")
    i = order[depth[taken]]
    ways = np.empty(near.shape[1] + 1, np.int64)
    made = 0
    for k in range(-1, near.shape[1]):
        u = config[node, i] if k < 0 else near[config[node, i], k]
        if u < 0:
            break
        other = draw(dice) % (made + 1)
        ways[made], ways[other] = ways[other], u
        made += 1
    for k in range(made):
        fresh = counter[CONSTRAINTS]
        counter[CONSTRAINTS] += 1
        above[fresh], who[fresh], depth[fresh] = taken, i, depth[taken] + 1
        where[fresh] = ways[k]
        follows[fresh] = NONE
        if first[node] == NONE:
            first[node] = fresh
        else:
            follows[last[node]] = fresh
        last[node] = fresh
    return taken


@njit(cache=True)
def open_tree(node, constraints, counter):
    """Give a new node the root of its constraint tree, which constrains nobody."""
    first, last, follows, above, who, _, depth = constraints
    fresh = counter[CONSTRAINTS]
    counter[CONSTRAINTS] += 1
    above[fresh], who[fresh], depth[fresh], follows[fresh] = NONE, NONE, 0, NONE
    first[node], last[node] = fresh, fresh


@njit(cache=True)
def successor(node, constraint, samples, problem, nodes, constraints, work, dice):
    """The best of `samples` configurations that keep the constraint, in `work`; False: none does."""
    config, urgency = nodes[0], nodes[1]
    _, goal, dist, _ = problem
    above, who, where = constraints[3:6]
    to, best, scratch = work
    order = np.argsort(-urgency[node], kind="mergesort")
    least = np.int64(-1)
    for _ in range(samples):
        to[:] = NONE
        c = constraint
        while c != NONE and who[c] != NONE:
            to[who[c]] = where[c]
            c = above[c]
        if not configure(config[node], to, order, problem, scratch, dice):
            continue
        value = np.int64(step_cost(config[node], to, goal))
        for i in range(len(to)):
            value += dist[i, to[i]]
        if least < 0 or value < least:
            least = value
            best[:] = to
    return least >= 0


@njit(cache=True)
def room(nodes, lists, constraints, counter, more):
    """Is there room for `more` nodes, edges and constraints?"""
    per_node = 16
    return (
        counter[NODES] + more < len(nodes[2])
        and counter[EDGES] + more < len(lists[3])
        and counter[CONSTRAINTS] + more * per_node < len(constraints[2])
    )


@njit(cache=True, nogil=True)
def search(iterations, samples, problem, nodes, lists, constraints, work, counter, dice):
    """Up to `iterations` expansions; ends early where a plan is found or made cheaper."""
    config, g, h, table = nodes[0], nodes[3], nodes[4], nodes[5]
    goal = problem[1]
    for _ in range(iterations):
        if counter[OPEN] == 0:
            return EXHAUSTED
        if not room(nodes, lists, constraints, counter, 1):
            return FULL
        node = lists[0][counter[OPEN] - 1]
        arrived = counter[GOAL]
        if arrived != NONE and draw(dice) & 1023 < ANY_OPEN:
            node = lists[0][draw(dice) % counter[OPEN]]
        elif arrived != NONE and g[node] + h[node] >= g[arrived]:
            counter[OPEN] -= 1
            continue
        if h[node] == 0 and (arrived == NONE or g[node] < g[arrived]):
            counter[GOAL] = node
            counter[BEST] = g[node]
            return FOUND
        constraint = next_constraint(node, problem, nodes, constraints, counter, dice)
        if constraint == NONE:
            if node == lists[0][counter[OPEN] - 1]:
                counter[OPEN] -= 1
            continue
        if not successor(node, constraint, samples, problem, nodes, constraints, work, dice):
            continue
        cost = step_cost(config[node], work[1], goal)
        known, place = lookup(work[1], table, config)
        if known == NONE:
            known = add_node(work[1], node, place, g[node] + cost, problem, nodes, counter)
            open_tree(known, constraints, counter)
            link(node, known, cost, nodes, lists, counter)
            push_open(known, lists, counter)
        else:
            link(node, known, cost, nodes, lists, counter)
            again = arrived != NONE and draw(dice) & 1023 < ROOT_AGAIN
            push_open(0 if again else known, lists, counter)
        if arrived != NONE and g[arrived] < counter[BEST]:
            counter[BEST] = g[arrived]
            return FOUND
    return RUNNING


@njit(cache=True)
def inject(plan, problem, nodes, lists, constraints, counter):
    """Enter a plan (T, A) that begins at the root; False where there was no room for all of it."""
    config, g, table = nodes[0], nodes[3], nodes[5]
    node = 0
    for t in range(1, len(plan)):
        if not room(nodes, lists, constraints, counter, 1):
            return False
        cost = step_cost(config[node], plan[t], problem[1])
        known, place = lookup(plan[t], table, config)
        if known == NONE:
            known = add_node(plan[t], node, place, g[node] + cost, problem, nodes, counter)
            open_tree(known, constraints, counter)
            link(node, known, cost, nodes, lists, counter)
            push_open(known, lists, counter)
        else:
            link(node, known, cost, nodes, lists, counter)
        node = known
    goal = counter[GOAL]
    if goal != NONE:
        counter[BEST] = g[goal]
    return True
