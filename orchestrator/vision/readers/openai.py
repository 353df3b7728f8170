"""Vision-language models behind an OpenAI-compatible API: vLLM, SGLang, Ollama, DashScope and others.

The key is read from the environment when it is needed and kept nowhere. Of what a server says about an
error only the status goes on: some quote the key.
"""

from __future__ import annotations

import asyncio
import base64
import math
import os
import ssl
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import msgspec

from orchestrator.vision.model import Picture, Question, ReaderError, Reading, Task
from orchestrator.vision.readers.answers import SYSTEM, meaning, schema, words
from orchestrator.vision.readers.shrinking import shrunk
from orchestrator.vision.readers_file import OWN, OpenAIFile

if TYPE_CHECKING:
    import httpx

REPLY_BYTES_MAX = 256 * 1024
AFTER_S_MAX = 3600.0
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
        self._client: tuple[asyncio.AbstractEventLoop, httpx.AsyncClient] | None = None

    async def read(self, picture: Picture, question: Question) -> Reading:
        """One call of the API."""
        settings = self._settings
        small = await asyncio.to_thread(
            shrunk, picture, settings.side_px_max, settings.picture_bytes_max
        )
        body = msgspec.json.encode(self._body(small, question.task))
        reply = _decoded(await self._post(body))
        value, also, confidence = meaning(_content(reply), question)
        return Reading(value, confidence, self.name, reply.model[:80], also)

    async def close(self) -> None:
        """Close its connections."""
        if self._client is not None and self._client[0] is asyncio.get_running_loop():
            await self._client[1].aclose()
        self._client = None

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

    async def _post(self, body: bytes) -> bytes:
        """The reply's body, bounded, of a call that succeeded."""
        import httpx  # noqa: PLC0415

        url = f"{self._settings.url.rstrip('/')}/chat/completions"
        try:
            headers = self._headers()
            async with self._connected().stream(
                "POST", url, content=body, headers=headers
            ) as reply:
                _check(reply.status_code, reply.headers.get("retry-after", ""))
                parts, size = [], 0
                async for part in reply.aiter_raw():
                    parts.append(part)
                    size += len(part)
                    if size > REPLY_BYTES_MAX:
                        raise ReaderError("schema", f"a reply of more than {REPLY_BYTES_MAX} bytes")
                return b"".join(parts)
        except (
            httpx.ConnectError,
            httpx.ConnectTimeout,
            httpx.PoolTimeout,
            httpx.ProxyError,
        ) as error:
            raise ReaderError("offline", f"no connection ({type(error).__name__})") from None
        except httpx.TimeoutException as error:
            raise ReaderError("timeout", f"no reply in time ({type(error).__name__})") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ReaderError("broken", f"the call broke off ({type(error).__name__})") from None

    def _headers(self) -> dict[str, str]:
        headers = {"content-type": "application/json", "accept-encoding": "identity"}
        if name := self._settings.key_env:
            key = os.environ.get(name, "").strip()
            if not key:
                raise ReaderError("refused", f"no key -> set the environment variable {name}")
            if not (key.isascii() and key.isprintable()):
                raise ReaderError("refused", f"what {name} holds is no key -> set it anew")
            headers["authorization"] = f"Bearer {key}"
        return headers

    def _connected(self) -> httpx.AsyncClient:
        """One client per event loop; connections are kept."""
        import httpx  # noqa: PLC0415

        loop = asyncio.get_running_loop()
        if self._client is None or self._client[0] is not loop:
            settings = self._settings
            verify: ssl.SSLContext | bool = True
            if settings.ca_file:
                verify = ssl.create_default_context(cafile=settings.ca_file)
            client = httpx.AsyncClient(
                timeout=httpx.Timeout(settings.timeout_s, connect=min(5.0, settings.timeout_s)),
                verify=verify,
                follow_redirects=False,  # the key goes nowhere else
                trust_env=settings.proxy_from_environment,
            )
            self._client = loop, client
        return self._client[1]


def _check(status: int, retry_after: str) -> None:
    """Raises what a status means."""
    if status == 200:
        return
    text = f"the server answered with status {status}"
    if status == 429:
        raise ReaderError("limited", text, seconds_of(retry_after))
    if status in (408, 504):
        raise ReaderError("timeout", text)
    if status == 503:  # Ollama and SGLang: too many wait already
        raise ReaderError("limited", text, seconds_of(retry_after))
    if status >= 500:
        raise ReaderError("broken", text, seconds_of(retry_after))
    mends = {
        400: "does it know `answers` and `options`?",
        401: "look at the key",
        403: "look at the key",
        404: "look at `url` and `model`",
        413: "lower `side_px_max`",
        422: "does it know `answers` and `options`?",
    }
    mend = mends.get(status, "give the final `url`" if 300 <= status < 400 else "look at `url`")
    raise ReaderError("refused", f"{text} -> {mend}")


def seconds_of(retry_after: str) -> float:
    """A Retry-After header: seconds or a date; 0 where it is neither."""
    try:
        seconds = float(retry_after)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(retry_after) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError, OverflowError):
            return 0.0
    return 0.0 if math.isnan(seconds) else min(max(seconds, 0.0), AFTER_S_MAX)


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
