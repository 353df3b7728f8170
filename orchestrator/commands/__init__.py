"""The commands of `lightsout`: each module has `add(subparsers)` and `run(arguments) -> exit code`."""

from __future__ import annotations

import argparse
from typing import Any


def command(subparsers: Any, name: str, summary: str, examples: str) -> argparse.ArgumentParser:
    """A subcommand's parser, with examples below its options."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        name,
        help=summary,
        description=summary,
        epilog=f"examples:\n{examples}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    return parser


def seconds(text: str) -> float:
    """A time of the run: seconds, MM:SS or HH:MM:SS."""
    parts = text.split(":")
    if not 1 <= len(parts) <= 3:
        raise argparse.ArgumentTypeError(f"{text!r} is no time: write 90, 1:30 or 0:01:30")
    total = 0.0
    try:
        for part in parts:
            total = total * 60 + float(part)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no time: write 90 or 0:01:30") from error
    return total


def positive(text: str) -> float:
    """A number above zero."""
    try:
        value = float(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no number") from error
    if not 0 < value < 1e9:
        raise argparse.ArgumentTypeError(f"{text} must be above zero")
    return value
