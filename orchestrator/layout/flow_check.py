"""Is the flow of a site complete: every name defined, every end reached, every machine there?"""

from __future__ import annotations

from orchestrator.layout.findings import Finding, listed
from orchestrator.layout.flow_file import RecoveryFile, StepFile
from orchestrator.layout.site_file import SiteFile

END, REINDUCT = "quarantine", "reinduct"


def check(spec: SiteFile, file: str) -> list[Finding]:
    """Findings over all order types."""
    found: list[Finding] = []
    capabilities = {name for station in spec.stations for name in station.capabilities}
    for kind, steps in spec.flow.items():
        path = f"flow.{kind}"
        if not steps:
            found.append(Finding("error", file, path, "has no steps", "add at least one"))
            continue
        found += _names(steps, path, file)
        found += _reach(steps, path, file)
        found += _circles(steps, path, file)
        found += _ways_back(steps, path, file)
        for name, step in steps.items():
            where = f"{path}.{name}.needs"
            if step.do in ("work", "inspect") and step.needs not in capabilities:
                text = f"no station can {step.needs!r}"
                mend = "add the capability to a station, or mend the step"
                found.append(Finding("error", file, where, text, mend))
            if step.task:
                found += _task(steps, step, file, f"{path}.{name}")
            if step.wait_minutes and (kind != REINDUCT or step.do != "work"):
                text = "only work of `reinduct` can wait: nobody cancels it meanwhile"
                place = f"{path}.{name}.wait_minutes"
                found.append(Finding("error", file, place, text, "leave it out"))
            if step.do == "carry" and not step.to:
                mend = "one of slot, station, home, chute, stop"
                text = "says not where to carry to"
                found.append(Finding("error", file, f"{path}.{name}.to", text, mend))
            if step.do == "carry":
                found += _carriers(spec, step, file, where)
    return found


def _task(steps: dict[str, StepFile], step: StepFile, file: str, path: str) -> list[Finding]:
    """A camera can be asked this here."""
    if step.do != "inspect":
        text, mend = "only an `inspect` step asks a camera", "leave it out"
        return [Finding("error", file, f"{path}.task", text, mend)]
    if step.task != "read_label" and not step.per_line:
        text = f"{step.task!r} is about one line's goods, and the step about the whole order"
        return [Finding("error", file, f"{path}.task", text, "make the step `per_line: true`")]
    if step.task == "verify_pick" and any(other.start == "dock" for other in steps.values()):
        text = "'verify_pick' looks into an order's box, and these orders bring totes"
        return [Finding("error", file, f"{path}.task", text, "use 'identify_item'")]
    return []


def _carriers(spec: SiteFile, step: StepFile, file: str, where: str) -> list[Finding]:
    """A fleet takes such loads; one with a single place where the load stays on the robot."""
    fleets = spec.fleets.values()
    carriers = [fleet for fleet in fleets if not step.needs or step.needs in fleet.carries]
    if not carriers and step.needs:
        text, mend = f"no fleet carries {step.needs!r}", "add it to a fleet's `carries`"
        return [Finding("error", file, where, text, mend)]
    stays = step.to.partition(":")[0] in ("station", "stop")
    if stays and carriers and all(fleet.places > 1 for fleet in carriers):
        text = (
            f"the load stays on the robot at {step.to!r}, and all that carry it have several places"
        )
        return [Finding("error", file, where, text, "let a fleet with `places: 1` carry it")]
    return []


def _led_to(row: RecoveryFile) -> list[tuple[str, str]]:
    """Where a bad outcome leads to, and by which key."""
    if not row.plan:
        return [("then", row.then), ("otherwise", row.otherwise)]
    stages = [(f"plan.{number}.then", stage.then) for number, stage in enumerate(row.plan)]
    return [*stages, ("otherwise", row.otherwise)]


def _names(steps: dict[str, StepFile], path: str, file: str) -> list[Finding]:
    found: list[Finding] = []
    for name, step in steps.items():
        targets = [(f"{path}.{name}.then", target) for target in step.then]
        for outcome, row in step.outcomes.items():
            targets += [
                (f"{path}.{name}.outcomes.{outcome}.{key}", target)
                for key, target in _led_to(row)
                if target != END
            ]
        for where, target in targets:
            if target not in steps:
                mend = f"use one of {', '.join(steps)}"
                found.append(Finding("error", file, where, f"no step {target!r}", mend))
    return found


def _reach(steps: dict[str, StepFile], path: str, file: str) -> list[Finding]:
    first = next(iter(steps))
    seen, todo = {first}, [first]
    while todo:
        step = steps[todo.pop()]
        rows = step.outcomes.values()
        targets = [*step.then, *(target for row in rows for _, target in _led_to(row))]
        for target in targets:
            if target in steps and target not in seen:
                seen.add(target)
                todo.append(target)
    found = [
        Finding("error", file, f"{path}.{name}", "no other step leads here", "name it in a `then`")
        for name in steps
        if name not in seen
    ]
    if not any(steps[name].do == "finish" for name in seen):
        mend = "let the last step be {do: finish}"
        found.append(Finding("error", file, path, "an order of this type never ends", mend))
    for name, step in steps.items():
        if name in seen and step.do != "finish" and not step.then and "ok" not in step.outcomes:
            text = "nothing follows, and it is not a finish"
            found.append(Finding("error", file, f"{path}.{name}.then", text, "name what follows"))
    return found


def _circles(steps: dict[str, StepFile], path: str, file: str) -> list[Finding]:
    """Steps that good outcomes lead back to would wait for themselves, or never end. (The ways back
    of bad outcomes are bounded by their `tries`.)"""
    waits = {name: 0 for name in steps}
    for step in steps.values():
        for target in step.then:
            if target in waits:
                waits[target] += 1
    ready = [name for name, count in waits.items() if not count]
    while ready:
        for target in steps[ready.pop()].then:
            if target in waits:
                waits[target] -= 1
                if not waits[target]:
                    ready.append(target)
    left = [name for name, count in waits.items() if count]
    if not left:
        return []
    text = f"a circle of `then`: {listed(left)} wait for each other"
    return [Finding("error", file, path, text, "lead back by an outcome with `tries` only")]


def _ways_back(steps: dict[str, StepFile], path: str, file: str) -> list[Finding]:
    """A bad outcome runs steps again. Where the flow forks or joins on the way from there, others would
    be begun twice or waited for in vain."""
    found: list[Finding] = []
    waits = [target for step in steps.values() for target in step.then]
    for name, step in steps.items():
        for outcome, row in step.outcomes.items():
            for key, target in _led_to(row):
                where = f"{path}.{name}.outcomes.{outcome}.{key}"
                if target not in steps:
                    continue
                if steps[target].per_line != step.per_line:
                    text = f"{name} and {target} are not both per_line"
                    mend = "lead to a step that is per_line as this one is, or is not as this one"
                    found.append(Finding("error", file, where, text, mend))
                ways = _onward(steps, target) & _back(steps, name)
                parts = [s for s in steps if s in ways]
                forks = [s for s in parts if s != name and len(steps[s].then) > 1]
                joins = [s for s in parts if s != target and waits.count(s) > 1]
                if forks or joins:
                    places = listed(forks + joins)
                    text = f"the way from {target} back to {name} forks or joins at {places}"
                    mend = "lead back to a step behind that"
                    found.append(Finding("error", file, where, text, mend))
    return found


def _onward(steps: dict[str, StepFile], first: str) -> set[str]:
    """All that good outcomes lead to from here, itself included."""
    seen, todo = {first}, [first]
    while todo:
        for target in steps[todo.pop()].then:
            if target in steps and target not in seen:
                seen.add(target)
                todo.append(target)
    return seen


def _back(steps: dict[str, StepFile], last: str) -> set[str]:
    """All from which good outcomes lead here, itself included."""
    return {name for name in steps if last in _onward(steps, name)}
