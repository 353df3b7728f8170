"""The numbers of the policy: who is asked, in which sequence, and within which bounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from orchestrator.vision.breaker import BreakerLimits
from orchestrator.vision.budget import BudgetLimits
from orchestrator.vision.judging import Rule
from orchestrator.vision.model import Task


class ChainError(ValueError):
    """A policy that names a reader which isn't there, or can't do the task."""


@dataclass(frozen=True, slots=True)
class ReaderPolicy:
    """Bounds of one reader."""

    share: float = 1.0  # of a question's deadline, at most
    retries: int = 0
    retry_pause_s: float = 0.1
    hedge_share_max: float = 0.0  # second calls per first call; 0: never
    at_once: int = 4
    waiting_max: int = 64
    breaker: BreakerLimits = field(default_factory=BreakerLimits)
    budget: BudgetLimits = field(default_factory=BudgetLimits)


@dataclass(frozen=True, slots=True)
class TaskPolicy:
    """Who is asked about a task, cheapest first, and when that is enough."""

    readers: tuple[str, ...]
    rule: Rule = field(default_factory=Rule)
    deadline_s: float = 5.0


@dataclass(frozen=True, slots=True)
class Policy:
    """All of it. A reader without an entry has the default bounds."""

    tasks: Mapping[Task, TaskPolicy]
    readers: Mapping[str, ReaderPolicy] = field(default_factory=dict)
    at_once: int = 64  # questions under way
    waiting_max: int = 256
    cache_entries: int = 1024
    frozen_after: int = 3  # pictures of something else in a row, and a camera hangs
