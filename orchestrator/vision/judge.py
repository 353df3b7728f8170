"""From what the core asks a camera, and the picture that it took, to the event that answers it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from typing import get_args

from orchestrator.core.messages import ImageRead, RequestInference
from orchestrator.core.site import Look
from orchestrator.vision.chain import Chain
from orchestrator.vision.model import TASKS, Picture, Question
from orchestrator.vision.pictures import Pictures

Known = Callable[[RequestInference], Collection[str]]


class Judge:
    """`known`: ids or SKUs that a picture could show; `pictures`: where it is kept, if at all."""

    def __init__(self, chain: Chain, known: Known, pictures: Pictures | None = None) -> None:
        self.chain, self._known, self._pictures = chain, known, pictures
        self.unkept: Counter[str] = Counter()  # pictures that could not be kept, by reason

    async def answer(self, request: RequestInference, picture: Picture) -> ImageRead:
        """Never raises, and takes no longer than the task's deadline."""
        verdict = await self.chain.judge(picture, self.question(request))
        return ImageRead(
            request=request.request,
            outcome=verdict.outcome,
            value=verdict.value,
            confidence_permille=round(1000 * verdict.confidence),
            model=verdict.model,
            latency_us=round(1000 * verdict.latency_ms),
            image=self.keep(picture, bad=verdict.outcome != "ok"),
        )

    def question(self, request: RequestInference) -> Question:
        """What is asked about the picture."""
        assert request.task in TASKS, request.task
        look: Look = request.look if request.look in get_args(Look) else ""  # type: ignore[assignment]
        known = self._known(request)
        return Question(
            request.task, request.expected, known, request.subject, look, camera_of(request)
        )

    def remember(self, request: RequestInference, image: str) -> None:
        """A picture that was judged before we came: its camera must not send it of something else."""
        if image:
            of = request.task, request.subject, request.expected
            self.chain.frozen.before(camera_of(request), image, of)

    def hangs(self, request: RequestInference) -> bool:
        """The camera that was asked has sent the same picture so often that it must be seen to."""
        return self.chain.frozen.hangs(camera_of(request))

    def keep(self, picture: Picture, *, bad: bool) -> str:
        """Its name; "" where it could not be kept."""
        if self._pictures is None:
            return ""
        try:
            return self._pictures.keep(picture, bad=bad)
        except OSError as error:  # a full disk is no reason to stop reading labels
            self.unkept[error.strerror or type(error).__name__] += 1
            return ""


def camera_of(request: RequestInference) -> str:
    """Its name; "" where it belongs to no station."""
    return f"{request.station}:{request.capability}" if request.station >= 0 else ""
