"""Kinds of values in site.yaml and faults.yaml."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


def ascending(pair: tuple[float, float]) -> tuple[float, float]:
    """[least, most]"""
    if pair[0] > pair[1]:
        raise ValueError("[least, most]: the first must not be above the second")
    return pair


def _some(shares: tuple[float, ...]) -> tuple[float, ...]:
    if not sum(shares) > 0:
        raise ValueError("at least one share must be above zero")
    return shares


def _hourly(curve: float | tuple[float, ...]) -> float | tuple[float, ...]:
    if isinstance(curve, tuple) and len(curve) != 24:
        raise ValueError(f"give one number, or 24 for an hourly curve (here are {len(curve)})")
    return curve


Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]
Percent = Annotated[float, Field(ge=0, le=100)]
Spread = tuple[NotNegative, NotNegative]  # median, sigma of the logarithm
Finite = Annotated[float, Field(allow_inf_nan=False)]
PositiveShare = Annotated[float, Field(gt=0, le=1)]
Shares = Annotated[tuple[Share, ...], AfterValidator(_some)]
Rate = Annotated[NotNegative | tuple[NotNegative, ...], AfterValidator(_hourly)]
Range = Annotated[tuple[NotNegative, NotNegative], AfterValidator(ascending)]  # [least, most]


class Part(BaseModel):
    """Base of every table: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)
