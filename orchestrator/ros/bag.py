"""MCAP files as `ros2 bag` and Foxglove open them: CDR messages, their definitions, and what quality
of service they were offered with, so that late joiners of a replay get what is latched."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import msgspec

from orchestrator.core.messages import Entry, encode
from orchestrator.journal import RunFileError
from orchestrator.journal.reader import Batch as JournalBatch
from orchestrator.ros import cdr, definitions, topics
from orchestrator.ros.display import Said
from orchestrator.ros.recording import FORMAT, About, Batch, Kept
from orchestrator.ros.topics import Topic

MAGIC = b"\x89MCAP0\r\n"
CHUNK_BYTES = 1024 * 1024
MISSING = "MCAP files need a package that is missing -> pip install mcap"
NEVER = "sec: 9223372036, nsec: 854775807"


class BagError(ValueError):
    """A bag that can't be written."""


def is_mcap(path: Path) -> bool:
    """By its first bytes."""
    try:
        with path.open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


def qos(topic: Topic) -> str:
    """`offered_qos_profiles` of a channel, in the numbers that every distribution reads."""
    durability = 1 if topic.latched else 2
    return (
        f"- history: 1\n  depth: {topic.depth}\n  reliability: 1\n  durability: {durability}\n"
        f"  deadline: {{{NEVER}}}\n  lifespan: {{{NEVER}}}\n  liveliness: 1\n"
        f"  liveliness_lease_duration: {{{NEVER}}}\n  avoid_ros_namespace_conventions: false"
    )


class BagWriter:
    """One file. Chunks are compressed and leave as they fill up. Raises `BagError` without `mcap`."""

    def __init__(self, out: IO[bytes], namespace: str = "lightsout", version: str = "") -> None:
        try:
            from mcap.writer import Writer  # noqa: PLC0415
        except ImportError as error:
            raise BagError(MISSING) from error
        self._namespace = namespace
        self._writer: Any = Writer(out, chunk_size=CHUNK_BYTES)
        self._writer.start(profile="ros2", library=f"lightsout {version}".strip())
        self._schemas: dict[str, int] = {}
        self._channels: dict[str, int] = {}
        self._counts: dict[int, int] = {}
        self.count = 0

    def add(self, said: Said) -> None:
        """One message."""
        topic = said.topic
        channel = self._channels.get(topic.name)
        if channel is None:
            channel = self._channels[topic.name] = self._channel(topic)
        number = self._counts[channel] = self._counts.get(channel, 0) + 1
        self._writer.add_message(
            channel_id=channel, log_time=said.time_ns, publish_time=said.time_ns,
            data=cdr.encode(said.message), sequence=number,
        )  # fmt: skip
        self.count += 1

    def close(self) -> None:
        """Write the index."""
        self._writer.finish()

    def _channel(self, topic: Topic) -> int:
        schema = self._schemas.get(topic.type)
        if schema is None:
            text = definitions.schema(topic.type).encode()
            schema = self._writer.register_schema(name=topic.type, encoding="ros2msg", data=text)
            self._schemas[topic.type] = schema
        channel: int = self._writer.register_channel(
            topic=topics.placed(topic, self._namespace),
            message_encoding="cdr",
            schema_id=schema,
            metadata={"offered_qos_profiles": qos(topic), "topic_type_hash": ""},
        )
        return channel


class BagRun:
    """The run that a bag holds, as `journal.RunReader` gives it. Raises `RunFileError`."""

    def __init__(self, path: Path) -> None:
        try:
            from mcap.reader import make_reader  # noqa: PLC0415
        except ImportError as error:
            raise RunFileError(path, "is an MCAP file", MISSING.partition(" -> ")[2]) from error
        self.path = path
        self._file = path.open("rb")
        try:
            self._reader: Any = make_reader(self._file, validate_crcs=True)
            self._places = self._found()
            self.meta = self._read_meta()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> BagRun:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def batches(self, from_seq: int = 0) -> Iterator[JournalBatch]:
        """Entry by entry as it was journalled; each batch must have what its record says."""
        entries: list[bytes] = []
        for topic, text in self._texts(topics.JOURNAL, topics.BATCHES):
            if topic == topics.JOURNAL:
                kept = self._decoded(text, Kept)
                entries.append(encode(Entry(kept.time_ns, kept.seq, kept.event)))
                continue
            batch = self._decoded(text, Batch)
            if len(entries) != batch.count:
                what = f"holds {len(entries)} of {batch.count} events from {batch.first_seq} on"
                raise RunFileError(self.path, what, "export it again")
            if batch.first_seq + batch.count > from_seq:
                yield batch.first_seq, entries, batch.chain, batch.commands, batch.commands_chain
            entries = []
        if entries:
            what = f"ends with {len(entries)} events without their batch"
            raise RunFileError(self.path, what, "export it again")

    def _found(self) -> dict[str, Topic]:
        """Topic -> which of ours it is, whatever the namespace."""
        summary = self._checked(self._reader.get_summary)
        found = {}
        for channel in summary.channels.values() if summary else ():
            for topic in (topics.RUN, topics.JOURNAL, topics.BATCHES):
                if channel.topic.endswith(f"/{topic.name}"):
                    found[channel.topic] = topic
        return found

    def _read_meta(self) -> dict[str, Any]:
        text = next((text for _, text in self._texts(topics.RUN)), None)
        if text is None:
            raise RunFileError(
                self.path, "holds no run", "lightsout export RUN --mcap FILE makes one"
            )
        about: About = self._decoded(text, About)
        if about.lightsout_run != FORMAT:
            what = f"has format {about.lightsout_run}, this is {FORMAT}"
            raise RunFileError(self.path, what, "export it again with this version")
        if about.meta.get("span"):
            mend = "export it without --from and --to"
            raise RunFileError(self.path, "holds a part of a run", mend)
        return about.meta

    def _texts(self, *wanted: Topic) -> Iterator[tuple[Topic, str]]:
        names = [name for name, topic in self._places.items() if topic in wanted]
        if not names:
            return
        messages = self._reader.iter_messages(topics=names)
        while True:
            item = self._checked(lambda: next(messages, None))
            if item is None:
                return
            _, channel, message = item
            try:
                yield self._places[channel.topic], cdr.decode_string(message.data)
            except cdr.CdrError as error:
                where = f"{channel.topic}, message {message.sequence}"
                raise RunFileError(self.path, f"{where} {error}", "export it again") from error

    def _checked(self, read: Any) -> Any:
        from mcap.exceptions import McapError  # noqa: PLC0415

        try:
            return read()
        except (McapError, EOFError, ValueError, IndexError) as error:
            what = f"is damaged: {error or type(error).__name__}"
            raise RunFileError(self.path, what, "export it again") from error

    def _decoded(self, text: str, kind: Any) -> Any:
        try:
            return msgspec.json.decode(text, type=kind)
        except msgspec.MsgspecError as error:
            what = f"holds something that is no {kind.__name__.lower()}: {error}"
            raise RunFileError(self.path, what, "export it again") from error
