"""Passing orders switched or kept while one plan is driven to its end by robots that are late.

    python benchmarks/switching.py sites/jd_small [--robots 40] [--plans 20] [--stalls 0.1] [--json]
    python benchmarks/switching.py instance.json --robots 100

Robots at random nodes of the lanes are planned once to random goals (PIBT, up to 100 steps) and drive
that, an edge in the time that it takes; on each edge one in ten stands for 2 to 20 s more. Nothing is
planned anew: as in the papers, and as nowhere in a centre. Prints the seconds that robots waited, with
the same delays, without and with `policy.switching`; ends with 1 where somebody did not arrive.
"""

from __future__ import annotations

import argparse
import heapq
import json
import random
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT)]

from orchestrator.answers import Answers  # noqa: E402
from orchestrator.core import proof, switching  # noqa: E402
from orchestrator.core.messages import RequestPaths  # noqa: E402
from orchestrator.core.planning import PAIR, ROW  # noqa: E402
from orchestrator.core.roadmap import Roadmap  # noqa: E402
from orchestrator.core.traffic import Traffic  # noqa: E402
from orchestrator.layout import LoadedSite  # noqa: E402
from sim.recipe import of_lorr, of_site  # noqa: E402

Plan = list[tuple[int, int]]
SPEED_MMPS = 1500
STALL_S = (2.0, 20.0)
HORIZON = 100


def spread(roadmap: Roadmap, robots: int, chance: random.Random) -> list[int]:
    """Nodes of the lanes, for robots of the first fleet that touch nobody."""
    lanes = [node for node in range(roadmap.nodes) if roadmap.node_bay[node] < 0]
    chance.shuffle(lanes)
    taken: list[int] = []
    for node in lanes:
        if not set(roadmap.stand_stands[node]) & set(taken):
            taken.append(node)
    return taken[:robots]


def planned(loaded: LoadedSite, starts: list[int], goals: list[int], seed: int) -> Plan:
    """Who moves where, in a sequence."""
    rows = [ROW.pack(*(r, 0, node, 0, goals[r], 0, 0, 0)) for r, node in enumerate(starts)]
    request = RequestPaths(1, 0, b"".join(rows), (), HORIZON, seed)
    answer = Answers(loaded.arrays, loaded.site.policy).paths(request)
    return list(PAIR.iter_unpack(answer.moves))


class Drive:
    """One plan, driven to its end. `late`: by robot and edge driven, seconds of delay."""

    def __init__(self, loaded: LoadedSite, starts: list[int], late: list[list[float]]) -> None:
        policy, roadmap = loaded.site.policy, loaded.site.roadmap
        self.traffic = Traffic(roadmap, policy.lookahead, [[] for _ in roadmap.bays])
        for robot, node in enumerate(starts):
            self.traffic.join(robot, 0, node, 0)
        self.late = late
        self.driven = [0] * len(starts)
        self.free_s = [0.0] * len(starts)  # since when it stands
        self.waited_s = 0.0
        self.ends: list[tuple[float, int]] = []  # heap: when the edge under way ends, robot
        self.under_way: set[int] = set()

    def run(self, plan: Plan, *, switch: bool) -> dict[str, float]:
        """The figures."""
        taken = self.traffic.splice(plan, set())
        now, tick, robots = 0.0, 0.0, range(len(self.free_s))
        for robot in robots:
            self._goes(robot, now)
        while self.ends:
            while switch and tick <= self.ends[0][0]:
                for robot in robots:
                    if switching.go_first(self.traffic, robot):
                        self._goes(robot, tick)
                tick += 1.0
            now, robot = heapq.heappop(self.ends)
            self.under_way.discard(robot)
            self.free_s[robot] = now
            woken = self.traffic.complete(robot, self.traffic.released[robot][0].edge) or []
            for other in woken:
                self._goes(other, now)
        assert not proof.broken(self.traffic)
        return {
            "moves": taken, "left": sum(len(queue) for queue in self.traffic.planned),
            "end_s": now, "waited_s": self.waited_s, "switched": self.traffic.switched,
        }  # fmt: skip

    def _goes(self, robot: int, now: float) -> None:
        self.traffic.release(robot)
        released = self.traffic.released[robot]
        if not released or robot in self.under_way:
            return
        self.waited_s += now - self.free_s[robot]
        late = self.late[robot][self.driven[robot]]
        self.driven[robot] += 1
        self.under_way.add(robot)
        way_s = self.traffic.roadmap.edge_length_mm[released[0].edge] / SPEED_MMPS
        heapq.heappush(self.ends, (now + way_s + late, robot))


def measured(loaded: LoadedSite, robots: int, stalls: float, seed: int) -> list[dict[str, float]]:
    """Without and with switches, under the same delays."""
    chance = random.Random(seed)
    roadmap = loaded.site.roadmap
    starts = spread(roadmap, robots, chance)
    goals = spread(roadmap, robots, chance)
    plan = planned(loaded, starts, goals, seed)
    late = [
        [chance.uniform(*STALL_S) * (chance.random() < stalls) for _ in range(HORIZON + 1)]
        for _ in starts
    ]
    return [Drive(loaded, starts, late).run(plan, switch=switch) for switch in (False, True)]


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("site", type=Path, help="a site's folder, or the League's instance.json")
    parser.add_argument("--robots", type=int, default=40)
    parser.add_argument("--plans", type=int, default=20)
    parser.add_argument("--stalls", type=float, default=0.1, help="share of edges")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    recipe = (of_lorr if arguments.site.suffix == ".json" else of_site)(arguments.site)
    loaded = recipe.load()
    rows: list[list[dict[str, float]]] = [
        measured(loaded, arguments.robots, arguments.stalls, seed)
        for seed in range(arguments.plans)
    ]
    kept, switched = (
        {key: sum(row[at][key] for row in rows) for key in rows[0][0]} for at in (0, 1)
    )
    figures: dict[str, Any] = {
        "plans": len(rows),
        "moves": kept["moves"],
        "waited_s": [round(kept["waited_s"]), round(switched["waited_s"])],
        "fewer_waits_percent": round(
            100 - 100 * switched["waited_s"] / max(kept["waited_s"], 1), 1
        ),
        "last_arrival_s": [round(row["end_s"] / len(rows), 1) for row in (kept, switched)],
        "switched": switched["switched"],
        "left": kept["left"] + switched["left"],
    }
    print(json.dumps(figures) if arguments.json else figures)
    return int(figures["left"] > 0)


if __name__ == "__main__":
    sys.exit(main())
