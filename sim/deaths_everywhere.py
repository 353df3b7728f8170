"""A robot dies for good at every node of the traffic core, one run each: nothing may touch, break or
stand for ever, orders go on elsewhere meanwhile, and everywhere after the maintenance window."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from orchestrator.journal import RunReader
from sim.recipe import Recipe
from sim.recorded import record
from sim.verification import verify

DEATH_S = 240  # from then on the first robot that comes by dies
AFTER_MINUTES = 25  # so long a run goes on behind the window


def nodes(recipe: Recipe) -> list[str]:
    """The nodes of the core on which some fleet drives."""
    roadmap = recipe.load().site.roadmap
    heads = {roadmap.edge_head[edge] for edge in range(roadmap.edges)}
    return [
        name
        for node, name in enumerate(roadmap.node_ids)
        if roadmap.node_bay[node] < 0 and node in heads
    ]


def at(recipe: Recipe, node: str, window_minutes: int) -> Recipe:
    """The run in which a robot dies at the node, no restart helps, and a person may enter only after
    so many minutes."""
    site = yaml.safe_load(recipe.files["site.yaml"])
    policy = {"restart_tries": 1, "maintenance_every_minutes": window_minutes}
    site["policy"] = site.get("policy", {}) | policy
    files = recipe.files | {"site.yaml": yaml.safe_dump(site, sort_keys=False)}
    dies = {"at": [{"node": node, "after_s": DEATH_S}], "restart_success": 0.0}
    faults = yaml.safe_dump({"format": 1, "robot_dies": dies})
    hours = (window_minutes + AFTER_MINUTES) / 60
    return replace(recipe, files=files, faults=faults, hours=hours)


def one(recipe: Recipe, node: str) -> dict[str, Any]:
    """Simulate and judge; what breaks is a finding, not an exception."""
    result: dict[str, Any] = {"node": node, "findings": []}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "death.run"
        try:
            record(recipe, path)
            with RunReader(path) as reader:
                verdict = verify(reader)
                facts = [(time_ns, kind, fact) for _, time_ns, kind, fact in reader.truth()]
        except Exception as error:
            return {**result, "findings": [f"{type(error).__name__}: {error}"]}
    result["findings"] = [str(row) for row in verdict.findings.as_json()["rows"]]
    result["overdue"] = verdict.figures["overdue_at_end"]
    result["touched"] = verdict.figures["orders_touched"]
    return result | judge(facts, result["findings"])


def judge(facts: Iterable[tuple[int, str, dict[str, Any]]], findings: list[str]) -> dict[str, Any]:
    """From ground truth: did it die, was it brought back, did orders end meanwhile and afterwards?"""
    died_ns = ended_ns = -1
    closed: list[int] = []
    for time_ns, kind, fact in facts:
        if kind == "fault" and died_ns < 0:
            died_ns = time_ns
        elif kind == "fault_ended":
            ended_ns = time_ns
        elif kind == "order_closed" and fact["status"] == "done":
            closed.append(time_ns)
    if died_ns < 0:
        return {"died": False}
    if ended_ns < 0:
        findings.append("the dead robot was never brought back")
        return {"died": True}
    after = sum(time_ns > ended_ns for time_ns in closed)
    if not after:
        findings.append("no order ended after the robot was brought back")
    meanwhile = sum(died_ns < time_ns <= ended_ns for time_ns in closed)
    minutes = round((ended_ns - died_ns) / 60e9, 1)
    return {"died": True, "minutes": minutes, "done_meanwhile": meanwhile, "done_after": after}


def everywhere(
    recipe: Recipe,
    window_minutes: int,
    jobs: int,
    report: Callable[[dict[str, Any]], None],
    chosen: Iterable[str] = (),
) -> list[dict[str, Any]]:
    """All nodes of the core (or those chosen), `jobs` runs at a time, in the layout's sequence."""
    wanted = list(chosen) or nodes(recipe)
    rows: dict[str, dict[str, Any]] = {}
    with ProcessPoolExecutor(jobs) as pool:
        todo = [pool.submit(one, at(recipe, node, window_minutes), node) for node in wanted]
        for future in as_completed(todo):
            row = future.result()
            rows[row["node"]] = row
            report(row)
    return [rows[node] for node in wanted]
