"""The nearest free slot is the one that a look at all of them finds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.slots import FreeSlots

PLACES = st.tuples(st.integers(0, 9), st.integers(0, 9), st.sampled_from(["", "a", "b"]))


@given(
    st.lists(PLACES, min_size=1, max_size=30),
    st.lists(st.tuples(st.booleans(), st.integers(0, 29)), max_size=40),
    PLACES,
    st.sets(st.integers(0, 29)),
)
def test_nearest_is_what_a_look_at_all_finds(places, changes, wanted, closed) -> None:
    slots = [(number, zone) for number, (_, _, zone) in enumerate(places)]
    free = FreeSlots(slots, [x for x, _, _ in places], [y for _, y, _ in places])
    known = dict(slots)
    for gives, slot in changes:
        if slot < len(places) and gives and slot not in known:
            free.give(slot)
            known[slot] = places[slot][2]
        elif slot < len(places) and not gives:
            free.take(slot)
            known.pop(slot, None)
    x, y, zone = wanted
    fit = [slot for slot in known if zone in ("", places[slot][2]) and slot not in closed]
    best = min(
        fit,
        key=lambda slot: (abs(places[slot][0] - x) + abs(places[slot][1] - y), slot),
        default=-1,
    )
    assert free.nearest(x, y, zone, lambda slot: slot not in closed) == best
    assert sorted(free) == sorted(known)
