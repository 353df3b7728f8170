"""Levels of difficulty: named, and the same for whoever names them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Level:
    """What may come between a thing and its picture; lengths in pixels of the picture."""

    name: str
    tilt_deg: float = 0.0  # at most, out of the picture's plane
    roll_deg: float = 0.0  # at most, beside quarter turns
    near: float = 1.0  # size of the thing in the picture, from far to near
    far: float = 1.0
    blur: float = 0.3  # sigma at most: out of focus
    motion: float = 0.0  # at most
    noise: float = 1.0  # standard deviation at most, of 255
    light: float = 1.0  # least brightness
    glare: float = 0.0  # share of pictures with a reflection
    cover: float = 0.0  # share of pictures with something in front
    torn: float = 0.0  # share of labels that are torn, creased or stained
    quality: int = 92  # of the JPEG


LEVELS: dict[str, Level] = {
    level.name: level
    for level in (
        Level("clean"),
        Level("easy", 12, 4, 1.0, 0.85, 0.7, 1.5, 3, 0.85, 0.0, 0.0, 0.0, 90),
        Level("normal", 22, 8, 1.0, 0.7, 1.1, 3, 5, 0.6, 0.12, 0.05, 0.03, 85),
        Level("hard", 35, 20, 0.95, 0.5, 1.7, 5, 9, 0.3, 0.35, 0.15, 0.1, 75),
        Level("torn", 20, 10, 1.0, 0.75, 1.0, 2, 5, 0.6, 0.1, 0.1, 1.0, 85),
        Level("foul", 45, 45, 0.85, 0.4, 2.6, 9, 14, 0.15, 0.5, 0.35, 0.4, 60),
    )
}


class LevelError(ValueError):
    """There is no such level."""


def level_of(name: str) -> Level:
    """Raises `LevelError`."""
    if name not in LEVELS:
        raise LevelError(f"level {name!r} is unknown -> use one of {', '.join(LEVELS)}")
    return LEVELS[name]
