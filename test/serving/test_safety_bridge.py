"""A server whose site wants a safety bridge: without it all stand, until the bridge is there and each
of its zones was reset and is clear."""

from __future__ import annotations

import asyncio
from pathlib import Path

from mosquitto_process import Mosquitto, until
from scenes import ring

from orchestrator.journal import RunReader, RunWriter
from orchestrator.mqtt import MqttLink, Will
from orchestrator.safety import bridge
from orchestrator.safety.mapping import read_mapping
from orchestrator.serving import Serving
from sim.replay import replay

PATIENCE_S = 40  # for a machine that has much else to do
FILE = """\
format: 1
site: {site}
sources:
  plc: {{modbus: "plc:502"}}
zones:
  - zone: cell
    nodes: [{node}]
    stop: [{{name: e-stop, source: plc, at: "coil:0", stops_when: false}}]
    reset: {{name: reset, source: plc, at: "coil:1"}}
    clear: {{name: clear, source: plc, at: "coil:2"}}
"""


def test_a_building_without_its_safety_bridge_stands(mosquitto: Mosquitto, tmp_path: Path) -> None:
    loaded = ring(size=6, safety_bridge="stop")
    site = loaded.spec.id
    path, run = tmp_path / "safety.yaml", tmp_path / "live.run"
    path.write_text(FILE.format(site=site, node=loaded.site.roadmap.node_ids[0]))
    status = f"lightsout/v1/{site}/safety/status"

    async def story() -> None:
        writer = RunWriter(run, {"kind": "live"})
        async with MqttLink(mosquitto.url, client_id="master") as link:
            serving = Serving(loaded, writer, link, run="t")
            scopes = serving.live.core.world.scopes
            server = asyncio.create_task(serving.run())
            # given a server, and no bridge: nothing may drive
            serving.safety.tick(serving.now_ns)
            serving.safety.tick(serving.now_ns + 6_000_000_000)
            await until(lambda: set(scopes) == {"stop all"}, PATIENCE_S)
            # when the bridge comes, with a controller that is well
            async with MqttLink(mosquitto.url, will=Will(status, bridge.will())) as plc:
                told = bridge.Bridge(read_mapping(path), plc.publish, lambda _: None)
                plc.subscribe(told.link_topic, 1)
                await plc.wait_up(PATIENCE_S)
                told.up(0)
                await until(lambda: set(scopes) == {"stop all", "stop zone cell"}, PATIENCE_S)
                async for topic, payload, _ in plc.messages():
                    told.message(0, topic, payload)
                    if b"stopped" in payload:
                        break
                told.read(0, "plc", {"coil:0": True, "coil:1": False, "coil:2": True})
                told.tick(0)
                await plc.flush(PATIENCE_S)
                assert set(scopes) == {"stop all", "stop zone cell"}
                # and somebody resets its zone, then both are over
                told.read(0, "plc", {"coil:0": True, "coil:1": True, "coil:2": True})
                await until(lambda: not scopes, PATIENCE_S)
                # and when it is gone, everything stands again
                told.read(0, "plc", {"coil:0": True, "coil:1": False, "coil:2": True})
                plc.publish(status, bridge.will(), 1, True)
                await until(lambda: set(scopes) == {"stop all"}, PATIENCE_S)
            server.cancel()
            await asyncio.gather(server, return_exceptions=True)
            writer.close("closed", books=serving.books())

    asyncio.run(story())
    with RunReader(run) as reader:
        assert replay(reader, loaded).difference == ""
