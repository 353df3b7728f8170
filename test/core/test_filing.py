"""What is over is put on file: the core's memory does not grow with the orders that it has seen."""

from __future__ import annotations

from test_flow import Story
from test_set_aside import Slow

from orchestrator.core.books import books
from orchestrator.core.filing import EVERY_NS, tally
from orchestrator.core.messages import CloseOrder, Line

FILED_TICKS = EVERY_NS // 1_000_000_000 + 1


def test_orders_that_are_over_are_filed_and_the_books_still_know_them() -> None:
    # given a done order, one that was refused and one that was set aside
    story = Story()
    story.order("good", Line("SKU-01", 1))
    story.ticks(200)
    story.order("odd", Line("NO-SUCH", 1))
    story.picks = ["failed"] * 4
    story.order("bad", Line("SKU-02", 1))
    story.ticks(200)
    before = books(story.world)["orders"]
    # when time passes
    story.ticks(FILED_TICKS)
    # then nothing of them is left but how they ended
    assert not story.world.orders
    assert books(story.world)["orders"] == before
    assert {name: entry.state for name, entry in story.world.filed.items()} == {
        "good": "done",
        "odd": "refused",
        "bad": "quarantined",
    }
    assert "NO-SUCH" in story.world.filed["odd"].reason
    assert tally(story.world) == {"done": 1, "refused": 1, "quarantined": 1}


def test_an_order_that_comes_again_after_it_was_filed_is_the_same_order() -> None:
    story = Story()
    story.order("o1", Line("SKU-01", 1))
    story.ticks(FILED_TICKS)
    assert "o1" in story.world.filed
    story.order("o1", Line("SKU-01", 1))
    story.ticks(200)
    assert len([c for c in story.seen if isinstance(c, CloseOrder)]) == 1
    assert not story.world.orders


def test_an_order_is_not_filed_while_a_tote_of_it_is_on_its_way_home() -> None:
    # given an order that was set aside, and whose totes are still out for it
    story = Slow()
    story.slow = {"pick"}
    story.order("o1", Line("SKU-01", 1), Line("SKU-02", 1))
    story.fail_pick()
    assert story.closed() == {"o1": "quarantined"}
    # when the books are tidied before they are back
    story.world.file_ns = 0
    story.ticks(1)
    assert any(tote.user for tote in story.world.stock.totes.values())
    # then it stays, until they are
    assert "o1" in story.world.orders
    story.ticks(FILED_TICKS)
    assert not any(tote.user for tote in story.world.stock.totes.values())
    assert "o1" in story.world.filed and not story.world.orders
