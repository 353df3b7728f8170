"""An operator's connection: finds the site's master, asks it, and hears what it publishes."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import secrets
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any

from orchestrator.commands import mqtt_options, positive

if TYPE_CHECKING:
    from orchestrator.mqtt.client import MqttLink
    from orchestrator.mqtt.trouble import Trouble

URL = "LIGHTSOUT_MQTT"
TIMEOUT_S = 10.0
FIND_S = 2.0  # so long a broker has to show what is retained
AGAIN_S = 3.0  # a request without an answer is sent again; by its id it is done once
AT_ONCE = 50


class NoAnswer(ValueError):
    """Nobody is there to do it: who is missing, and the mend."""


def add(parser: argparse.ArgumentParser) -> None:
    """Options of all commands that speak to a master."""
    mqtt_options.add(parser)
    parser.add_argument("--site", metavar="ID", help="where several are served by one broker")
    parser.add_argument(
        "--timeout", type=positive, default=TIMEOUT_S, metavar="S", help=f"({TIMEOUT_S:g})"
    )
    parser.add_argument("--json", action="store_true", help="a JSON object a line")


def carry_out(
    arguments: argparse.Namespace, work: Callable[[Operator], Awaitable[int]], *, asks: bool
) -> int:
    """Connect and do it. Raises `NoAnswer`; without `asks` a master that is offline is only told of."""

    async def run() -> int:
        url = arguments.mqtt or os.environ.get(URL)
        if not url:
            raise NoAnswer(f"which broker? -> --mqtt URL, or name it in {URL}")
        link = mqtt_options.link(arguments, url)
        async with Operator(link, arguments.site, arguments.timeout) as operator:
            operator.look(asks=asks)
            return await work(operator)

    return asyncio.run(run())


class Operator:
    """`async with`: connected, and the site is found."""

    def __init__(self, link: MqttLink, site: str | None, timeout_s: float) -> None:
        self.link, self.timeout_s = link, timeout_s
        self.root, self.site = "", site
        self._abouts: dict[str, dict[str, Any]] = {}
        self._marks = 0
        self._replies: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._heard: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
        self._news = asyncio.Event()
        self._trouble: Trouble | None = None
        self._reader: asyncio.Task[None] | None = None
        self._slots = asyncio.Semaphore(AT_ONCE)
        link.on_trouble = self._troubled

    def _troubled(self, trouble: Trouble) -> None:
        self._trouble = trouble
        self._news.set()

    async def __aenter__(self) -> Operator:
        await self.link.__aenter__()
        try:
            self._reader = asyncio.create_task(self._read())
            self.link.subscribe("lightsout/v1/+/about", 1)
            await self._until(lambda: self.link.connected, self.timeout_s)
            if not self.link.connected:
                raise NoAnswer(
                    f"{self.link.address} doesn't answer: check the address, the port and "
                    "whether it wants TLS"
                )
            await self._find()
        except BaseException:
            await self.__aexit__(None, None, None)
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)
        await self.link.__aexit__(None, None, None)

    async def _find(self) -> None:
        from orchestrator.api.published import root  # noqa: PLC0415

        wanted = self.site
        await self._until(lambda: bool(self._abouts) and wanted in {None, *self._abouts}, FIND_S)
        if wanted is None and self._abouts:
            await asyncio.sleep(0.2)  # there may be others
        known = ", ".join(sorted(self._abouts))
        if not known:
            raise NoAnswer(
                f"no master ever was on {self.link.address} -> lightsout serve SITE --mqtt URL; "
                "or this user may not read lightsout/v1/#"
            )
        if wanted is None and len(self._abouts) > 1:
            raise NoAnswer(f"several sites are served there: {known} -> choose one by --site")
        self.site = wanted or next(iter(self._abouts))
        if self.site not in self._abouts:
            raise NoAnswer(f"no site {self.site!r} is served there -> there is: {known}")
        self.root = root(self.site)

    def look(self, *, asks: bool) -> None:
        """Is the master there? Raises `NoAnswer` where somebody asks it for something."""
        about = self._abouts[self.site or ""]
        if about["state"] != "ONLINE":
            text = (
                f"the master of {self.site} is offline (its last connection: {about['at']}) "
                "-> lightsout serve SITE --resume RUN"
            )
            if asks:
                raise NoAnswer(text)
            print(text, file=sys.stderr)

    async def ask(self, topic: str, request: dict[str, Any]) -> dict[str, Any]:
        """The answer: request, accepted, reason. Raises `NoAnswer`."""
        name = request.setdefault("request", secrets.token_hex(8))
        loop = asyncio.get_running_loop()
        answer = self._replies[name] = loop.create_future()
        payload = json.dumps(request).encode()
        async with self._slots:
            deadline = loop.time() + self.timeout_s
            while (left := deadline - loop.time()) > 0:
                self.link.publish(f"{self.root}/{topic}", payload, 1)
                done, _ = await asyncio.wait([answer], timeout=min(AGAIN_S, left))
                if done:
                    answered: dict[str, Any] = answer.result()
                    return answered
        self.look(asks=True)
        where = f" ({self._trouble})" if self._trouble is not None else ""
        raise NoAnswer(
            f"no answer from {self.site} within {self.timeout_s:g} s{where} -> a longer --timeout; "
            f"or this user may not write {self.root}/{topic}"
        )

    async def hear_replies(self) -> None:
        """Before asking."""
        await self.hear(f"{self.root}/replies")

    async def hear(self, *filters: str) -> None:
        """From now on, and what is retained."""
        for each in filters:
            self.link.subscribe(each, 1)
        try:
            await self.link.wait_up(self.timeout_s)
        except TimeoutError:
            raise NoAnswer(f"the connection with {self.link.address} is lost") from None

    async def retained(self, pattern: str) -> list[tuple[str, Any]]:
        """What is kept there now. (It comes before the mark that is asked for behind it.)"""
        marks = self._marks
        await self.hear(pattern)
        await self.hear(f"{self.root}/about")
        await self._until(lambda: self._marks > marks, self.timeout_s)
        found = []
        while not self._heard.empty():
            found.append(self._heard.get_nowait())
        return found

    async def news(self, seconds: float | None = None) -> AsyncIterator[tuple[str, Any]]:
        """What comes in: topic, content (None: nothing is kept there any more)."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while True:
                    yield await self._heard.get()

    async def _read(self) -> None:
        async for topic, payload, _ in self.link.messages():
            try:
                content = json.loads(payload) if payload else None
            except ValueError:
                continue
            if content is None or isinstance(content, dict):
                self._take(topic, content)
                self._news.set()

    def _take(self, topic: str, content: dict[str, Any] | None) -> None:
        name = topic.rsplit("/", 1)[-1]
        if name == "about":
            self._marks += topic == f"{self.root}/about"
            if content is not None and {"site", "state", "at"} <= set(content):
                self._abouts[content["site"]] = content
        elif name == "replies":
            waiting = self._replies.get(content.get("request", "")) if content else None
            if waiting is not None and not waiting.done():
                waiting.set_result(content or {})
        else:
            self._heard.put_nowait((topic, content))

    async def _until(self, condition: Callable[[], bool], seconds: float) -> None:
        """Wait for it so long; raises `NoAnswer` when there is no connection."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not condition():
                    if self._trouble is not None and not self.link.connected:
                        raise NoAnswer(str(self._trouble))
                    self._news.clear()
                    waiting = asyncio.create_task(self._news.wait())
                    await asyncio.wait([waiting], timeout=0.05)
                    waiting.cancel()
