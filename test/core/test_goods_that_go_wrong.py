"""Stories of wrong, damaged, fallen and missing units: evidence beats the books."""

from __future__ import annotations

from workshop import Workshop, flow

from orchestrator.core.messages import Line, WorkEnded


def totes(story: Workshop) -> dict[str, int]:
    return {tote.id: tote.quantity for tote in story.world.stock.totes.values()}


def test_a_damaged_unit_is_discarded_and_another_one_picked() -> None:
    """Given a camera that sees a broken unit in the box, when the arm has taken the line's two units
    out, then they are scrapped, two others picked, and the order is done."""
    story = Workshop()
    story.script = {"verify": ["damaged"], "discard": [{"quantity": 2}]}
    story.order()
    story.ticks(200)
    assert story.closed() == {"o1": "done"}
    assert [work.quantity for work in story.asked("discard")] == [0], "none of it stays in the box"
    assert [work.quantity for work in story.asked("pick")] == [2, 2]
    assert totes(story) == {"t0": 6, "t1": 10} and story.world.stock.units_out == 4
    assert story.funnel() == {"damaged": "resolved"}


def test_a_wrong_pick_corrects_the_tote_by_what_was_in_the_box() -> None:
    """Given an arm that took three for two, when the camera sees it and the box is emptied, then the
    books know that the tote holds one less."""
    story = Workshop()
    story.script = {"verify": ["mismatch"], "discard": [{"quantity": 3}]}
    story.order()
    story.ticks(200)
    assert story.closed() == {"o1": "done"}
    assert totes(story)["t0"] == 10 - 3 - 2 and story.funnel() == {"mismatch": "resolved"}


def test_a_pick_of_too_few_gives_the_unit_back_to_the_tote_it_never_left() -> None:
    story = Workshop()
    story.script = {"verify": ["mismatch"], "discard": [{"quantity": 1}]}
    story.order()
    story.ticks(200)
    assert story.closed() == {"o1": "done"} and totes(story)["t0"] == 10 - 1 - 2


def test_what_other_lines_have_in_the_box_stays_there() -> None:
    """Given an order of one SKU from two totes, when the second pick is damaged, then only its units
    go."""
    story = Workshop(totes=4, quantity=6)
    story.script = {"verify": ["ok", "damaged"]}
    story.slow = {"discard"}
    story.order("o1", Line("SKU-01", 8))
    work = story.until_asked("discard")
    picked = {pick.load: pick.quantity for pick in story.asked("pick")}[work.load]
    assert work.quantity == 8 - picked
    story.slow.add("pick")
    story.say(WorkEnded(work=work.work, quantity=picked))
    assert story.world.stock.boxes == {"o1": {"SKU-01": 8 - picked}}


def test_picking_and_discarding_has_an_end() -> None:
    story = Workshop()
    story.script = {"verify": ["damaged"] * 9, "discard": [{"quantity": 2}] * 9}
    story.order()
    story.ticks(300)
    assert story.closed() == {"o1": "quarantined"}
    assert "verify: damaged after 3 further tries" in story.world.orders["o1"].reason
    assert story.funnel() == {"damaged": "quarantined"}
    assert story.world.stock.totes["t0"].place[0] == "slot"


def test_where_no_stock_is_left_after_discarding_another_tote_is_fetched() -> None:
    story = Workshop(totes=4, quantity=2)
    story.script = {"verify": ["damaged"], "discard": [{"quantity": 2}]}
    story.script["pick"] = [{"quantity": 2}, {"outcome": "short", "quantity": 0}]
    story.order()
    story.ticks(300)
    assert story.closed() == {"o1": "done"}
    assert {work.load for work in story.asked("pick")} == {"t0", "t2"}
    assert "t0" not in totes(story), "empty: it left"


def test_a_unit_that_falls_is_scrapped_and_the_rest_picked() -> None:
    story = Workshop()
    story.script = {"pick": [{"outcome": "dropped", "quantity": 1, "lost": 1}]}
    story.order()
    story.ticks(200)
    assert story.closed() == {"o1": "done"}
    assert [work.quantity for work in story.asked("pick")] == [2, 1]
    assert totes(story)["t0"] == 7 and story.funnel() == {"dropped": "resolved"}


def test_an_arm_that_drops_everything_is_not_asked_for_ever() -> None:
    story = Workshop(quantity=40, policy={"blameless_tries": 3, "invariants_every": 1})
    story.script = {"pick": [{"outcome": "dropped", "lost": 1}] * 9}
    story.order()
    story.ticks(200)
    assert story.closed() == {"o1": "quarantined"} and totes(story)["t0"] == 36
    assert len(story.asked("pick")) == 4


def test_a_site_may_say_what_follows_a_drop() -> None:
    outcomes = flow()["outbound"]["pick"]["outcomes"]
    outcomes["dropped"] = {"then": "pick", "tries": 0, "otherwise": "quarantine"}
    story = Workshop(flow=flow(pick={"outcomes": outcomes}))
    story.script = {"pick": [{"outcome": "dropped", "quantity": 1, "lost": 1}]}
    story.order()
    story.ticks(100)
    assert story.closed() == {"o1": "quarantined"}


def test_a_tote_that_is_empty_where_the_books_say_ten_is_corrected_and_leaves() -> None:
    """Given a tote without a single unit, when the arm finds none, then the books say zero, the units
    come from another tote, and the empty one leaves the building."""
    story = Workshop(totes=4)
    story.script = {"pick": [{"outcome": "short", "quantity": 0}]}
    story.order()
    story.ticks(300)
    assert story.closed() == {"o1": "done"}
    assert totes(story) == {"t1": 10, "t2": 8, "t3": 10}
    assert story.funnel() == {"short": "resolved"}


def test_a_short_pick_keeps_what_was_there_and_fetches_only_the_rest() -> None:
    story = Workshop(totes=4)
    story.script = {"pick": [{"outcome": "short", "quantity": 1}]}
    story.order()
    story.ticks(300)
    assert story.closed() == {"o1": "done"} and story.world.stock.units_out == 2 + 9
    assert [work.quantity for work in story.asked("pick")] == [2, 1]


def test_the_last_tote_that_is_short_sets_the_order_aside_with_its_reason() -> None:
    story = Workshop(totes=2)
    story.script = {"pick": [{"outcome": "short", "quantity": 1}]}
    story.order()
    story.ticks(200)
    assert story.closed() == {"o1": "quarantined"}
    assert "no further stock" in story.world.orders["o1"].reason
    assert story.funnel() == {"short": "quarantined"}


def test_more_is_found_in_the_box_than_was_ever_in_the_tote() -> None:
    """Books that were too low before: evidence is believed, nothing goes below zero."""
    story = Workshop(quantity=2)
    story.slow = {"discard"}
    story.script = {"verify": ["mismatch"]}
    story.order()
    work = story.until_asked("discard")
    story.say(WorkEnded(work=work.work, quantity=5))
    assert totes(story).get("t0", 0) == 0 and story.world.stock.balance() == 0
