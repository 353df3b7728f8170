"""How late vehicles know of what is released, and what follows for their base."""

from __future__ import annotations

from orchestrator.core.messages import ReachMeasured
from orchestrator.vda5050.control.lag import EACH_NS, ENOUGH, SAMPLES, Lags

MS = 1_000_000


def told(*lags_ms: int) -> list[ReachMeasured]:
    found: list[ReachMeasured] = []
    lags = Lags(["amr", "sorter"], [(1.6, 0.8), (2.0, 1.0)], found.append)
    for lag in lags_ms:
        lags.note(0, lag * MS)
    lags.tick(0)
    return found


def test_the_base_reaches_as_far_as_a_vehicle_brakes_and_drives_until_it_knows() -> None:
    # 1.6 m/s, 0.8 m/s2: 1.6 m to stand; 1.6 m/s for 2 s: 3.2 m; in steps of half a metre
    assert told(*[100] * 98, 2000, 2000) == [ReachMeasured(fleet=0, reach_mm=5000)]


def test_one_in_a_hundred_may_be_later() -> None:
    assert told(*[100] * 99, 60_000) == [ReachMeasured(fleet=0, reach_mm=2000)]


def test_a_few_tell_nothing() -> None:
    assert told(*[100] * (ENOUGH - 1)) == []


def test_it_is_told_when_it_changes_and_what_is_old_is_forgotten() -> None:
    found: list[ReachMeasured] = []
    lags = Lags(["amr"], [(1.6, 0.8)], found.append)
    for _ in range(ENOUGH):
        lags.note(0, 2000 * MS)
    lags.tick(0)
    lags.tick(EACH_NS)
    assert len(found) == 1
    for _ in range(SAMPLES):
        lags.note(0, 50 * MS)
    lags.tick(EACH_NS + 1)
    assert len(found) == 1, "each minute at most"
    lags.tick(2 * EACH_NS)
    assert [row.reach_mm for row in found] == [5000, 2000]
    assert lags.figures() == {"release_p99_ms.amr": 50.0}
