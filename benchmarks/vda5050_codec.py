"""Time to decode a typical VDA 5050 `state`: python benchmarks/vda5050_codec.py"""

from __future__ import annotations

import statistics
import time

from orchestrator.vda5050 import model as m
from orchestrator.vda5050.codec import VERSIONS, codec_of

ROUNDS = 20_000
PLACE = m.NodePosition(x=12.345, y=67.891, map_id="ground-floor", theta=1.5708)
STATE = m.State(
    header=m.Header(
        header_id=4711, time_ns=10**18, version="2.1.0", manufacturer="acme", serial="agv-0042"
    ),
    order_id="order-4711",
    last_node="n-0",
    nodes=tuple(
        m.NodeState(id=f"n-{k}", sequence=2 * k, released=True, position=PLACE) for k in range(5)
    ),
    edges=tuple(m.EdgeState(id=f"e-{k}", sequence=2 * k + 1, released=True) for k in range(4)),
    actions=tuple(m.ActionState(id=f"a-{k}", status="WAITING", kind="pick") for k in range(2)),
    driving=True,
    position=m.Position(x=1.0, y=2.0, theta=0.1, map_id="ground-floor"),
    power=m.PowerSupply(charge_percent=81.5, charging=False),
)


def main() -> None:
    """Prints the median and the 99th percentile of each version."""
    for protocol in VERSIONS:
        codec = codec_of(protocol)
        payload = codec.encode(STATE)
        times = []
        for _ in range(ROUNDS):
            begin = time.perf_counter_ns()
            codec.decode("state", payload)
            times.append(time.perf_counter_ns() - begin)
        median, p99 = statistics.median(times) / 1e3, sorted(times)[ROUNDS * 99 // 100] / 1e3
        print(f"{protocol}: {len(payload)} bytes, median {median:.1f} us, p99 {p99:.1f} us")


if __name__ == "__main__":
    main()
