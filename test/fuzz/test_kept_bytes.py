"""Bytes that once broke a reader don't any more, nor do those near to good ones."""

from __future__ import annotations

import random

import pytest
from mutations import mutated
from targets import TARGETS, Master, kept, seeds


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_breaks_a_reader_that_once_did(name: str) -> None:
    for path in kept(name):
        TARGETS[name](path.read_bytes())


@pytest.mark.parametrize("name", TARGETS)
def test_what_is_near_to_good_messages_breaks_no_reader(name: str) -> None:
    chance = random.Random(name)
    for seed in seeds(name):
        TARGETS[name](seed)
        for _ in range(20):
            at = chance.randrange(1, len(seed))
            worse = bytes([chance.randrange(256)]) * chance.randrange(3)
            TARGETS[name](seed[:at] + worse + seed[at + chance.randrange(4) :])
        near = seed
        for _ in range(60):
            near = mutated(near, chance, b"\0" if name == "master" else b"")
            TARGETS[name](near)


def test_the_master_that_is_fuzzed_has_a_vehicle_that_drives() -> None:
    for protocol in ("2.0", "2.1", "3.0"):
        (vehicle,) = Master(protocol).control.vehicles.values()
        assert vehicle.robot == 0 and vehicle.errand is not None
