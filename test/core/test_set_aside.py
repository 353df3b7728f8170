"""Orders that are set aside while other parts of them are still going on."""

from __future__ import annotations

from collections import deque

from test_flow import Story
from test_races import held_back

from orchestrator.core.messages import (
    CommandRefused,
    ExtendBase,
    Line,
    StartWork,
    WorkEnded,
)


class Slow(Story):
    """Machines end when told to."""

    def __init__(self, totes: int = 2, quantity: int = 10) -> None:
        self.slow: set[str] = set()  # capabilities that wait for `end`
        self.works: deque[StartWork] = deque()
        super().__init__(totes, quantity)

    def answer(self, command: object) -> list[object]:
        if isinstance(command, StartWork) and command.capability in self.slow:
            self.works.append(command)
            return []
        return super().answer(command)

    def end(self, outcome: str = "ok", quantity: int = 0) -> StartWork:
        work = self.works.popleft()
        self.say(WorkEnded(work=work.work, outcome=outcome, quantity=quantity))
        return work

    def until_work(self) -> StartWork:
        for _ in range(200):
            if self.works:
                return self.works[0]
            self.ticks(1)
        raise AssertionError("no work was begun")

    def fail_pick(self) -> None:
        for _ in range(4):
            self.until_work()
            self.end("failed")


def test_the_other_lines_of_an_order_set_aside_end_and_their_totes_go_home() -> None:
    story = Slow()
    story.slow = {"pick"}
    story.order("o1", Line("SKU-01", 1), Line("SKU-02", 1))
    first = story.until_work()
    story.fail_pick()
    assert story.closed() == {"o1": "quarantined"}
    story.slow = set()
    while story.works:
        story.end("ok", 1)
    story.ticks(200)
    totes = story.world.stock.totes.values()
    assert [(t.place[0], t.reserved, t.user) for t in totes] == [("slot", 0, None)] * 2
    assert not story.world.orders["o1"].active
    picks = [c for c in story.seen if isinstance(c, StartWork) and c.capability == "pick"]
    assert {pick.load for pick in picks} == {first.load}, "nothing more is picked for it"


def test_orders_set_aside_leave_their_places_to_others() -> None:
    story = Story()
    for number in range(4):
        story.picks = ["failed"] * 4
        story.order(f"bad{number}", Line("SKU-01", 1))
        story.ticks(60)
    story.order("good", Line("SKU-01", 1))
    story.ticks(200)
    assert story.closed()["good"] == "done", story.closed()
    assert [state.used for state in story.world.stations] == [0] * len(story.world.stations)


def test_a_pack_that_fails_leaves_room_on_the_out_buffer() -> None:
    story = Slow()
    story.slow = {"pack"}
    for number in range(9):
        story.order(f"bad{number}", Line("SKU-01", 1))
        story.until_work()
        story.end("failed")
    story.slow = set()
    story.order("good", Line("SKU-01", 1))
    story.ticks(200)
    assert story.closed()["good"] == "done", story.closed()


def test_an_arm_that_counts_more_than_the_books_is_believed_and_breaks_nothing() -> None:
    story = Slow(totes=1, quantity=2)
    story.slow = {"pick"}
    story.order("o1", Line("SKU-01", 1))
    story.order("o2", Line("SKU-01", 1))
    story.until_work()
    story.end("short", 0)  # wrongly: there are two in it
    story.until_work()
    story.end("ok", 1)
    story.ticks(200)
    assert story.closed() == {"o1": "quarantined", "o2": "done"}


def test_a_count_beyond_what_was_asked_for_does_not_stop_the_house() -> None:
    story = Slow(totes=1, quantity=3)
    story.slow = {"pick"}
    story.order("o1", Line("SKU-01", 1))
    story.until_work()
    story.end("ok", 5)
    story.ticks(200)
    assert story.closed() == {"o1": "done"}


def test_two_releases_of_one_robot_refused_at_once_leave_it_where_the_gate_sees_it() -> None:
    story = Story()
    held = held_back(story, ExtendBase)
    story.order("o1", Line("SKU-01", 1))
    story.ticks(3)
    assert held
    first = held[0]
    before = story.world.traffic.at[first.robot]
    half = len(first.edges) // 2
    assert half
    story.say(
        CommandRefused(robot=first.robot, reason="test", edges=first.edges[:half]),
        CommandRefused(robot=first.robot, reason="test", edges=first.edges[half:]),
    )
    again = [c for c in held if c.robot == first.robot][1:]
    roadmap = story.loaded.site.roadmap
    assert again and roadmap.edge_tail[again[0].edges[0]] == before
    released = [move.edge for move in story.world.traffic.released[first.robot]]
    assert released == [edge for command in again for edge in command.edges]
