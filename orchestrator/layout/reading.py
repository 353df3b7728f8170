"""YAML into pydantic models, with findings that name key and line."""

from __future__ import annotations

from typing import Any, TypeVar

import yaml
from pydantic import AfterValidator, BaseModel, ValidationError

from orchestrator.layout.findings import Finding

FORMAT = 1
PAGE = "docs/site-file.md"
M = TypeVar("M", bound=BaseModel)


def at_least(count: int) -> AfterValidator:
    """So many items. (pydantic's min_length takes items that failed by themselves as lacking.)"""

    def check(items: tuple[Any, ...]) -> tuple[Any, ...]:
        if len(items) < count:
            raise ValueError(f"holds {len(items)} items, must hold at least {count}")
        return items

    return AfterValidator(check)


def read_model(
    text: str, file: str, model: type[M], page: str = PAGE
) -> tuple[M | None, list[Finding]]:
    """Parse and validate. None where anything is wrong. `page`: describes the file."""
    raw, found = read_yaml(text, file)
    if found:
        return None, found
    if not isinstance(raw, dict):
        mend = f"begin with `format: {FORMAT}`"
        return None, [Finding("error", file, "line 1", "holds no keys and values", mend)]
    version = raw.get("format")
    if isinstance(version, int) and version > FORMAT:
        what = f"format {version} is newer than this Lightsout, which knows {FORMAT}"
        return None, [Finding("error", file, "format", what, "update Lightsout")]
    try:
        parsed = model.model_validate(raw)
    except ValidationError as error:
        return None, [finding_of(one, file, text, (), page) for one in error.errors()]
    if version != FORMAT:
        mend = f"write `format: {FORMAT}`"
        return None, [Finding("error", file, "format", f"format {version!r} is unknown", mend)]
    return parsed, []


def read_yaml(text: str, file: str) -> tuple[Any, list[Finding]]:
    """Parse YAML; a syntax error names its line, and so does a key that stands twice."""
    try:
        found = _twice(yaml.compose(text, Loader=yaml.SafeLoader), file)
        return yaml.safe_load(text), found
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "line 1"
        mend = "mend the YAML there; indentation and colons are the usual suspects"
        return None, [Finding("error", file, place, f"broken YAML: {error.problem}", mend)]
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        what = f"broken YAML: {str(error).splitlines()[0] if str(error) else 'unreadable'}"
        return None, [Finding("error", file, "line 1", what, "mend the file")]


def _twice(root: yaml.Node | None, file: str) -> list[Finding]:
    """YAML readers take the last of two equal keys, silently; here that is an error."""
    found: list[Finding] = []
    todo, seen = [root] if root else [], set()
    while todo:
        node = todo.pop()
        if id(node) in seen:  # an alias
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            todo += node.value
        elif isinstance(node, yaml.MappingNode):
            known: set[str] = set()
            for key, value in node.value:
                todo.append(value)
                if not isinstance(key, yaml.ScalarNode) or key.tag == "tag:yaml.org,2002:merge":
                    continue
                if key.value in known:
                    place, what = f"line {key.start_mark.line + 1}", f"{key.value!r} stands twice"
                    found.append(Finding("error", file, place, what, "keep one of them"))
                known.add(key.value)
    return found


def finding_of(
    problem: Any,
    file: str,
    text: str,
    below: tuple[str, ...] = (),
    page: str = PAGE,
) -> Finding:
    """What pydantic found; `below`: the keys that lead to what it looked at."""
    keys = (*below, *problem["loc"])
    path = ".".join(str(part) for part in keys)
    what, mend = problem["msg"].removeprefix("Value error, "), f"see {page} for this key"
    if problem["type"] == "extra_forbidden":
        what, mend = f"unknown key {problem['loc'][-1]!r}", "remove it, or mend its spelling"
    elif problem["type"] == "missing":
        what, mend = "missing", f"add `{problem['loc'][-1]}:`"
    line = line_of(text, keys)
    return Finding("error", file, f"{path} (line {line})" if line else path, what, mend)


def line_of(text: str, path: tuple[int | str, ...]) -> int:
    """The line where the deepest part of `path` that exists stands; 0 if unknown."""
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    line = 0
    for part in path:
        found = None
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.value == str(part):
                    line, found = key.start_mark.line + 1, value
        elif isinstance(node, yaml.SequenceNode) and part in range(len(node.value)):
            found = node.value[int(part)]
            line = found.start_mark.line + 1
        if found is None:
            break
        node = found
    return line
