"""How an entry may be set, and the settings that there are to choose from."""

from __future__ import annotations

from dataclasses import dataclass, field

from planners.congestion import CongestionParameters
from planners.crowd import CrowdMatchParameters
from planners.dense import FewParameters
from planners.guidance import SpreadParameters
from planners.jam import JamParameters
from planners.lorr_scheduler import MatchParameters
from planners.rotations import RotationParameters
from planners.steps import StepParameters

NEVER = 1 << 30  # steps


@dataclass(frozen=True, slots=True)
class Settings:
    """`against`: what driving against a lane costs more, in quarters of a step; `plain`: PIBT alone;
    `few`: not all robots have tasks at a time; `rotate`: they change places in circles and rows."""

    plain: bool = False
    against: int = 16
    steps: StepParameters = field(default_factory=StepParameters)
    match: MatchParameters = field(default_factory=MatchParameters)
    few: FewParameters | None = None
    rotate: RotationParameters | None = None
    crowd: CrowdMatchParameters = field(default_factory=CrowdMatchParameters)
    spread: SpreadParameters | None = field(default_factory=SpreadParameters)
    congestion: CongestionParameters = field(default_factory=CongestionParameters)


CROWDED = Settings(against=24)
HUGE = Settings(against=36, steps=StepParameters(length=4, tries=300, parts=4))
STUBBORN = Settings(steps=StepParameters(tries=10_000, sharp=64, patience=4))
DENSE = Settings(
    match=MatchParameters(rest_permille=1000),
    steps=StepParameters(
        tries=1000, sharp=64, alike=False, guard=NEVER, jam=JamParameters(alone=64)
    ),
    few=FewParameters(),
)
FULL = Settings(
    match=MatchParameters(rest_permille=1000),
    few=FewParameters(active_permille=600),
    rotate=RotationParameters(),
)
CANDIDATES = (
    CROWDED,
    Settings(against=40),
    Settings(against=4, steps=StepParameters(patience=0)),
    STUBBORN,
    Settings(against=0, steps=StepParameters(patience=0)),
)
