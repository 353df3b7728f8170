"""Kernels for floors on which hardly a cell is free: robots change places by *shifts*.

A shift is a circle of cells whose robots each drive onto the next one's cell, all in the same step, or
a row of them that ends in a free cell. Before, those who look elsewhere turn on the spot; so it takes
the turns of whoever must turn farthest, and a step. No two shifts share a cell. A robot *leads* the
shift that brings it nearer to its goal; others are carried along, nearer to theirs or away.

Shared by all kernels: `floor` is (states (R,), owner (N,) robot or -1, ahead (4 N,)); `aims` is (goals
(R,) node or -1, rows (R,) of `ways`, ways (rows, N) costs to goals, weight (R,) what a robot counts);
`shifts` is (onto (N,) the next cell or -1, leader (N,) robot or -1, turns (R,) of the shift that a
robot leads, -1: none, worth (R,)). A cell whose leader is below -1 is closed.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from planners.kernels.heap import BITS, MASK, pop, push
from planners.kernels.states import FORWARD, LEFT, RIGHT, WAIT

NEVER = np.int64(1) << 40
TURNS = 3  # a shift takes 0, 1 or 2 quarter turns before all drive
UNIT = 32  # of `ways`: cost of a step
STEP = 32 * UNIT  # cost of a step that a shift takes; the other costs are weighed against it
QUARTER = 4 * UNIT  # of each robot's quarter turn
CELL = 2 * UNIT  # of each cell
SCALE = 60  # worth is gain x SCALE / steps


@njit(cache=True)
def quarters(heading, wanted):
    """Quarter turns between two headings."""
    turn = (wanted - heading) & 3
    return 1 if turn == 3 else turn


@njit(cache=True)
def towards(node, there, ahead):
    """The heading from a node to its neighbour."""
    heading = 0
    while ahead[4 * node + heading] != there:
        heading += 1
    return heading


@njit(cache=True)
def scratch(nodes):
    """Memory of `find`: costs, when they were set (and the last search), cells before, heap, paths."""
    return (
        np.empty(nodes, np.int64), np.zeros(nodes + 1, np.int64), np.empty(nodes, np.int32),
        np.empty(4 * nodes + 4, np.int64), np.empty(nodes + 1, np.int32),
    )  # fmt: skip


@njit(cache=True)
def _search(first, home, most, limit, fair, floor, aims, leader, memory):
    """Cheapest way for robots to make room at `first` when nobody turns more than `most` quarters: a
    path to `home`, or to a free cell. Returns its end and cost; -1: there is none below `limit`."""
    states, owner, ahead = floor
    goals, rows, ways, weight = aims
    cost, stamp, before, heap, _ = memory
    stamp[-1] += 1
    now = stamp[-1]
    cost[first], stamp[first], before[first] = 0, now, home
    heap[0], size = np.int64(first), 1
    while size > 0:
        item = heap[0]
        size = pop(heap, size)
        so_far, x = item >> BITS, item & MASK
        if so_far >= limit:
            break
        if x == home or owner[x] < 0:
            return x, so_far
        if so_far > cost[x]:
            continue
        robot = owner[x]
        heading = states[robot] & 3
        for h in range(4):
            y = ahead[4 * x + h]
            if y < 0 or leader[y] != -1 or (x == first and y == home):
                continue
            turn = quarters(heading, h)
            if turn > most:
                continue
            more = CELL + QUARTER * turn
            if fair and goals[robot] >= 0:
                way = ways[rows[robot]]
                more = max(1, more + weight[robot] * (np.int64(way[y]) - np.int64(way[x])))
            value = so_far + more
            if stamp[y] != now or value < cost[y]:
                cost[y], stamp[y], before[y] = value, now, x
                size = push(heap, size, value << BITS | np.int64(y))
    return -1, limit


@njit(cache=True)
def find(robot, fair, floor, aims, leader, memory):
    """The cheapest shift through cells without one that brings a robot nearer: its cells into `memory`,
    in sequence. Returns how many (a circle names the first one again), 0: none, and the turns it takes.
    `fair`: whom it carries away from its goal counts."""
    states, _, ahead = floor
    _, rows, ways, _ = aims
    before, path = memory[2], memory[4]
    state = states[robot]
    home, way = state >> 2, ways[rows[robot]]
    best, cells, needed = NEVER, 0, 0
    for most in range(TURNS):
        for h in range(4):
            first = ahead[4 * home + h]
            turn = quarters(state & 3, h)
            if first < 0 or leader[first] != -1 or way[first] >= way[home] or turn > most:
                continue
            base = STEP * (most + 1) + QUARTER * turn
            end, cost = _search(first, home, most, best - base, fair, floor, aims, leader, memory)
            if end < 0:
                continue
            best, needed, cells = base + cost, most, 1
            path[0] = end
            x = before[end]
            while x != home:
                path[cells] = x
                cells += 1
                x = before[x]
            path[cells] = home
            cells += 1
    for i in range(cells // 2):
        path[i], path[cells - 1 - i] = path[cells - 1 - i], path[i]
    return cells, needed


@njit(cache=True)
def gain(path, cells, floor, aims):
    """What a shift brings robots nearer to their goals, each as it counts."""
    owner = floor[1]
    goals, rows, ways, weight = aims
    total = np.int64(0)
    for i in range(cells - 1):
        robot = owner[path[i]]
        if goals[robot] >= 0:
            way = ways[rows[robot]]
            total += weight[robot] * (np.int64(way[path[i]]) - np.int64(way[path[i + 1]]))
    return total


@njit(cache=True)
def none(nodes, robots, leader):
    """Nobody leads a shift."""
    return (
        np.full(nodes, -1, np.int32), leader, np.full(robots, -1, np.int64),
        np.zeros(robots, np.int64),
    )  # fmt: skip


@njit(cache=True)
def put(robot, path, cells, turns, worth, shifts):
    """A robot leads this shift."""
    onto, leader, needed, value = shifts
    for i in range(cells):
        leader[path[i]] = robot
    for i in range(cells - 1):
        onto[path[i]] = path[i + 1]
    needed[robot], value[robot] = turns, worth


@njit(cache=True)
def take(robot, home, path, shifts):
    """A robot no longer leads its shift, which goes into `path`. Returns how many cells."""
    onto, leader, needed, _ = shifts
    path[0], cells, x = home, 1, home
    while onto[x] >= 0:
        y = onto[x]
        onto[x], leader[x] = -1, -1
        path[cells] = y
        cells += 1
        x = y
    leader[x] = -1
    needed[robot] = -1
    return cells


@njit(cache=True)
def lead(robot, fair, floor, aims, shifts, memory):
    """A robot looks for a shift that pays. Returns what it is worth, 0: there is none."""
    home = floor[0][robot] >> 2
    if shifts[1][home] != -1:
        return 0
    cells, turns = find(robot, fair, floor, aims, shifts[1], memory)
    if cells == 0:
        return 0
    worth = gain(memory[4], cells, floor, aims) * SCALE // (turns + 1)
    if fair and worth <= 0:
        return 0
    put(robot, memory[4], cells, turns, worth, shifts)
    return worth


@njit(cache=True)
def begin(order, first, floor, aims, shifts):
    """Robots with a goal, in this order, each look for a shift. `first`: one that leads whatever it
    costs the others, -1: nobody."""
    states, goals = floor[0], aims[0]
    memory = scratch(len(floor[1]))
    if first >= 0:
        lead(first, False, floor, aims, shifts, memory)
    for robot in order:
        if goals[robot] >= 0 and goals[robot] != states[robot] >> 2:
            lead(robot, True, floor, aims, shifts, memory)


@njit(cache=True)
def _random(dice):
    """Xorshift: the next of 2^64 - 1 numbers."""
    x = dice[0]
    x ^= x << np.uint64(13)
    x ^= x >> np.uint64(7)
    x ^= x << np.uint64(17)
    dice[0] = x
    return np.int64(x >> np.uint64(1))


@njit(cache=True)
def improve(rounds, seed, first, near, floor, aims, shifts):
    """Large neighbourhood search: forget all shifts that touch a few cells, let everybody there look
    again in another order, keep what is worth as much or more. `first`'s shift stays. `near`: at least
    so many cells, and below so many. Returns how many rounds made it better."""
    states, owner, ahead = floor
    goals, weight = aims[0], aims[3]
    _, leader, turns, worth = shifts
    nodes, robots = len(owner), len(states)
    memory = scratch(nodes)
    path = np.empty(nodes + 1, np.int32)
    cell = np.empty(near[1], np.int32)
    seen, asked = np.full(nodes, -1, np.int64), np.full(robots, -1, np.int64)
    who, key = np.empty(nodes, np.int32), np.empty(nodes, np.int64)
    old, old_path = np.empty((nodes, 4), np.int64), np.empty(2 * nodes, np.int32)
    dice = np.array([np.uint64(seed) * np.uint64(0x9E3779B97F4A7C15) | np.uint64(1)])
    better = 0
    for turn in range(rounds):
        wanted = near[0] + _random(dice) % (near[1] - near[0])
        cell[0], known, at = _random(dice) % nodes, 1, 0
        seen[cell[0]] = turn
        while at < known < wanted:
            x = cell[at]
            at += 1
            for h in range(4):
                y = ahead[4 * x + h]
                if y >= 0 and seen[y] != turn and known < wanted:
                    seen[y] = turn
                    cell[known] = y
                    known += 1
        gone, used, before, count = 0, 0, np.int64(0), 0
        for i in range(known):
            robot = leader[cell[i]]
            if robot < 0 or robot == first:
                continue
            old[gone, 0], old[gone, 1], old[gone, 2] = robot, used, turns[robot]
            old[gone, 3] = worth[robot]
            before += worth[robot]
            cells = take(robot, states[robot] >> 2, path, shifts)
            old_path[used : used + cells] = path[:cells]
            used += cells
            gone += 1
            who[count], asked[robot] = robot, turn
            count += 1
        for i in range(known):
            robot = owner[cell[i]]
            if robot < 0 or robot == first or asked[robot] == turn:
                continue
            if goals[robot] >= 0 and goals[robot] != cell[i]:
                who[count], asked[robot] = robot, turn
                count += 1
        for i in range(count):
            key[i] = -(weight[who[i]] * (1 + (_random(dice) & 1023)))
        order = np.argsort(key[:count], kind="mergesort")
        after = np.int64(0)
        for i in order:
            after += lead(who[i], True, floor, aims, shifts, memory)
        if after < before:
            for i in range(count):
                if turns[who[i]] >= 0:
                    take(who[i], states[who[i]] >> 2, path, shifts)
            for i in range(gone):
                to = old[i + 1, 1] if i + 1 < gone else used
                cells = to - old[i, 1]
                put(old[i, 0], old_path[old[i, 1] : to], cells, old[i, 2], old[i, 3], shifts)
        elif after > before:
            better += 1
    return better


@njit(cache=True)
def act(floor, shifts, acts):
    """(R,) actions: where all look ahead they drive, else they turn."""
    states, owner, ahead = floor
    onto, _, turns, _ = shifts
    acts[:] = WAIT
    for robot in range(len(states)):
        if turns[robot] < 0:
            continue
        x = home = states[robot] >> 2
        ready, cells = True, 0
        while onto[x] >= 0:
            y = onto[x]
            acts[owner[x]] = _turn(states[owner[x]] & 3, towards(x, y, ahead))
            ready &= acts[owner[x]] == WAIT
            cells += 1
            x = y
            if x == home:
                break
        if ready:
            x = home
            for _ in range(cells):
                acts[owner[x]] = FORWARD
                x = onto[x]


@njit(cache=True)
def _turn(heading, wanted):
    """The action that turns a robot towards a heading; `WAIT`: it looks there."""
    turn = (wanted - heading) & 3
    return WAIT if turn == 0 else LEFT if turn == 3 else RIGHT


@njit(cache=True)
def afterwards(floor, shifts):
    """The floor when all shifts have been made, and nobody's shifts on it: where they are led next."""
    states, owner, ahead = floor
    onto, leader = shifts[:2]
    later, place = states.copy(), np.full(len(owner), -1, np.int32)
    for x in range(len(owner)):
        if onto[x] >= 0:
            later[owner[x]] = 4 * onto[x] + towards(x, onto[x], ahead)
    for robot in range(len(states)):
        place[later[robot] >> 2] = robot
    closed = np.where(leader < -1, leader, np.int32(-1))
    return (later, place, ahead), none(len(owner), len(states), closed)


@njit(cache=True)
def turn_ahead(floor, shifts, then, acts):
    """Whoever takes part in no shift turns to where it is wanted in those that come `then`."""
    states, _, ahead = floor
    for robot in range(len(states)):
        x = states[robot] >> 2
        if shifts[0][x] < 0 and then[0][x] >= 0:
            acts[robot] = _turn(states[robot] & 3, towards(x, then[0][x], ahead))
