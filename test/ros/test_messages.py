"""Our messages are those of ROS 2, and our bytes are read by a library that others wrote."""

import dataclasses
import math
from typing import Any

import pytest

from orchestrator.ros import cdr, definitions, messages
from orchestrator.ros.definitions import DEFINITIONS

rosbags = pytest.importorskip("rosbags.typesys", reason="rosbags is not installed: make setup")
JAZZY = rosbags.get_typestore(rosbags.Stores.ROS2_JAZZY)
HUMBLE = rosbags.get_typestore(rosbags.Stores.ROS2_HUMBLE)


@pytest.mark.parametrize("name", DEFINITIONS)
def test_a_definition_is_the_standard_s_one(name: str) -> None:
    """Fields and constants, whole, in sequence."""
    found = rosbags.get_types_from_msg(definitions.schema(name), name)
    assert found[name] == JAZZY.fielddefs[name]
    for part, fields in found.items():
        assert fields == JAZZY.fielddefs[part]


@pytest.mark.parametrize("name", sorted(DEFINITIONS))
def test_an_older_distribution_has_the_same_fields(name: str) -> None:
    assert HUMBLE.fielddefs[name][1] == JAZZY.fielddefs[name][1]


@pytest.mark.parametrize("name", DEFINITIONS)
def test_a_dataclass_has_the_fields_in_their_sequence(name: str) -> None:
    kind: Any = messages.KINDS[name]
    assert [f.name for f in dataclasses.fields(kind)] == [f for _, f in definitions.fields(name)]


@pytest.mark.parametrize("name", DEFINITIONS)
@pytest.mark.parametrize("full", [False, True])
def test_bytes_are_read_by_others_and_come_out_the_same(name: str, full: bool) -> None:
    """Empty ones, and ones in which each field, however deep, has a value of its own."""
    kind = messages.KINDS[name]
    message = filled(name, Counter()) if full else kind()
    data = cdr.encode(message)
    read = JAZZY.deserialize_cdr(data, name)
    assert same(message, read)
    assert bytes(JAZZY.serialize_cdr(read, name)) == data


def test_a_text_comes_back() -> None:
    for text in ("", "{}", "Größe 12 µm", "x" * 100_000):
        data = cdr.encode(messages.String(text))
        assert cdr.decode_string(data) == text
        assert JAZZY.deserialize_cdr(data, "std_msgs/msg/String").data == text


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "is no CDR message"),
        (b"\x00\x01\x00\x00", "is no CDR message"),
        (b"\x00\x09\x00\x00\x01\x00\x00\x00\x00", "is no CDR message"),
        (b"\x00\x01\x00\x00\x09\x00\x00\x00abc\x00", "ends within its text"),
        (b"\x00\x01\x00\x00\x03\x00\x00\x00\xff\xfe\x00", "is no UTF-8"),
    ],
)
def test_bytes_that_are_no_text_are_refused(data: bytes, what: str) -> None:
    with pytest.raises(cdr.CdrError, match=what):
        cdr.decode_string(data)


class Counter:
    """Values that differ."""

    def __init__(self) -> None:
        self.count = 0

    def next(self) -> int:
        self.count += 1
        return self.count % 100


def filled(name: str, counter: Counter) -> Any:
    values = {}
    for kind, field in definitions.fields(name):
        if kind in ("uint8[]", "int8[]"):
            values[field] = bytes([counter.next(), counter.next(), counter.next()])
        elif kind.endswith("[]"):
            values[field] = [value(definitions.base(kind), counter) for _ in range(3)]
        else:
            values[field] = value(kind, counter)
    return messages.KINDS[name](**values)


def value(kind: str, counter: Counter) -> Any:
    if "/" in kind:
        return filled(definitions.full(kind), counter)
    if kind == "string":
        return "ä" * (counter.next() % 7)
    if kind == "byte":
        return bytes([counter.next()])
    if kind == "bool":
        return bool(counter.next() % 2)
    number = counter.next()
    return number + 0.5 if kind.startswith("float") else number


def same(ours: Any, theirs: Any) -> bool:
    if isinstance(ours, messages.Message):
        fields = dataclasses.fields(ours)  # type: ignore[arg-type]
        return all(same(getattr(ours, f.name), getattr(theirs, f.name)) for f in fields)
    if isinstance(ours, bytes):
        return ours == (bytes([theirs]) if isinstance(theirs, int) else bytes(theirs))
    if isinstance(ours, list | tuple):
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    if isinstance(ours, float) and math.isnan(ours):
        return math.isnan(theirs)
    return bool(ours == theirs)
