"""Robots that come nearer to their goals, and robots that don't."""

from __future__ import annotations

import numpy as np

from planners.progress import Progress


def test_only_who_is_nearer_than_it_has_been_gets_on() -> None:
    """Given robots of which one comes nearer each step, one goes to and fro, one stands, one stands and
    is said to gain and one has another goal each step, then the second, the third and the last have
    come no nearer."""
    progress = Progress(5)
    for step in range(6):
        goals = np.array([3, 3, 3, 3, step], np.int32)
        togo = np.array([20 - step, 8 + step % 2, 7, 7, 9 - step])
        progress.see(goals, togo, np.array([False, False, False, True, False]))
        assert progress.goals.tolist() == goals.tolist()
    assert progress.stalled.tolist() == [0, 6, 6, 0, 6]
    assert progress.nearest.tolist() == [15, 8, 7, 7, 4], "to the goal that it has by now"
    progress.see(goals, togo - 1, np.zeros(5, bool))
    assert progress.stalled.tolist() == [0, 7, 0, 0, 0]
