"""One agent's quickest way among others that keep to their plans.

M. Phillips, M. Likhachev, "SIPP: safe interval path planning for dynamic environments", ICRA 2011.
A state is a node and the end of a stretch of time during which nobody is there. `busy` (N, W) uint64
has a bit for each of the 64 W times, `who` (N, 64 W) int32 says by whom. At the last time everybody
is where it stays, so what is free until then is free for ever.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from planners.kernels.pushing import draw

NONE = -1
STAMP_BITS = 40

# The position of the only bit of a 64-bit word, by its product with a de Bruijn number.
BRUIJN = np.uint64(0x03F79D71B4CB0A89)
_PLACE = np.zeros(64, np.int64)
for _bit in range(64):
    _PLACE[((0x03F79D71B4CB0A89 << _bit) % 2**64) >> 58] = _bit


@njit(cache=True)
def lowest(word):
    """The position of the lowest bit of a word that is not 0."""
    one = word & (~word + np.uint64(1))
    return _PLACE[np.int64((one * BRUIJN) >> np.uint64(58))]


@njit(cache=True)
def following(row, t, flip):
    """The first time from t on that is busy (flip 0) or free (flip all ones); the end: none."""
    w = t >> 6
    if w >= len(row):
        return 64 * len(row)
    word = (row[w] ^ flip) & (~np.uint64(0) << np.uint64(t & 63))
    while word == 0:
        w += 1
        if w == len(row):
            return 64 * w
        word = row[w] ^ flip
    return 64 * w + lowest(word)


@njit(cache=True)
def last_busy(row):
    """The last busy time of a node; -1: none."""
    for w in range(len(row) - 1, -1, -1):
        if row[w] != 0:
            for bit in range(63, -1, -1):
                if (row[w] >> np.uint64(bit)) & np.uint64(1):
                    return 64 * w + bit
    return -1


@njit(cache=True)
def occupy(i, path, length, busy, who):
    """Enter agent i's way; from `length` on it stays for ever."""
    for t in range(length):
        busy[path[t], t >> 6] |= np.uint64(1) << np.uint64(t & 63)
        who[path[t], t] = i
    stay = path[length]
    who[stay, length:] = i
    busy[stay, length >> 6] |= ~np.uint64(0) << np.uint64(length & 63)
    busy[stay, (length >> 6) + 1 :] = ~np.uint64(0)


@njit(cache=True)
def vacate(path, length, busy, who):
    """Take out what `occupy` entered."""
    for t in range(length):
        busy[path[t], t >> 6] &= ~(np.uint64(1) << np.uint64(t & 63))
        who[path[t], t] = NONE
    stay = path[length]
    who[stay, length:] = NONE
    busy[stay, length >> 6] &= ~(~np.uint64(0) << np.uint64(length & 63))
    busy[stay, (length >> 6) + 1 :] = 0


@njit(cache=True)
def _better(v, end, t, stamp, horizon, table):
    """Note that (v, end) can be reached at t; False if it could be as early."""
    keys, values = table
    mask = len(keys) - 1
    key = (np.int64(stamp) << STAMP_BITS) | (np.int64(v) * (horizon + 1) + end)
    place = np.int64((np.uint64(key) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(32)) & mask
    while keys[place] >> STAMP_BITS == stamp:
        if keys[place] == key:
            if values[place] <= t:
                return False
            values[place] = t
            return True
        place = (place + 1) & mask
    keys[place], values[place] = key, t
    return True


@njit(cache=True)
def quickest(start, goal, table, bound, near, times, pool, count, dice, path):
    """Write the quickest way into `path` (64 W,) and return when it arrives for good; -1: none by
    `bound`, or none within the pool. `table` (N,) steps to the goal. `count` (2,): stamp, states."""
    busy, who = times
    node, time, end, before, follows, bucket, seen = pool
    horizon = who.shape[1]
    count[0] += 1
    stamp = count[0]
    bound = min(bound, horizon - 1)
    settled = last_busy(busy[goal]) + 1
    best = max(np.int64(table[start]), settled)
    if best > bound:
        return NONE
    bucket[best : bound + 1] = NONE
    free_until = following(busy[start], 0, np.uint64(0))
    if free_until == 0:
        return NONE
    node[0], time[0], end[0], before[0], follows[0] = start, 0, free_until, NONE, NONE
    _better(start, free_until, 0, stamp, horizon, seen)
    bucket[best] = 0
    made = 1
    f = best
    way = near.shape[1]
    while f <= bound:
        s = bucket[f]
        if s == NONE:
            f += 1
            continue
        bucket[f] = follows[s]
        v, t, until = node[s], time[s], end[s]
        if v == goal and until == horizon:
            count[1] += made
            _write(s, node, time, before, horizon, path)
            return t
        turn = draw(dice)
        for k in range(2 * way):
            u = near[v, (k + turn) % way]
            closer = u >= 0 and table[u] < table[v]
            if u < 0 or closer != (k >= way):  # what leads closer comes last and is taken first
                continue
            at = following(busy[u], t + 1, ~np.uint64(0))
            while at <= until and at < horizon and max(at + table[u], settled) <= bound:
                till = following(busy[u], at, np.uint64(0))
                swap = at == until and who[u, at - 1] != NONE and who[u, at - 1] == who[v, at]
                if not swap and _better(u, till, at, stamp, horizon, seen):
                    if made == len(node):
                        count[1] += made
                        return NONE
                    node[made], time[made], end[made], before[made] = u, at, till, s
                    to = max(np.int64(at + table[u]), settled)
                    follows[made] = bucket[to]
                    bucket[to] = made
                    made += 1
                at = following(busy[u], till, ~np.uint64(0))
    count[1] += made
    return NONE


@njit(cache=True)
def _write(s, node, time, before, horizon, path):
    """Unroll the states that led to s; between them the agent waits."""
    after = horizon
    while s != NONE:
        path[time[s] : after] = node[s]
        after = time[s]
        s = before[s]
