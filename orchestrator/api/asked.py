"""A request as people write it, made one that the core's messages know.

Times: `due_in_s` (seconds from now) or `due_at` (UTC) instead of `due_ns`; `cutoff_in_s`, `cutoff_at`:
when the carrier leaves; the earlier one counts. Places: `box_m`, a rectangle in metres, for `nodes`.
Lines: objects as well as pairs. What nobody knows is refused, and not ignored: a pause of "robots"
instead of "robot" would be one of everybody.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import msgspec

from orchestrator.api.naming import Naming, Unnamed
from orchestrator.vda5050 import times
from orchestrator.vda5050.errors import RemoteError

DUE_S_MAX = 1e7
SCOPES = ("robot", "fleet", "zone")
TIMES = ("ns", "in_s", "at")


class Asked:
    """What may be asked for on one topic (`kinds`: a union of messages)."""

    def __init__(
        self, naming: Naming, kinds: Any, times_ns: Callable[[], tuple[int, int]], topic: str
    ) -> None:
        """`times_ns`: the run's time, and UTC."""
        self._naming, self._times_ns, self._topic = naming, times_ns, topic
        self._fields = {
            kind.__struct_config__.tag: {f.name for f in msgspec.structs.fields(kind)}
            for kind in get_args(kinds)
        }

    def plain(self, raw: dict[str, Any]) -> dict[str, Any]:
        """With the core's fields, and names. Raises `Unnamed`."""
        fields = self._fields_of(raw)
        found = dict(raw)
        if "due_ns" in fields:
            moments = [self._moment(found, name) for name in ("due", "cutoff")]
            found |= {"due_ns": min(given)} if (given := [m for m in moments if m]) else {}
        if "nodes" in fields:
            self._nodes(found)
        if isinstance(found.get("lines"), list):
            found["lines"] = [_line(line) for line in found["lines"]]
        unknown = [key for key in found if key not in fields and key != "type"]
        if unknown:
            known = ", ".join(sorted(fields))
            raise Unnamed(f"{unknown[0][:60]}: {raw['type']} has no such field -> it has {known}")
        scopes = [key for key in SCOPES if key in found]
        if len(scopes) > 1 and fields.issuperset(SCOPES):
            raise Unnamed(f"{scopes[0]} and {scopes[1]}: name one of them -> ask twice for both")
        return found

    def _fields_of(self, raw: dict[str, Any]) -> set[str]:
        kind = raw.get("type")
        if not isinstance(kind, str) or kind not in self._fields:
            known = ", ".join(self._fields)
            text = f"type: {str(kind)[:60]!r} is nothing that is asked for on {self._topic}"
            raise Unnamed(f"{text} -> here: {known}")
        return self._fields[kind]

    def _moment(self, found: dict[str, Any], name: str) -> int:
        """In the run's time; 0: nothing is said. What is no number is left where it is."""
        given = [key for end in TIMES if (key := f"{name}_{end}") in found]
        if len(given) > 1:
            raise Unnamed(f"{given[0]} and {given[1]}: a {name} time is said once -> leave one out")
        key = given[0] if given else ""
        run_ns, utc_ns = self._times_ns()
        if key.endswith("_in_s"):
            seconds = found.pop(key)
            number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
            if not number or not 0 <= seconds <= DUE_S_MAX:
                text = f"{key}: {str(seconds)[:40]} -> seconds from now, 0 to {DUE_S_MAX:g}"
                raise Unnamed(text)
            return run_ns + round(float(seconds) * 1e9)
        if key.endswith("_at"):
            moment: int = run_ns + _utc(key, found.pop(key)) - utc_ns
            if moment <= 0:
                raise Unnamed(f"{key}: lies before the run began -> a later time")
            return moment
        value = found.get(key, 0)
        number = isinstance(value, int) and not isinstance(value, bool)
        return max(0, int(value)) if number else 0

    def _nodes(self, found: dict[str, Any]) -> None:
        if "box_m" not in found:
            return
        box = found.pop("box_m")
        if "nodes" in found:
            raise Unnamed("nodes and box_m: say once which nodes belong to it -> leave one out")
        try:
            corners = msgspec.convert(box, tuple[float, float, float, float])
        except msgspec.ValidationError as error:
            raise Unnamed("box_m: is no rectangle -> [x, y, x, y] of two corners, in m") from error
        found["nodes"] = [self._naming.name("node", node) for node in self._naming.inside(corners)]
        if not found["nodes"]:
            raise Unnamed("box_m: there is no node in it -> a larger rectangle, in m")


def _line(line: Any) -> Any:
    if not isinstance(line, dict):
        return line
    if set(line) != {"sku", "quantity"}:
        raise Unnamed('lines: a line is {"sku": "A", "quantity": 2}, or ["A", 2]')
    return [line["sku"], line["quantity"]]


def _utc(key: str, value: Any) -> int:
    if not isinstance(value, str):
        raise Unnamed(f"{key}: is no time -> UTC, as 2030-01-31T12:00:00Z")
    try:
        return times.parse(value)
    except RemoteError as error:
        raise Unnamed(f"{key}: {value[:40]!r} is no time -> as 2030-01-31T12:00:00Z") from error
