"""Tables of a host: CSV, JSON or JSON lines become the same records, each with the line it stands in.

Whatever a file holds, each record is either used or named as a `BadRow`; a file that is no table at
all is a `HostFileError`. Nothing else is raised.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NAME_MAX = 200
RECORDS_MAX = 2_000_000
DIGITS_MAX = 15
_WHOLE = re.compile(rf"[+-]?[0-9]{{1,{DIGITS_MAX}}}")
_SPACE = re.compile(r"[ \t\n\r]*")


class HostFileError(ValueError):
    """A host's file or folder that can't be used at all: which, what is wrong, the mend."""


@dataclass(frozen=True, slots=True)
class BadRow:
    """A record that was left out."""

    file: str
    line: int
    text: str
    mend: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text} -> {self.mend}"


class Wrong(ValueError):
    """What is wrong with one record, and the mend: becomes a `BadRow`."""

    def __init__(self, text: str, mend: str) -> None:
        self.text, self.mend = text, mend
        super().__init__(f"{text} -> {mend}")


@dataclass(frozen=True, slots=True)
class Record:
    """Values by column or key; `rows`: it came from a CSV, where one thing may be several rows."""

    line: int
    values: dict[str, Any]
    rows: bool


Table = tuple[list[Record], list[BadRow]]


def read_text(path: Path) -> str:
    """The text of a host's file."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise HostFileError(
            f"{path}: can't be read: {error} -> give a UTF-8 CSV or JSON"
        ) from error


def read(text: str, name: str, columns: Sequence[str], within: str = "") -> Table:
    """The records of a table; what it is, its first character says. A CSV must have the `columns`.
    `within`: the key under which a JSON object may hold the records."""
    first = text.lstrip()[:1]
    if first == "[":
        table = _array(text, name)
    elif first == "{":
        table = _lines(text, name, within)
    else:
        table = _rows(text, name, columns)
    if len(table[0]) > RECORDS_MAX:
        raise HostFileError(f"{name}: more than {RECORDS_MAX} records -> split the file")
    return table


def table_of(rows: Sequence[Any], name: str) -> Table:
    """Rows of a message, counted from 1."""
    records: list[Record] = []
    bad: list[BadRow] = []
    for number, value in enumerate(rows, 1):
        _keep(value, name, number, records, bad)
    return records, bad


def take(table: Table, name: str, use: Callable[[Record], None]) -> list[BadRow]:
    """Hand each record to `use`; return the bad ones, also those for which it raises `Wrong`."""
    records, bad = table
    found = list(bad)
    for record in records:
        try:
            use(record)
        except Wrong as wrong:
            found.append(BadRow(name, record.line, wrong.text, wrong.mend))
    return sorted(found, key=lambda row: row.line)


def _rows(text: str, name: str, columns: Sequence[str]) -> Table:
    reader = csv.DictReader(io.StringIO(text, newline=""), skipinitialspace=True)
    try:
        names = [(field or "").strip() for field in reader.fieldnames or ()]
    except csv.Error as error:
        raise HostFileError(f"{name}:1: {error} -> mend the line") from error
    missing = [column for column in columns if column not in names]
    if missing:
        text = f"{name}:1: column {', '.join(missing)} is missing"
        raise HostFileError(f"{text} -> begin with the line {','.join(columns)}")
    reader.fieldnames = names
    records: list[Record] = []
    bad: list[BadRow] = []
    while True:
        try:
            row: dict[Any, Any] = next(reader)
        except StopIteration:
            return records, bad
        except csv.Error as error:
            number = reader.reader.line_num
            bad.append(BadRow(name, number, f"no row of a CSV: {error}", "mend the line"))
            continue
        if None in row:
            mend = "one value per column; quote values with commas"
            bad.append(BadRow(name, reader.line_num, "more fields than columns", mend))
            continue
        values = {key: value for key, value in row.items() if value is not None}
        records.append(Record(reader.line_num, values, rows=True))


def _decode(text: str, at: int) -> tuple[Any, int]:
    """One JSON value. Raises `ValueError` with what is wrong."""
    try:
        return _DECODER.raw_decode(text, at)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except StopIteration:  # pragma: no cover - of older decoders
        raise ValueError("ends within a value") from None


_DECODER = json.JSONDecoder()


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _array(text: str, name: str) -> Table:
    records: list[Record] = []
    bad: list[BadRow] = []
    at, line, counted = _skip(text, text.index("[") + 1), 1, 0
    while text[at : at + 1] != "]":
        line, counted = line + text.count("\n", counted, at), at
        try:
            value, at = _decode(text, at)
        except ValueError as error:
            raise HostFileError(f"{name}:{line}: broken JSON: {error} -> mend it") from error
        _keep(value, name, line, records, bad)
        at = _skip(text, at)
        if text[at : at + 1] == ",":
            at = _skip(text, at + 1)
        elif text[at : at + 1] != "]":
            what = "a comma or the end of the list is missing"
            raise HostFileError(f"{name}:{line}: broken JSON: {what} -> mend it")
    if _skip(text, at + 1) < len(text):
        line += text.count("\n", counted, at)
        raise HostFileError(f"{name}:{line}: something follows the list -> leave it out")
    return records, bad


def _keep(value: Any, name: str, line: int, records: list[Record], bad: list[BadRow]) -> None:
    if isinstance(value, dict):
        records.append(Record(line, value, rows=False))
    else:
        bad.append(BadRow(name, line, "is no JSON object", 'write {"key": value, ...}'))


def _lines(text: str, name: str, within: str) -> Table:
    """JSON lines, or one object."""
    start = _skip(text, 0)
    whole, end = None, 0
    with contextlib.suppress(ValueError):  # a broken first line is named below, others are read
        whole, end = _decode(text, start)
    records: list[Record] = []
    bad: list[BadRow] = []
    if whole is not None and _skip(text, end) == len(text):
        rows = whole.get(within) if within else None
        for value in rows if isinstance(rows, list) else [whole]:
            _keep(value, name, 1 + text.count("\n", 0, start), records, bad)
        return records, bad
    for number, line in enumerate(text.split("\n"), 1):
        part = line.strip()
        if not part:
            continue
        try:
            value, end = _decode(part, 0)
            if end < len(part):
                raise ValueError("one object per line")
        except ValueError as error:
            bad.append(BadRow(name, number, f"no line of JSON: {error}", "mend the line"))
            continue
        _keep(value, name, number, records, bad)
    return records, bad


# --- values of a record -------------------------------------------------------------------------


def name_of(values: dict[str, Any], key: str, *, required: bool = True) -> str:
    """A name: printable, not too long; a number stands for its digits."""
    value = values.get(key)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**DIGITS_MAX:
        value = str(value)
    if value is None:
        value = ""
    if not isinstance(value, str):
        raise Wrong(f"{key} is no text: {short(value)}", f'write "{key}": "NAME"')
    value = value.strip()
    if required and not value:
        raise Wrong(f"{key} must not be empty", "fill it in")
    if len(value) > NAME_MAX:
        raise Wrong(f"{key} has {len(value)} characters", f"at most {NAME_MAX}")
    if not value.isprintable():
        raise Wrong(f"{key} holds what can't be printed: {short(value)}", "use plain letters")
    return value


def number_of(values: dict[str, Any], key: str) -> float:
    """A number, or not-a-number where it says so: the caller's bounds refuse that."""
    value = values.get(key)
    try:
        if isinstance(value, str) and "_" not in value:
            return float(value)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return float(value)
    except (ValueError, OverflowError):
        pass
    raise Wrong(f"{key} is no number: {short(value)}", "write it as 1800 or 12.5")


def whole_of(values: dict[str, Any], key: str, least: int, most: int) -> int:
    """A whole number within bounds."""
    value = values.get(key)
    if isinstance(value, str) and _WHOLE.fullmatch(value.strip()):
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise Wrong(f"{key} is no whole number: {short(value)}", "write it as 1 or 20")
    if not least <= value <= most:
        raise Wrong(f"{key} is {short(value)}: must be {least} to {most}", "mend the number")
    return value


def short(value: Any) -> str:
    """A value as it can be shown in one line."""
    text = repr(value) if not isinstance(value, int) or abs(value) < 10**20 else "a huge number"
    return text if len(text) <= 60 else f"{text[:57]}..."
