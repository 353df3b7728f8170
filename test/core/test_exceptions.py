"""Stories of exceptions: each is opened once, its tries are told, and it ends."""

from __future__ import annotations

from collections import Counter

from test_flow import Story

from orchestrator.core import exceptions, invariants
from orchestrator.core.messages import Line, NoteException, RobotFaulted, RobotRecovered


def notes(story: Story) -> list[tuple[str, str, str, str]]:
    """Kind, subject, phase and how, in sequence."""
    told = [c for c in story.seen if isinstance(c, NoteException)]
    return [(c.kind, c.subject, c.phase, c.how) for c in told]


def ends(story: Story) -> Counter[tuple[str, str]]:
    """How many of which kind ended how."""
    return Counter((kind, how) for kind, _, phase, how in notes(story) if phase == "ended")


def test_a_bad_outcome_opens_one_exception_each_try_is_told_and_the_good_end_resolves_it() -> None:
    story = Story()
    story.picks = ["failed", "failed"]
    story.order("o1", Line("SKU-01", 1))
    story.ticks(200)
    assert notes(story) == [
        ("failed", "o1:pick.0", "opened", ""),
        ("failed", "o1:pick.0", "retried", ""),
        ("failed", "o1:pick.0", "ended", "resolved"),
    ]
    assert len({c.number for c in story.seen if isinstance(c, NoteException)}) == 1
    assert not story.world.problems and story.world.ended == {("failed", "resolved"): 1}


def test_quarantine_is_an_end_too_and_nothing_of_it_stays_in_memory() -> None:
    story = Story()
    story.picks = ["failed"] * 4
    story.order("o1", Line("SKU-01", 1))
    story.ticks(200)
    assert story.closed() == {"o1": "quarantined"}
    assert ends(story) == {("failed", "quarantined"): 1}
    assert not story.world.problems and not story.world.orders["o1"].problems


def test_a_robot_that_can_not_take_a_tote_is_an_exception_until_it_or_another_one_does() -> None:
    story = Story()
    story.actions = ["failed"] * 7
    story.order("o1", Line("SKU-01", 1))
    story.ticks(200)
    assert story.closed() == {"o1": "done"}
    about = [(subject, phase, how) for kind, subject, phase, how in notes(story)]
    assert about == [
        ("t0", "opened", ""),
        *[("t0", "retried", "")] * 6,
        ("t0", "ended", "resolved"),
    ]
    assert ends(story) == {("handling_failed", "resolved"): 1}


def test_a_tote_that_nobody_can_set_down_is_told_of_also_when_its_order_is_over() -> None:
    story = Story()
    story.picks = ["failed"] * 4
    story.order("o1", Line("SKU-01", 1))
    while "o1" not in story.closed():
        story.ticks(1)
    story.actions = ["failed"] * 9
    story.ticks(60)
    assert story.world.stock.totes["t0"].place[0] == "slot"
    assert ends(story)["handling_failed", "resolved"] == 1 and not story.world.problems


def test_a_tote_that_no_robot_can_take_ends_with_its_order() -> None:
    story = Story()
    story.actions = ["failed"] * 18
    story.order("o1", Line("SKU-01", 1))
    story.ticks(120)
    assert ends(story) == {("handling_failed", "quarantined"): 1}


def test_the_same_problem_again_is_a_new_exception_once_the_first_has_ended() -> None:
    story = Story()
    for _ in range(2):
        story.say(RobotFaulted(robot=0, reason="test"), RobotRecovered(robot=0))
    assert [row[2] for row in notes(story)] == ["opened", "ended"] * 2
    numbers = [c.number for c in story.seen if isinstance(c, NoteException)]
    assert numbers[0] == numbers[1] < numbers[2] == numbers[3]


def test_trying_or_ending_what_is_not_open_changes_nothing() -> None:
    story = Story()
    exceptions.tried(story.world, "failed", "nobody")
    exceptions.ended(story.world, "failed", "nobody", "resolved")
    assert not story.world.out and not story.world.ended


def test_an_exception_that_outlives_its_order_breaks_an_invariant() -> None:
    story = Story()
    story.order("o1", Line("SKU-01", 1))
    exceptions.opened(story.world, "failed", "o1:pick.0", "o1")
    assert not invariants.check(story.world)
    story.world.orders["o1"].state = "done"
    assert "is open, its order o1 is done" in "; ".join(invariants.check(story.world))
