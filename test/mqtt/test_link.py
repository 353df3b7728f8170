"""The link over the embedded broker and over a real one: what comes, what is kept, what is told."""

import asyncio
import contextlib
import sys
from pathlib import Path

import pytest
from mosquitto_process import Mosquitto, free_port, take, until

from orchestrator.mqtt import Address, AddressError, MqttLink, Tls, Trouble
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


def test_given_a_last_will_when_its_link_is_gone_without_a_word_then_others_hear_it(
    mosquitto: Mosquitto,
) -> None:
    script = (
        "import asyncio, os, sys\n"
        "from orchestrator.mqtt import MqttLink, Will\n"
        "async def main():\n"
        "    async with MqttLink(sys.argv[1], will=Will('v/connection', b'BROKEN')) as link:\n"
        "        await link.wait_up(5)\n"
        "        os._exit(9)\n"
        "asyncio.run(main())\n"
    )

    async def story() -> None:
        async with MqttLink(mosquitto.url) as link:
            link.subscribe("v/+", 1)
            await link.wait_up(5)
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-c", script, mosquitto.url, cwd=Path(__file__).parents[2]
            )
            assert await process.wait() == 9
            assert await take(link, 1) == [("v/connection", b"BROKEN", False)]

    asyncio.run(story())


def test_given_a_filter_that_is_wanted_no_more_then_nothing_comes_by_it(
    mosquitto: Mosquitto,
) -> None:
    async def story() -> None:
        async with MqttLink(mosquitto.url, backoff=QUICK) as link:
            link.subscribe("a/#", 1)
            link.subscribe("b/#", 1)
            await link.wait_up(5)
            link.unsubscribe("a/#")
            link.unsubscribe("never asked for")
            link.subscribe("c/#", 1)
            await link.wait_up(5)
            for topic in ("a/1", "b/1"):
                link.publish(topic, b"x", 1)
            assert await take(link, 1) == [("b/1", b"x", False)]
            # and after a new connection neither
            mosquitto.kill()
            await until(lambda: not link.connected)
            mosquitto.start()
            await link.wait_up(5)
            for topic in ("a/2", "c/2"):
                link.publish(topic, b"y", 1)
            assert await take(link, 1) == [("c/2", b"y", False)]

    asyncio.run(story())


def test_given_no_broker_when_the_outbox_is_full_then_qos_0_goes_first_and_qos_1_is_refused() -> (
    None
):
    async def story() -> None:
        link = MqttLink(f"mqtt://127.0.0.1:{free_port()}", outbox_max=3)
        assert [link.publish("t", b"0", qos=0) for _ in range(3)] == [True] * 3
        assert [link.publish("t", b"1", qos=1) for _ in range(4)] == [True] * 3 + [False]
        assert not link.publish("t", b"0", qos=0)
        counters = link.counters
        assert (counters.outbox_dropped, counters.outbox_refused) == (4, 1)

    asyncio.run(story())


def test_given_too_large_a_payload_when_it_is_sent_or_comes_then_it_is_dropped_and_counted(
    mosquitto: Mosquitto,
) -> None:
    async def story() -> None:
        async with (
            MqttLink(mosquitto.url, payload_max=2 << 20) as big,
            MqttLink(mosquitto.url) as link,
        ):
            link.subscribe("t", 1)
            await link.wait_up(5)
            assert not link.publish("t", bytes((1 << 20) + 1), 1)
            assert big.publish("t", bytes((1 << 20) + 1), 1)
            assert big.publish("t", b"small", 1)
            assert await take(link, 1) == [("t", b"small", False)]
            assert (link.counters.received_too_large, link.counters.sent_too_large) == (1, 1)

    asyncio.run(story())


def test_given_a_slow_reader_when_the_inbox_is_full_then_the_oldest_qos_0_is_dropped(
    mosquitto: Mosquitto,
) -> None:
    async def story() -> None:
        async with MqttLink(mosquitto.url, inbox_max=5) as link:
            link.subscribe("t")
            await link.wait_up(5)
            for number in range(8):
                link.publish("t", b"%d" % number)
            await until(lambda: link.counters.received == 8)
            assert [payload for _, payload, _ in await take(link, 5)] == [
                b"3",
                b"4",
                b"5",
                b"6",
                b"7",
            ]
            assert link.counters.inbox_dropped == 3

    asyncio.run(story())


def test_given_a_name_that_nobody_has_when_a_link_connects_then_it_says_so() -> None:
    async def story() -> None:
        troubles: list[Trouble] = []
        async with MqttLink("mqtt://nowhere.invalid", backoff=QUICK) as link:
            link.on_trouble = troubles.append
            await until(lambda: bool(troubles))
        assert troubles[0].kind == "name"
        assert "nowhere.invalid" in str(troubles[0])

    asyncio.run(story())


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://host", "neither mqtt nor mqtts"),
        ("mqtt://", "no host"),
        ("mqtt://host:99999", "1-65535"),
        ("mqtt://host:0", "1-65535"),
        ("mqtt://host/topic", "behind the port"),
        ("mqtt://:secret@host", "without a user"),
        ("host:1883", "write mqtt://host:1883"),
    ],
)
def test_a_bad_address_is_refused_without_its_password(url: str, said: str) -> None:
    with pytest.raises(AddressError, match=said) as caught:
        MqttLink(url)
    assert "secret" not in str(caught.value)


def test_a_password_is_read_from_the_address_and_never_shown() -> None:
    address = Address.parse("mqtts://anna:p%40ss@host")
    assert (address.user, address.password, address.port) == ("anna", "p@ss", 8883)
    assert "p@ss" not in f"{address} {address!r}"


def test_certificates_that_are_not_there_are_named() -> None:
    with pytest.raises(AddressError, match=r"none\.pem: no such file"):
        Tls(ca=Path("none.pem")).context()


def test_the_embedded_broker_gives_each_client_what_it_asked_for_and_no_more() -> None:
    async def scene() -> None:
        async with EmbeddedBroker() as broker, contextlib.AsyncExitStack() as stack:
            others = [await stack.enter_async_context(MqttLink(broker.url)) for _ in range(12)]
            for number, link in enumerate(others):
                link.subscribe(f"a/{number}/#")
                link.publish(f"a/{number}/state", b"kept", 1, True)
                await link.flush(10)
            latest = await stack.enter_async_context(MqttLink(broker.url))
            latest.subscribe("a/+/state")
            latest.subscribe("a/3/end")
            await latest.wait_up(10)
            latest.publish("a/3/end", b"", 0)
            seen = []
            async for topic, _, _ in latest.messages():
                if topic == "a/3/end":
                    break
                seen.append(topic)
            assert sorted(seen) == sorted(f"a/{number}/state" for number in range(12))

    asyncio.run(scene())
