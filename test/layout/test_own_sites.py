"""What the sites of the repository promise about wrong goods."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.layout import load_site

SITES = Path(__file__).resolve().parents[2] / "sites"


@pytest.mark.parametrize("name", ["jd_small", "jd_medium"])
def test_a_tote_that_reads_as_another_one_gets_no_new_label(name: str) -> None:
    steps = load_site(SITES / name).site.order_types["inbound"].steps
    plan = steps["identify"].recovery("misread")
    assert plan is not None
    targets = {stage.then for stage in plan.stages} | {plan.otherwise}
    assert targets == {"identify", "quarantine"}
    others = steps["identify"].recovery("unreadable")
    assert others is not None
    mends = {stage.then for stage in others.stages} | {others.otherwise}
    assert mends & {"relabel", "aside"}, "but one without a label does"


@pytest.mark.parametrize("name", ["jd_small", "jd_medium"])
def test_a_new_label_of_a_tote_is_read(name: str) -> None:
    steps = load_site(SITES / name).site.order_types["inbound"].steps
    relabelled = steps["relabel"].recovery("ok")
    assert relabelled is not None and not steps["relabel"].then
    assert all(steps[stage.then].do == "inspect" for stage in relabelled.stages)


@pytest.mark.parametrize("name", ["jd_small", "jd_medium"])
def test_every_parcel_is_scanned_behind_its_label(name: str) -> None:
    """However it gets its label, the scan follows; and no outcome of the scan leads past it."""
    steps = load_site(SITES / name).site.order_types["outbound"].steps
    assert steps["label"].then == ("scan",) and "ok" not in steps["label"].outcomes
    ways = [step.id for step in steps.values() if "label" in step.then]
    assert ways and [step.id for step in steps.values() if "sort" in step.then] == ["scan"]
    for plan in steps["scan"].outcomes.values():
        targets = {stage.then for stage in plan.stages} | {plan.otherwise}
        assert targets <= {"scan", "label", "quarantine"}
