"""The bridge's file: which signals of which controllers stop, reset and clear which zone."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from orchestrator.layout.fields import Positive
from orchestrator.layout.reading import at_least, read_model

TABLES = ("coil", "discrete", "holding", "input")
PLACE = re.compile(r"^(coil|discrete|holding|input):(\d{1,5})(?:\.(\d{1,2}))?$")
WORDS = ("holding", "input")
ADDRESS_MAX = 65_535


class MappingError(ValueError):
    """The file can't be used: what is wrong where, and the mend."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SignalFile(_Part):
    """A value of a controller. `stops_when`: of a stop signal; `when`: of a reset or a clear."""

    name: str = Field(min_length=1)
    source: str
    at: str = Field(min_length=1)


class StopFile(SignalFile):
    """While it has this value, or none, the zone is stopped."""

    stops_when: bool


class WhenFile(SignalFile):
    """It says so while it has this value."""

    when: bool = True


class HeartbeatFile(_Part):
    """A value that a controller that works changes at least so often."""

    at: str = Field(min_length=1)
    within_s: Positive = 2.0


class SourceFile(_Part):
    """A controller, by OPC UA or Modbus TCP."""

    opcua: str = ""
    modbus: str = ""
    device: int = Field(default=1, ge=0, le=255)  # Modbus
    poll_s: Annotated[float, Field(ge=0.01, le=10)] = 0.1
    timeout_s: Annotated[float, Field(ge=0.05, le=60)] = 1.0
    heartbeat: HeartbeatFile | None = None

    @model_validator(mode="after")
    def _one_protocol(self) -> SourceFile:
        if bool(self.opcua) == bool(self.modbus):
            raise ValueError("give one of both: opcua: opc.tcp://host:4840, or modbus: host:502")
        if self.opcua and not self.opcua.startswith("opc.tcp://"):
            raise ValueError(f"opcua: {self.opcua!r} -> opc.tcp://host:4840")
        if self.modbus and not re.fullmatch(r"[^\s:/]+:\d{1,5}", self.modbus):
            raise ValueError(f"modbus: {self.modbus!r} -> host:502")
        return self


class ZoneFile(_Part):
    """A part of the building that is stopped together. Without nodes: all of it, and no name."""

    zone: str = ""
    nodes: tuple[str, ...] = ()
    stop: Annotated[tuple[StopFile, ...], at_least(1)]
    reset: WhenFile  # the moment when it begins to say so
    clear: WhenFile  # while it says so

    @model_validator(mode="after")
    def _named(self) -> ZoneFile:
        if bool(self.zone) != bool(self.nodes):
            raise ValueError("a zone has a name and nodes; without both it is the whole building")
        return self


class SafetyFile(_Part):
    """All of it."""

    format: int
    site: str = Field(min_length=1)
    sources: dict[str, SourceFile] = Field(min_length=1)
    zones: Annotated[tuple[ZoneFile, ...], at_least(1)]

    @field_validator("zones")
    @classmethod
    def _different(cls, zones: tuple[ZoneFile, ...]) -> tuple[ZoneFile, ...]:
        names = [zone.zone for zone in zones]
        if len(set(names)) != len(names):
            raise ValueError("two zones have the same name")
        return zones

    @model_validator(mode="after")
    def _places(self) -> SafetyFile:
        for name, source in self.sources.items():
            if source.heartbeat is not None:
                _place(source, source.heartbeat.at, f"sources.{name}.heartbeat")
        for zone in self.zones:
            for signal in signals_of(zone):
                where = f"zone {zone.zone or 'of everything'}: {signal.name}"
                if signal.source not in self.sources:
                    known = ", ".join(self.sources)
                    raise ValueError(f"{where}: there is no source {signal.source!r} -> {known}")
                _place(self.sources[signal.source], signal.at, where)
        return self

    def places(self, source: str) -> tuple[str, ...]:
        """What is read of a source."""
        found = dict.fromkeys(
            signal.at
            for zone in self.zones
            for signal in signals_of(zone)
            if signal.source == source
        )
        heartbeat = self.sources[source].heartbeat
        return (*found, heartbeat.at) if heartbeat is not None else tuple(found)


def signals_of(zone: ZoneFile) -> tuple[SignalFile, ...]:
    """All of a zone."""
    return (*zone.stop, zone.reset, zone.clear)


def modbus_place(text: str) -> tuple[str, int, int]:
    """`coil:3`, `discrete:7`, `holding:2.5`, `input:2`: table, address from 0, bit (-1: the word).
    Raises ValueError."""
    match = PLACE.match(text)
    if match is None or int(match[2]) > ADDRESS_MAX or int(match[3] or 0) > 15:
        raise ValueError(f"{text!r} -> coil:3, discrete:7, holding:2.5 (bit 5) or input:2")
    if match[3] is not None and match[1] not in WORDS:
        raise ValueError(f"{text!r}: a {match[1]} is one bit -> {match[1]}:{match[2]}")
    return match[1], int(match[2]), int(match[3]) if match[3] is not None else -1


def _place(source: SourceFile, at: str, where: str) -> None:
    if source.modbus:
        try:
            modbus_place(at)
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from error
    elif not re.match(r"^(ns=\d+;)?[isgb]=.+$", at):
        raise ValueError(f"{where}: {at!r} is no node id -> ns=2;s=Line1.EStopOk")


def read_mapping(path: Path) -> SafetyFile:
    """Raises `MappingError`, with everything that is wrong."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise MappingError(f"{path}: can't be read: {error}") from error
    found, wrong = read_model(text, path.name, SafetyFile)
    if found is None:
        rows = [f"{each.file}: {each.path}: {each.text}" for each in wrong]
        raise MappingError("\n  ".join(rows) + "\n-> docs/safety.md explains each key")
    return found
