"""The commands of `lightsout`: each module has `add(subparsers)` and `run(arguments) -> exit code`."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

POSITIVE_MAX = 100_000.0


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


@contextlib.contextmanager
def output(path: Path, *inputs: Path, binary: bool = False) -> Iterator[IO[Any]]:
    """A file to write, text or `binary`: refused where it is one of the inputs or no regular file,
    and there only when it is whole. Raises `OutputError`."""
    check_output(path, *inputs)
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("wb") if binary else part.open("w", encoding="utf-8", newline="") as file:
            yield file
        part.replace(path)
    except OSError as error:
        raise OutputError(f"{path}: can't be written: {error.strerror}") from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def check_output(path: Path, *inputs: Path) -> None:
    """Raises `OutputError` where `path` can't be an output beside these inputs: for before the work."""
    if not path.parent.is_dir():
        raise OutputError(f"{path}: there is no such folder -> make it first")
    if path.exists() and not path.is_file():
        raise OutputError(f"{path}: is no regular file -> give a file name")
    for source in inputs:
        if path.exists() and source.exists() and path.samefile(source):
            raise OutputError(f"{path}: is what is read -> give another file for what is written")


class OutputError(ValueError):
    """A file that can't be written, with the reason."""


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
    if not 0 <= total < 1e9:
        raise argparse.ArgumentTypeError(f"{text!r} is no time of a run: it must not be negative")
    return total


def moment(text: str) -> float:
    """A time of the run, as `seconds` takes it, or with a unit: 90s, 30m, 1.5h."""
    factor = {"s": 1.0, "m": 60.0, "h": 3600.0}.get(text[-1:])
    return seconds(text) if factor is None else factor * seconds(text[:-1])


def positive(text: str) -> float:
    """A number above zero."""
    try:
        value = float(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no number") from error
    if not 0 < value <= POSITIVE_MAX:
        raise argparse.ArgumentTypeError(f"{text} must be above 0 and at most {POSITIVE_MAX:g}")
    return value
