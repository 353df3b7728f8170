"""The server's connection, whatever it is made of."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol


class Counts(Protocol):
    """What went through a connection."""

    @property
    def received(self) -> int:
        """Messages."""

    @property
    def sent(self) -> int:
        """Messages."""

    @property
    def inbox_dropped(self) -> int:
        """To make room."""

    @property
    def inbox_refused(self) -> int:
        """For lack of room."""


class Link(Protocol):
    """As `mqtt.client.MqttLink`."""

    connected: bool

    @property
    def counters(self) -> Counts:
        """So far."""

    def publish(self, topic: str, payload: bytes, qos: int = 0, retain: bool = False) -> bool:
        """Send as soon as possible; False: there is no room."""

    def subscribe(self, pattern: str, qos: int = 0) -> None:
        """Ask for a topic filter."""

    def unsubscribe(self, pattern: str) -> None:
        """Ask for it no more."""

    def batches(self) -> AsyncIterator[list[tuple[str, bytes, bool]]]:
        """What comes in: topic, payload, retained."""
