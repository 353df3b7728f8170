"""CPU time of a step of plain PIBT with headings, on a League instance:

    python benchmarks/pibt_step.py INSTANCE.json --steps 100

One thread. Times are those of `PibtPlanner.plan` alone: no matching, no checking.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from statistics import median

from planners.protocols import Ints, Stop
from planners.turning import PibtPlanner
from sim.lorr import Match
from sim.lorr_files import load


def main() -> None:
    """Play, and print the median and the longest."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("instance", type=Path)
    parser.add_argument("--steps", type=int, default=100)
    arguments = parser.parse_args()
    match = Match(load(arguments.instance), alone=True)
    times: list[float] = []
    plan = PibtPlanner.plan

    def timed(self: PibtPlanner, goals: Ints, onward: Ints, priority: Ints, stop: Stop) -> Ints:
        before = time.process_time()
        found = plan(self, goals, onward, priority, stop)
        times.append(1000 * (time.process_time() - before))
        return found

    PibtPlanner.plan = timed  # type: ignore[method-assign]
    match.run(arguments.steps, 1000.0)
    print(
        f"{len(match.node)} robots, {arguments.steps} steps: {median(times):.2f} ms CPU median, "
        f"{max(times):.2f} ms at most; {match.tasks.finished} tasks"
    )


if __name__ == "__main__":
    main()
