"""Vision-language models behind an OpenAI-compatible API: vLLM, SGLang, Ollama, DashScope and others.

How calls are made, `orchestrator.vision.readers.posting` says.
"""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import msgspec

from orchestrator.vision.model import Picture, Question, ReaderError, Reading, Task
from orchestrator.vision.readers.answers import SYSTEM, meaning, schema, words
from orchestrator.vision.readers.posting import Poster
from orchestrator.vision.readers.shrinking import shrunk
from orchestrator.vision.readers_file import OWN, OpenAIFile

REPLY_BYTES_MAX = 256 * 1024
MENDS = {
    400: "does it know `answers` and `options`?",
    401: "look at the key",
    403: "look at the key",
    404: "look at `url` and `model`",
    413: "lower `side_px_max`",
    422: "does it know `answers` and `options`?",
}
ABORTED = ("abort", "error")
QUIET = "switch thinking off by `options`, or raise `tokens_max`"


class _Message(msgspec.Struct):
    content: str | None = None
    refusal: str | None = None
    reasoning: str | None = None  # vLLM, Ollama: what a model said to itself
    reasoning_content: str | None = None  # the same: SGLang, DashScope, vLLM before


class _Choice(msgspec.Struct):
    message: _Message
    finish_reason: str | None = None


class _Reply(msgspec.Struct):
    choices: list[_Choice]
    model: str = ""


class OpenAI:
    """Asks one model. Raises `ReaderError` alone; see `ReaderError` for the kinds."""

    remote = True

    def __init__(self, name: str, settings: OpenAIFile) -> None:
        self.name, self.tasks = name, settings.tasks
        self._settings = settings
        self._url = f"{settings.url.rstrip('/')}/chat/completions"
        self._poster = Poster(
            settings.timeout_s, settings.key_env, MENDS, ca_file=settings.ca_file,
            proxy_from_environment=settings.proxy_from_environment,
        )  # fmt: skip

    async def read(self, picture: Picture, question: Question) -> Reading:
        """One call of the API."""
        settings = self._settings
        small = await asyncio.to_thread(
            shrunk, picture, settings.side_px_max, settings.picture_bytes_max
        )
        body = msgspec.json.encode(self._body(small, question.task))
        kind = {"content-type": "application/json"}
        said, _ = await self._poster.post(self._url, body, kind, REPLY_BYTES_MAX)
        reply = _decoded(said)
        value, also, confidence = meaning(_content(reply), question)
        return Reading(value, confidence, self.name, reply.model[:80], also)

    async def warm(self) -> None:
        """Load what the first call needs."""
        await self._poster.warm()

    async def close(self) -> None:
        """Close its connections."""
        await self._poster.close()

    def _body(self, picture: Picture, task: Task) -> dict[str, Any]:
        settings = self._settings
        url = f"data:{picture.media_type};base64,{base64.b64encode(picture.data).decode('ascii')}"
        text = words(task, settings.instructions.get(task, ""), settings.answers != "json_schema")
        body: dict[str, Any] = {
            "model": settings.model,
            "temperature": 0,
            "max_tokens": settings.tokens_max,
            "messages": [
                {"role": "system", "content": SYSTEM},
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": text},
                        {"type": "image_url", "image_url": {"url": url}},
                    ],
                },
            ],
        }
        if settings.answers == "json_schema":
            form = {"name": task, "strict": True, "schema": schema(task)}
            body["response_format"] = {"type": "json_schema", "json_schema": form}
        elif settings.answers == "json_object":
            body["response_format"] = {"type": "json_object"}
        body.update((key, value) for key, value in settings.options.items() if key not in OWN)
        return {key: value for key, value in body.items() if value is not None}


def _decoded(body: bytes) -> _Reply:
    try:
        return msgspec.json.decode(body, type=_Reply)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        raise ReaderError("broken", "the reply is no chat completion") from None


def _content(reply: _Reply) -> str:
    if not reply.choices:
        raise ReaderError("schema", "the reply holds no choice")
    choice = reply.choices[0]
    said = choice.message
    if said.refusal or choice.finish_reason == "content_filter":
        raise ReaderError("schema", "the model declined to answer")
    if choice.finish_reason in ABORTED:
        raise ReaderError("broken", "the server gave the answer up")
    thought = bool(said.reasoning or said.reasoning_content)
    if choice.finish_reason == "length":
        mend = QUIET if thought else "raise `tokens_max`"
        raise ReaderError("schema", f"the answer was cut off -> {mend}")
    if thought and not (said.content or "").strip():
        raise ReaderError("schema", f"the model thought, and answered nothing -> {QUIET}")
    return said.content or ""
