"""What `lightsout broker init` writes, in a real Mosquitto: who gets in, who may do what."""

import asyncio
import os
import socket
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from mosquitto_process import Mosquitto, free_port, take, until

from orchestrator.cli import main
from orchestrator.mqtt import MqttLink, Tls, Trouble
from orchestrator.mqtt.access import AccessError, role_entry, vehicle_entry, vehicle_user

SITE = Path(__file__).parents[2] / "sites" / "jd_small"
AMR = "lightsout/tote_amr-001"
OTHER = "lightsout/tote_amr-002"
ROOT = "lightsout/v1/jd_small"


class Shipped(Mosquitto):
    """The broker with the shipped configuration, and links for its users."""

    def __init__(self, folder: Path, port: int, certificate_port: int) -> None:
        config = folder / "mosquitto.conf"
        text = config.read_text()
        if os.geteuid() == 0:  # a root that starts it would need to give the folder away
            text += "\nuser root\n"
        super().__init__(folder, text, port)
        self.certificate_port = certificate_port

    def password(self, user: str) -> str:
        return (self.folder / "users" / f"{user}.password").read_text().strip()

    def link(self, user: str | None, password: str | None = None, **options: str) -> MqttLink:
        """Over the password's port; `password` None: the right one."""
        if user is not None and password is None:
            password = self.password(user)
        url = f"mqtts://localhost:{self.port}"
        tls = Tls(ca=self.folder / "ca.crt")
        return MqttLink(url, user=user, password=password, tls=tls, **options)

    def certified(self, user: str) -> MqttLink:
        users = self.folder / "users"
        tls = Tls(self.folder / "ca.crt", users / f"{user}.crt", users / f"{user}.key")
        return MqttLink(f"mqtts://localhost:{self.certificate_port}", tls=tls)


@pytest.fixture(scope="module")
def shipped(mosquitto_program: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shipped]:
    folder = tmp_path_factory.mktemp("shipped") / "broker"
    ports = free_port(), free_port()
    init = ["broker", "init", str(folder), "--site", str(SITE), "--port", str(ports[0])]
    assert main([*init, "--certificate-port", str(ports[1])]) == 0
    for vehicle in (AMR, OTHER):
        assert main(["broker", "add", str(folder), "vehicle", vehicle]) == 0
    broker = Shipped(folder, *ports)
    broker.start()
    yield broker
    broker.kill()


async def trouble_of(link: MqttLink) -> Trouble:
    """Why the link does not come up."""
    troubles: list[Trouble] = []
    link.on_trouble = troubles.append
    async with link:
        await until(lambda: bool(troubles))
        assert not link.connected
    return troubles[0]


async def said(shipped: Shipped, user: str, topics: list[str]) -> list[str]:
    """Which of the topics the broker lets the user write, as the master hears it."""
    async with shipped.link("master") as master, shipped.link(user) as writer:
        for pattern in ("uagv/#", "lightsout/#"):
            master.subscribe(pattern, 1)
        await master.wait_up(5)
        for topic in topics:
            writer.publish(topic, user.encode(), 1)
        await writer.flush(5)  # Mosquitto acknowledges what it throws away
        master.publish(f"{ROOT}/kpi/end", b"end", 1)  # comes after all of them
        heard = []
        async with asyncio.timeout(5):
            async for topic, payload, _ in master.messages():
                if payload == b"end":
                    return heard
                if payload == user.encode():
                    heard.append(topic)
    raise AssertionError("the end was not heard")


def own(vehicle: str, version: str, *names: str) -> list[str]:
    return [f"uagv/{version}/{vehicle}/{name}" for name in names]


def test_a_vehicle_writes_its_own_topics_and_no_others(shipped: Shipped) -> None:
    told = ("state", "connection", "factsheet", "visualization")
    allowed = [*own(AMR, "v2", *told), *own(AMR, "v3", *told)]
    forbidden = [
        *own(OTHER, "v2", *told, "order", "instantActions"),
        *own(AMR, "v2", "order", "instantActions", "else", "state/more"),
        "uagv/v2/lightsout/tote_amr-003/state",
        *(f"{ROOT}/{name}" for name in ("orders", "commands", "safety/events")),
        f"{ROOT}/equipment/events",
        "elsewhere",
    ]
    heard = asyncio.run(said(shipped, vehicle_user(*AMR.split("/")), [*forbidden, *allowed]))
    assert heard == allowed


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        ("host", ["orders", "host/in/items"]),
        ("operator", ["orders", "commands"]),
        ("equipment", ["equipment/events"]),
        ("safety", ["safety/events", "safety/status"]),
    ],
)
def test_a_role_writes_what_it_is_for(shipped: Shipped, role: str, allowed: list[str]) -> None:
    names = ("orders", "host/in/items", "commands", "equipment/events", "safety/events",
             "safety/status")  # fmt: skip
    others = ("equipment/commands", "events", "alarms", "about", "kpi", "replies",
              "fleet/amr/state", "orders/o/status", "host/out/receipts")  # fmt: skip
    topics = [f"{ROOT}/{name}" for name in (*names, *others)]
    heard = asyncio.run(said(shipped, role, [*topics, *own(AMR, "v2", "order", "state")]))
    assert heard == [f"{ROOT}/{name}" for name in allowed]


def test_a_vehicle_reads_its_own_orders_and_not_those_of_others(shipped: Shipped) -> None:
    async def story() -> None:
        user = vehicle_user(*AMR.split("/"))
        async with shipped.link("master") as master, shipped.link(user) as vehicle:
            vehicle.subscribe("#", 1)
            vehicle.subscribe(f"uagv/v2/{OTHER}/order", 1)
            await vehicle.wait_up(5)
            for to in (OTHER, AMR):
                master.publish(f"uagv/v2/{to}/order", to.encode(), 1)
            assert await take(vehicle, 1) == [(f"uagv/v2/{AMR}/order", AMR.encode(), False)]

    asyncio.run(story())


def test_a_client_certificate_is_a_user(shipped: Shipped) -> None:
    async def story() -> None:
        user = vehicle_user(*AMR.split("/"))
        async with shipped.link("master") as master, shipped.certified(user) as vehicle:
            master.subscribe("uagv/#", 1)
            await master.wait_up(5)
            vehicle.publish(f"uagv/v2/{OTHER}/state", b"lie", 1)
            vehicle.publish(f"uagv/v2/{AMR}/state", b"truth", 1)
            assert await take(master, 1) == [(f"uagv/v2/{AMR}/state", b"truth", False)]

    asyncio.run(story())


def test_nobody_takes_over_a_connection_by_its_client_id(shipped: Shipped) -> None:
    async def story() -> None:
        downs: list[Trouble] = []
        user = vehicle_user(*AMR.split("/"))
        async with shipped.link("master", client_id="master") as master:
            master.on_down = downs.append
            await master.wait_up(5)
            async with shipped.link(user, client_id="master") as thief:
                await thief.wait_up(5)
                master.subscribe("uagv/#", 1)
                await master.wait_up(5)  # answered: it is still there
            assert not downs

    asyncio.run(story())


@pytest.mark.parametrize("case", ["anonymous", "wrong password", "unknown user"])
def test_who_is_not_known_is_refused(shipped: Shipped, case: str) -> None:
    async def story() -> None:
        who = {
            "anonymous": (None, None),
            "wrong password": ("master", "guess"),
            "unknown user": ("mallory", "guess"),
        }[case]
        trouble = await trouble_of(shipped.link(*who))
        assert trouble.kind == "credentials"
        assert "check user, password and certificate" in str(trouble)

    asyncio.run(story())


def test_plain_text_is_refused(shipped: Shipped) -> None:
    async def story() -> None:
        url = f"mqtt://localhost:{shipped.port}"
        link = MqttLink(url, user="master", password=shipped.password("master"), answer_s=0.5)
        troubles: list[Trouble] = []
        link.on_trouble = troubles.append
        async with link:
            await until(lambda: bool(troubles))
            assert not link.connected

    asyncio.run(story())
    hello = bytes([0x10, 0x11, 0, 4]) + b"MQTT" + bytes([4, 2, 0, 60, 0, 5]) + b"plain"
    for port in (shipped.port, shipped.certificate_port):
        with socket.create_connection(("127.0.0.1", port), timeout=5) as sock:
            sock.sendall(hello)
            answer = b"end"
            with suppress(ConnectionResetError):
                answer = sock.recv(4)
            assert answer[:1] != b"\x20"  # no CONNACK


def test_without_a_certificate_there_is_no_way_in_where_one_is_required(shipped: Shipped) -> None:
    async def story() -> None:
        tls = Tls(ca=shipped.folder / "ca.crt")
        url = f"mqtts://localhost:{shipped.certificate_port}"
        password = shipped.password("master")
        link = MqttLink(url, user="master", password=password, tls=tls, answer_s=0.5)
        trouble = await trouble_of(link)
        assert trouble.kind in {"tls", "timeout"}

    asyncio.run(story())


def test_a_broker_that_another_authority_signed_is_not_trusted(shipped: Shipped) -> None:
    async def story() -> None:
        url = f"mqtts://localhost:{shipped.port}"
        trouble = await trouble_of(MqttLink(url, user="master", password="secret"))
        assert trouble.kind == "tls"
        assert "check the CA file" in str(trouble)

    asyncio.run(story())


def test_files_are_for_the_owner_alone(shipped: Shipped) -> None:
    secret = [*shipped.folder.glob("*.key"), *shipped.folder.glob("users/*")]
    secret.append(shipped.folder / "passwords")
    assert len(secret) > 20
    for path in secret:
        if not path.name.endswith(".crt"):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_a_folder_in_use_and_a_user_twice_are_refused(
    shipped: Shipped, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(shipped.folder)
    assert main(["broker", "init", folder, "--site", str(SITE)]) == 2
    assert "is not empty" in capsys.readouterr().err
    assert main(["broker", "add", folder, "vehicle", AMR]) == 2
    assert "there is a user 'lightsout.tote_amr-001' already" in capsys.readouterr().err
    assert main(["broker", "add", folder, "driver", "x"]) == 2
    assert "no role 'driver'" in capsys.readouterr().err
    assert main(["broker", "add", folder, "vehicle", "acme"]) == 2
    assert "write manufacturer/serial" in capsys.readouterr().err


def test_no_two_vehicles_share_a_user_name() -> None:
    names = [("a.b", "c"), ("a", "b.c"), ("a%2Eb", "c"), ("ä", "c"), ("a b", "c"), ("A", "b:c")]
    assert len({vehicle_user(*name) for name in names}) == len(names)
    assert vehicle_user("acme", "amr-7") == "acme.amr-7"


@pytest.mark.parametrize("serial", ["", "+", "#", "a/b", "a\ntopic readwrite #", " a", "$SYS"])
def test_a_name_that_would_open_more_is_refused(serial: str) -> None:
    with pytest.raises(AccessError, match="can't be part of a topic"):
        vehicle_entry("acme", serial)
    with pytest.raises(AccessError):
        role_entry("host", "", serial)
