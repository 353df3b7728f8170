"""An hour of jd_small's customers, with ten vehicles of Coaty's vda-5050-lib over a real Mosquitto.

    make vehicles broker
    python benchmarks/coaty_hour.py [--speed 20] [--orders-per-hour 40]

Time is compressed by the vehicles' own time-lapse. A third listener checks every message against the
official schema and every order against the rules of base and horizon. Prints figures; ends with 1
where an order was lost or a message was wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "test" / "vda5050"), str(ROOT / "test" / "mqtt")]

from coaty_hall import MAKER, Hall, missing, open_hall  # noqa: E402
from mosquitto_process import Mosquitto  # noqa: E402

from orchestrator.layout import LoadedSite, load_site  # noqa: E402
from sim.scenario import Options, scenario  # noqa: E402
from sim.vehicle.building import asked  # noqa: E402

FLEETS = {"tote_amr": 7, "sorter": 3}
LATE_S = 1800.0  # after the hour, for the last orders


def site_of(folder: Path, orders_per_hour: float) -> LoadedSite:
    """jd_small, where Coaty's vehicles may join."""
    site = folder / "jd_small"
    shutil.copytree(ROOT / "sites" / "jd_small", site)
    text = yaml.safe_load((site / "site.yaml").read_text())
    text["vehicles"] = [
        {"manufacturer": MAKER, "serial": f"{fleet}-*", "fleet": fleet, "protocol": "2.0",
         "quirks": "coaty"}
        for fleet in FLEETS
    ]  # fmt: skip
    text["simulation"]["demand"]["outbound"]["orders_per_hour"] = orders_per_hour
    (site / "site.yaml").write_text(yaml.safe_dump(text, sort_keys=False))
    return load_site(site)


async def hour(folder: Path, url: str, speed: float, orders_per_hour: float) -> dict[str, Any]:
    """Run it; return figures."""
    loaded = site_of(folder, orders_per_hour)
    made = scenario(loaded, Options(seed=1, hours=1.0, fleets=FLEETS))
    orders = list(asked(made))
    places = {robot.name: robot.node for robot in made.robots}
    begun = time.monotonic()
    run = folder / "coaty.run"
    async with open_hall(loaded, url, run, places, speed=speed, demand=iter(orders)) as hall:
        last = (3600 + LATE_S) / speed
        while sum(hall.closed.values()) < len(orders) and time.monotonic() - begun < last:
            await asyncio.sleep(0.5)
            assert hall.fleet.runs, "the vehicles' process ended"
        took_s, alarms = time.monotonic() - begun, list(hall.said)
    return figures(hall, len(orders), took_s, alarms)


def figures(hall: Hall, orders: int, took_s: float, alarms: list[str]) -> dict[str, Any]:
    """What is worth telling."""
    heard, done = hall.listener.counts, hall.serving.finish()
    return {
        "orders": orders,
        "closed": dict(hall.closed),
        "lost": orders - sum(hall.closed.values()),
        "simulated_minutes": round(took_s * hall.speed / 60, 1),
        "took_s": round(took_s, 1),
        "nodes_reached": hall.events["NodeReached"],
        "actions": hall.events["ActionEnded"],
        "faults_and_refusals": len(hall.bad),
        "messages": {name: heard[name] for name in
                     ("state", "order", "updates", "horizons", "instantActions", "stopCharging",
                      "visualization", "factsheet", "connection")},
        "resent": done["resent"],
        "unreadable": done["unreadable"],
        "alarms": [text for text in alarms if not text.endswith(" joined")],
        "problems": hall.listener.problems,
        "exempted": dict(hall.listener.exempted),
    }  # fmt: skip


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--speed", type=float, default=20.0, help="seconds per second (20)")
    parser.add_argument("--orders-per-hour", type=float, default=40.0)
    arguments = parser.parse_args()
    if missing():
        print(missing(), file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as name:
        broker = Mosquitto(Path(name))
        broker.start()
        try:
            found = asyncio.run(
                hour(Path(name), broker.url, arguments.speed, arguments.orders_per_hour)
            )
        finally:
            broker.kill()
    print(json.dumps(found, indent=1))
    good = found["closed"] == {"done": found["orders"]} and not found["problems"]
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
