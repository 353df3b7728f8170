"""The link over the embedded broker and over a real one: what comes, what is kept, what is told."""

import asyncio

import pytest
from mosquitto_process import Mosquitto, take, until

from orchestrator.mqtt import MqttLink, Trouble
from orchestrator.mqtt.broker import BrokerStartError, EmbeddedBroker
from orchestrator.mqtt.client import Backoff

QUICK = Backoff(shortest_s=0.05, longest_s=0.2)


def test_given_the_embedded_broker_when_two_links_meet_then_messages_arrive_in_order() -> None:
    async def story() -> None:
        async with (
            EmbeddedBroker() as broker,
            MqttLink(broker.url, client_id="host") as host,
            MqttLink(broker.url, client_id="master") as master,
        ):
            master.subscribe("hall/#", 1)
            await master.wait_up(5)
            for number in range(100):
                assert host.publish(f"hall/{number % 3}", b"%d" % number, qos=1)
            got = await take(master, 100)
            assert [int(payload) for _, payload, _ in got] == list(range(100))
            await host.flush(5)
            assert (host.counters.sent, master.counters.received) == (100, 100)

    asyncio.run(story())


def test_given_a_retained_message_when_a_link_comes_late_then_it_is_told_so() -> None:
    async def story() -> None:
        async with EmbeddedBroker() as broker, MqttLink(broker.url) as early:
            early.publish("hall/map", b"north", qos=1, retain=True)
            await early.flush(5)
            async with MqttLink(broker.url) as late:
                late.subscribe("hall/+")
                assert await take(late, 1) == [("hall/map", b"north", True)]

    asyncio.run(story())


def test_given_a_taken_port_when_a_broker_starts_there_then_it_says_so() -> None:
    async def story() -> None:
        async with EmbeddedBroker() as broker:
            with pytest.raises(BrokerStartError, match=f"127.0.0.1:{broker.port}.*0 takes any"):
                async with EmbeddedBroker(broker.port):
                    pass

    asyncio.run(story())


def test_given_a_broker_killed_for_3_s_when_it_is_back_then_nothing_of_qos_1_is_missing(
    mosquitto: Mosquitto,
) -> None:
    ups: list[int] = []
    downs: list[Trouble] = []
    troubles: list[Trouble] = []

    async def story() -> None:
        # Its subscriptions are made before it sends again, so it must hear all that it says.
        async with MqttLink(mosquitto.url, client_id="master", backoff=QUICK) as link:
            link.on_up = lambda: ups.append(len(ups))
            link.on_down = downs.append
            link.on_trouble = troubles.append
            link.subscribe("orders/#", 1)
            await link.wait_up(5)
            link.publish("orders/1", b"before", 1)
            assert await take(link, 1) == [("orders/1", b"before", False)]

            mosquitto.kill()
            await until(lambda: not link.connected)
            for number in range(200):
                assert link.publish("orders/2", b"%d" % number, 1)
            await asyncio.sleep(3)
            mosquitto.start()

            got = await take(link, 200)
            assert [int(payload) for _, payload, _ in got] == list(range(200))
            await link.flush(5)
            assert link.counters.sent == 201

    asyncio.run(story())
    assert ups == [0, 1]
    assert [trouble.kind for trouble in downs] == ["lost"]
    assert [trouble.kind for trouble in troubles] == ["refused"]  # told once, not at each attempt
