"""From signals to stops, resets and clears; sans I/O.

Everything begins stopped: what is not known is as bad as what is bad. A zone runs again when none of
its stop signals is on, and since then somebody has reset it (the reset signal has begun) and it was
told to be clear. What is on again meanwhile begins all over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from orchestrator.api.published import SafetyLink, SafetyStatus, StoppedZone, root
from orchestrator.core.messages import EmergencyReset, EmergencyStopped, ZoneCleared
from orchestrator.safety.mapping import SafetyFile, SignalFile, ZoneFile, signals_of

SECOND_NS = 1_000_000_000
STATUS_NS = SECOND_NS  # so often the bridge says that it is there
QOS = 1
Value = bool | int | float | str | None
Publish = Callable[[str, bytes, int, bool], object]


@dataclass(slots=True)
class Zone:
    """One zone, and what was told of it since its last stop."""

    file: ZoneFile
    stopped: bool = True
    reset: bool = False
    clear: bool = False
    pressed: bool = True  # the reset signal, last time; it must be seen off before it counts
    why: str = "the bridge has just begun"


@dataclass(slots=True)
class Source:
    """What a controller says. `lost`: why it can't be believed; "": it can."""

    heartbeat: str
    within_ns: int
    lost: str = "not heard of yet"
    values: dict[str, Value] = field(default_factory=dict)
    beat: Value = None
    beat_ns: int = -1


class Bridge:
    """One bridge. `say`: for people."""

    def __init__(self, mapping: SafetyFile, publish: Publish, say: Callable[[str], None]) -> None:
        self._publish, self._say = publish, say
        self._root = f"{root(mapping.site)}/safety"
        self.events_topic, self.status_topic = f"{self._root}/events", f"{self._root}/status"
        self.link_topic = f"{self._root}/link"
        self.sources = {
            name: Source(
                heartbeat=each.heartbeat.at if each.heartbeat else "",
                within_ns=round(each.heartbeat.within_s * SECOND_NS) if each.heartbeat else 0,
            )
            for name, each in mapping.sources.items()
        }
        self.zones = [Zone(zone) for zone in mapping.zones]
        self._down = "no connection to the broker yet"
        self._all_stopped = False  # the master has stopped everything, for lack of us
        self._told_ns = -STATUS_NS

    # --- what comes in ---------------------------------------------------------------------------

    def read(self, now_ns: int, source: str, values: Mapping[str, Value]) -> None:
        """All values of a controller; None: one that it says is no good."""
        known = self.sources[source]
        known.values = dict(values)
        known.lost = self._beats(now_ns, known)
        self._look(now_ns)

    def lost(self, now_ns: int, source: str, reason: str) -> None:
        """A controller is not heard."""
        known = self.sources[source]
        if known.lost != reason:
            self._say(f"{source}: {reason}")
        known.lost, known.beat_ns = reason, -1
        known.values.clear()
        self._look(now_ns)

    def up(self, now_ns: int) -> None:
        """Connected to the broker: whoever hears us knows where we stand."""
        self._down = ""
        for zone in self.zones:
            if zone.stopped:
                self._stop(zone, zone.why)
        self._status(now_ns)
        self._look(now_ns)

    def down(self, now_ns: int, reason: str) -> None:
        """Not connected: nobody would hear of a stop. What ran must be reset."""
        self._down = f"no connection to the broker: {reason}"
        self._look(now_ns)

    def message(self, now_ns: int, topic: str, payload: bytes) -> None:
        """The master says whether it stopped everything for lack of us."""
        if topic != self.link_topic:
            return
        try:
            said = msgspec.json.decode(payload, type=SafetyLink)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            return
        before, self._all_stopped = self._all_stopped, said.state == "stopped"
        if self._all_stopped and not before:
            for zone in self.zones:
                if not zone.stopped:
                    self._stop(zone, f"the master has stopped: {said.reason[:200]}")
        self._look(now_ns)

    def tick(self, now_ns: int) -> None:
        """A few times a second: heartbeats that stay away, and our own."""
        for name, source in self.sources.items():
            late = source.beat_ns >= 0 and now_ns - source.beat_ns > source.within_ns
            if source.heartbeat and not source.lost and late:
                self.lost(now_ns, name, "its heartbeat stands still")
        self._look(now_ns)
        if not self._down and now_ns - self._told_ns >= STATUS_NS:
            self._status(now_ns)

    # --- what it means ---------------------------------------------------------------------------

    def _beats(self, now_ns: int, source: Source) -> str:
        if not source.heartbeat:
            return ""
        value = source.values.get(source.heartbeat)
        if value is not None and value != source.beat:
            first, source.beat, source.beat_ns = source.beat is None, value, now_ns
            return "its heartbeat has not changed yet" if first else ""
        if source.beat_ns < 0 or now_ns - source.beat_ns > source.within_ns:
            return "its heartbeat stands still"
        return source.lost

    def _look(self, now_ns: int) -> None:
        for zone in self.zones:
            reason = self._reason(zone.file)
            if reason:
                if not zone.stopped or zone.reset or zone.clear:
                    self._stop(zone, reason)
                zone.why, zone.pressed = reason, True
            elif zone.stopped:
                self._release(zone)
            else:
                zone.pressed = self._says(zone.file.reset, zone.file.reset.when)
        if self._all_stopped and not self._down and not any(zone.stopped for zone in self.zones):
            self._all_stopped = False
            self._tell(EmergencyReset())
            self._tell(ZoneCleared())
            self._say("all zones run: what the master stopped for lack of us is reset")
            self._status(now_ns)

    def _reason(self, zone: ZoneFile) -> str:
        """Why it must be stopped just now."""
        if self._down:
            return self._down
        for signal in signals_of(zone):
            source = self.sources[signal.source]
            if source.lost:
                return f"{signal.source}: {source.lost}"
            if not isinstance(source.values.get(signal.at), bool):
                return f"{signal.name}: has no value"
        on = [each.name for each in zone.stop if self._says(each, each.stops_when)]
        return ", ".join(on)

    def _says(self, signal: SignalFile, value: bool) -> bool:
        return self.sources[signal.source].values.get(signal.at) is value

    def _stop(self, zone: Zone, reason: str) -> None:
        zone.stopped, zone.reset, zone.clear, zone.pressed = True, False, False, True
        zone.why = reason
        self._say(f"{zone.file.zone or 'everything'} is stopped: {reason}")
        self._tell(EmergencyStopped(zone=zone.file.zone), nodes=zone.file.nodes)

    def _release(self, zone: Zone) -> None:
        """Nothing stops it any more: it waits for its reset and for being clear."""
        name, file = zone.file.zone, zone.file
        pressed = self._says(file.reset, file.reset.when)
        clear = self._says(file.clear, file.clear.when)
        if zone.clear and not clear:  # somebody went in again before it was reset
            self._stop(zone, f"{file.clear.name}: is not clear any more")
            return
        if pressed and not zone.pressed and not zone.reset:
            zone.reset = True
            self._tell(EmergencyReset(zone=name))
        zone.pressed = pressed
        if clear and not zone.clear:
            zone.clear = True
            self._tell(ZoneCleared(zone=name))
        if zone.reset and zone.clear:
            zone.stopped = False
            self._say(f"{name or 'everything'} may start again")

    def _tell(self, event: EmergencyStopped | EmergencyReset | ZoneCleared, **more: Any) -> None:
        body: dict[str, Any] = {"type": type(event).__name__, "zone": event.zone}
        body |= {key: list(value) for key, value in more.items() if value}
        self._publish(self.events_topic, msgspec.json.encode(body), QOS, False)

    def _status(self, now_ns: int) -> None:
        self._told_ns = now_ns
        rows = [
            StoppedZone(zone=zone.file.zone, nodes=list(zone.file.nodes), why=zone.why)
            for zone in self.zones
            if zone.stopped
        ]
        status = SafetyStatus(state="online", stopped=rows)
        self._publish(self.status_topic, msgspec.json.encode(status), QOS, True)


def will() -> bytes:
    """What the broker says of us when we are gone."""
    return msgspec.json.encode(SafetyStatus(state="offline"))
