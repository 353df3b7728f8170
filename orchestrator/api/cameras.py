"""Cameras whose pictures are judged here: asked like equipment, answered by the picture itself.

`TakePicture` goes to `…/equipment/commands`; the picture (JPEG or PNG, as it is) comes on
`…/equipment/pictures/<request>`. Whoever may be asked twice answers twice: the first picture counts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from orchestrator.api.naming import Naming
from orchestrator.api.published import root
from orchestrator.core.message import Message
from orchestrator.core.messages import (
    Command,
    Event,
    ImageRead,
    RequestInference,
    StationFaulted,
)
from orchestrator.vision.frozen import HANGS
from orchestrator.vision.judge import Judge
from orchestrator.vision.model import Picture

OPEN_MAX = 10_000
QOS = 1


class TakePicture(Message, frozen=True, kw_only=True):
    """What the camera is to look at; without a station it is the floor camera above the lane `subject`.
    It is not told what it should see. `view` counts earlier looks at the same; with `look: angle`
    another view of it is wanted."""

    request: int
    task: str
    station: int = -1
    subject: str
    capability: str = ""
    view: int = 0
    look: str = ""

    @staticmethod
    def of(asked: RequestInference) -> TakePicture:
        """All of it but what is expected."""
        return TakePicture(
            request=asked.request,
            task=asked.task,
            station=asked.station,
            subject=asked.subject,
            capability=asked.capability,
            view=asked.view,
            look=asked.look,
        )

    def plain(self) -> RequestInference:
        """The same without what is expected: for a camera of the fake world."""
        return RequestInference(
            request=self.request,
            task=self.task,
            station=self.station,
            subject=self.subject,
            expected="",
            capability=self.capability,
            view=self.view,
            look=self.look,
        )


class Cameras:
    """The core's side; `judge` says what a picture shows."""

    def __init__(
        self,
        site_id: str,
        naming: Naming,
        publish: Callable[[str, bytes, int, bool], object],
        post: Callable[[Event], None],
        judge: Judge,
        alarm: Callable[[str, str], None],
    ) -> None:
        self._naming, self._publish, self._post, self._judge = naming, publish, post, judge
        self._alarm = alarm
        self.commands_topic = f"{root(site_id)}/equipment/commands"
        self._pictures = f"{root(site_id)}/equipment/pictures/"
        self._open: dict[int, RequestInference] = {}
        self._before: dict[int, RequestInference] = {}  # asked by a server that is gone
        self._judging: set[asyncio.Task[None]] = set()
        self.unasked = 0  # pictures that nobody waits for

    @property
    def filter(self) -> str:
        """What to subscribe to."""
        return f"{self._pictures}+"

    def command(self, command: Command) -> bool:
        """Ask for a picture; False: the command is none that wants one."""
        if not isinstance(command, RequestInference):
            return False
        _put(self._open, command)
        payload = self._naming.encode(TakePicture.of(command))
        self._publish(self.commands_topic, payload, QOS, False)
        return True

    def message(self, topic: str, payload: bytes) -> bool:
        """A picture came in; False: it is none."""
        if not topic.startswith(self._pictures):
            return False
        number = topic.removeprefix(self._pictures)
        usable = number.isascii() and number.isdecimal() and len(number) < 20
        asked = self._open.pop(int(number), None) if usable else None
        if asked is None:
            self.unasked += 1
            return True
        self._begin(self._answer(asked, Picture(payload)))
        return True

    def folded(self, event: Event, commands: Iterable[Command]) -> None:
        """What the journal of a server that is gone says: which camera sent which picture of what."""
        if isinstance(event, ImageRead):
            asked = self._before.pop(event.request, None)
            if asked is not None:
                self._judge.remember(asked, event.image)
        for command in commands:
            if isinstance(command, RequestInference):
                _put(self._before, command)

    def warm(self) -> None:
        """Have the readers load what they need, before the first picture waits for it."""
        self._begin(self._judge.chain.warm())

    def figures(self) -> dict[str, Any]:
        """What became of the pictures, and how the readers are."""
        chain = self._judge.chain.figures()
        return {"unasked": self.unasked, "unkept": dict(self._judge.unkept), **chain}

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._judging.add(task)
        task.add_done_callback(self._judging.discard)

    async def _answer(self, asked: RequestInference, picture: Picture) -> None:
        self._post(await self._judge.answer(asked, picture))
        if self._judge.hangs(asked):
            station, capability = asked.station, asked.capability
            self._alarm(f"{self._naming.name('station', station)}:{capability}", HANGS)
            self._post(StationFaulted(station=station, capability=capability, reason=HANGS))

    async def close(self) -> None:
        """Let go of what the readers hold; what is being judged is asked for again after a restart."""
        for task in self._judging:
            task.cancel()
        await self._judge.chain.close()


def _put(asked: dict[int, RequestInference], command: RequestInference) -> None:
    """Bounded; whoever is asked again comes last."""
    asked[command.request] = command
    if len(asked) > OPEN_MAX:
        del asked[next(iter(asked))]
