"""The short way between socket and queues: packets wherever the stream is cut."""

import itertools
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.mqtt.backlog import Backlog
from orchestrator.mqtt.queues import Inbox
from orchestrator.mqtt.straight import READ_BYTES, Reader

PINGRESP = b"\xd0\x00"


class Library:
    """The parts of the client library that a reader uses; hands out the stream in pieces."""

    def __init__(self, pieces: list[bytes]) -> None:
        self.pieces = pieces
        self.acknowledged: list[int] = []
        self.others: list[int] = []
        self.ended = 0
        self._in_packet: dict[str, Any] = {}
        self._sock: object | None = object()

    def _sock_recv(self, count: int) -> bytes:
        assert count == READ_BYTES
        if not self.pieces:
            raise BlockingIOError
        return self.pieces.pop(0)

    def _send_puback(self, number: int) -> None:
        self.acknowledged.append(number)

    def _packet_handle(self) -> int:
        self.others.append(self._in_packet["command"])
        return 0

    def _loop_rc_handle(self, code: int) -> None:
        self.ended = int(code)
        self._sock = None


def packet(kind: int, body: bytes) -> bytes:
    length, head = len(body), bytearray([kind])
    while length >= 128:
        head.append(length & 127 | 128)
        length >>= 7
    return bytes([*head, length]) + body


def heard(pieces: list[bytes], payload_max: int = 1 << 20) -> tuple[Library, Inbox]:
    library, inbox = Library(list(pieces)), Inbox(100, payload_max)
    reader = Reader(library, inbox)
    while library.pieces and not library.ended:
        reader.read()
    return library, inbox


STREAM = (
    packet(0x30, b"\x00\x03a/b" + b"x" * 300)
    + packet(0x33, b"\x00\x01c\x12\x34" + b"y")
    + PINGRESP
    + packet(0x30, b"\x00\x01d")
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(1, len(STREAM) - 1), max_size=8))
def test_messages_are_whole_wherever_the_stream_is_cut(cuts: list[int]) -> None:
    ends = [0, *sorted(set(cuts)), len(STREAM)]
    library, inbox = heard([STREAM[a:b] for a, b in itertools.pairwise(ends)])
    got = inbox.take(10)
    assert sorted(got) == [("a/b", b"x" * 300, False), ("c", b"y", True), ("d", b"", False)]
    assert library.acknowledged == [0x1234]
    assert library.others == [0xD0]
    assert not library.ended


def test_a_length_that_never_ends_ends_the_connection() -> None:
    library, inbox = heard([b"\x30\xff\xff\xff\xff\xff\x01"])
    assert library.ended
    assert not inbox.take(1)


def test_a_message_shorter_than_its_topic_says_ends_the_connection() -> None:
    library, inbox = heard([packet(0x30, b"\x00\x09abc")])
    assert library.ended
    assert not inbox.take(1)


def test_what_is_too_large_is_counted_and_what_follows_is_read() -> None:
    _, inbox = heard([STREAM], payload_max=200)
    assert inbox.too_large == 1
    assert len(inbox.take(10)) == 2


def test_a_closed_socket_ends_the_connection() -> None:
    library, _ = heard([b""])
    assert library.ended


def test_loose_messages_never_overtake_one_that_must_arrive() -> None:
    backlog = Backlog(10)
    for topic, qos in (("a", 0), ("b", 0), ("c", 1), ("d", 0)):
        backlog.add(topic, b"", qos, False)
    assert [item.topic for item in backlog.loose(10)] == ["a", "b"]
    assert backlog.loose(10) == []
    kept = backlog.pop()
    assert kept is not None
    assert kept.topic == "c"
    assert [item.topic for item in backlog.loose(10)] == ["d"]
