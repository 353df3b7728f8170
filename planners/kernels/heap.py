"""A binary heap of whole numbers, the least at `heap[0]`: a cost and, in its low bits, whose it is."""

from __future__ import annotations

from numba import njit

BITS = 24  # of what a cost is of: below 16.7 million
MASK = (1 << BITS) - 1


@njit(cache=True)
def push(heap, size, item):
    """Returns how many there are now."""
    child = size
    while child > 0:
        parent = (child - 1) >> 1
        if heap[parent] <= item:
            break
        heap[child] = heap[parent]
        child = parent
    heap[child] = item
    return size + 1


@njit(cache=True)
def pop(heap, size):
    """Remove the least; its place is filled from the end. Returns how many are left."""
    size -= 1
    item, parent = heap[size], 0
    while True:
        child = 2 * parent + 1
        if child >= size:
            break
        if child + 1 < size and heap[child + 1] < heap[child]:
            child += 1
        if heap[child] >= item:
            break
        heap[parent] = heap[child]
        parent = child
    heap[parent] = item
    return size
