"""A model behind KServe v2 (Open Inference Protocol), such as Triton, over HTTP."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from orchestrator.vision.batching import Asked
from orchestrator.vision.model import Picture, PictureError, Question, ReaderError, Reading
from orchestrator.vision.readers.tensors import Array, meaning, outputs, tensor
from orchestrator.vision.readers_file import KserveFile

DTYPES = {"float32": "FP32", "float16": "FP16", "uint8": "UINT8"}


class Kserve:
    """Several pictures go in one call, up to `batch_max`."""

    remote = True

    def __init__(self, name: str, settings: KserveFile) -> None:
        self.name, self.tasks = name, settings.tasks
        self.batch_max = settings.batch_max
        self._settings = settings
        self._client: tuple[asyncio.AbstractEventLoop, Any] | None = None

    async def read(self, picture: Picture, question: Question) -> Reading:
        """One picture alone."""
        (said,) = await self.read_many([(picture, question)])
        if isinstance(said, Exception):
            raise said
        return said

    async def read_many(
        self, asked: Sequence[Asked]
    ) -> Sequence[Reading | ReaderError | PictureError]:
        """One call for all pictures that are pictures."""
        tensors = await asyncio.to_thread(self._tensors, asked)
        good = [one for one in tensors if not isinstance(one, PictureError)]
        arrays = await self._infer(np.stack(good)) if good else {}
        said: list[Reading | ReaderError | PictureError] = []
        row = 0
        for (_, question), one in zip(asked, tensors, strict=True):
            if isinstance(one, PictureError):
                said.append(one)
                continue
            said.append(self._reading({name: of[row] for name, of in arrays.items()}, question))
            row += 1
        return said

    async def close(self) -> None:
        """Close its connections."""
        if self._client is not None and self._client[0] is asyncio.get_running_loop():
            await self._client[1].close()
        self._client = None

    def _tensors(self, asked: Sequence[Asked]) -> list[Array | PictureError]:
        done: list[Array | PictureError] = []
        for picture, _ in asked:
            try:
                done.append(tensor(picture.image(), self._settings.before))
            except PictureError as error:
                done.append(error)
        return done

    def _reading(self, found: dict[str, Array], question: Question) -> Reading | ReaderError:
        try:
            value, also, confidence = meaning(found, self._settings.after, question)
        except ReaderError as error:
            return error
        return Reading(value, confidence, self.name, also=also)

    async def _infer(self, batch: Array) -> dict[str, Array]:
        """The tensors that are needed, with the batch's dimension first."""
        try:
            import aiohttp  # noqa: PLC0415
            from tritonclient.http import InferInput, InferRequestedOutput  # noqa: PLC0415
            from tritonclient.utils import InferenceServerException  # noqa: PLC0415
        except ImportError:
            mend = "pip install 'lightsout[triton]'"
            raise ReaderError("refused", f"tritonclient is missing -> {mend}") from None
        settings = self._settings
        given = InferInput(
            settings.before.input or "input", list(batch.shape), DTYPES[settings.before.dtype]
        )
        given.set_data_from_numpy(batch, binary_data=settings.binary)
        wanted = outputs(settings.after)
        named = [InferRequestedOutput(name, binary_data=settings.binary) for name in wanted if name]
        try:
            result = await self._connected().infer(
                settings.model, [given], settings.version, named or None, headers=self._headers()
            )
            return {name: _array(result, name, len(batch)) for name in wanted}
        except InferenceServerException as error:
            raise _refusal(str(error.status() or "")) from None
        except (TimeoutError, aiohttp.ServerTimeoutError):
            raise ReaderError("timeout", "no reply in time") from None
        except aiohttp.ClientConnectorError as error:
            raise ReaderError("offline", f"no connection ({type(error).__name__})") from None
        except aiohttp.ClientError as error:
            raise ReaderError("broken", f"the call broke off ({type(error).__name__})") from None
        except (ValueError, TypeError, KeyError, IndexError, UnicodeError) as error:
            raise ReaderError(
                "broken", f"the reply is no inference ({type(error).__name__})"
            ) from None

    def _headers(self) -> dict[str, str]:
        name = self._settings.key_env
        if not name:
            return {}
        key = os.environ.get(name, "").strip()
        if not key or not (key.isascii() and key.isprintable()):
            raise ReaderError("refused", f"no key -> set the environment variable {name}")
        return {"Authorization": f"Bearer {key}"}

    def _connected(self) -> Any:
        from tritonclient.http.aio import InferenceServerClient  # noqa: PLC0415

        loop = asyncio.get_running_loop()
        if self._client is None or self._client[0] is not loop:
            parts = urlsplit(self._settings.url)
            client = InferenceServerClient(
                f"{parts.netloc}{parts.path}",
                ssl=parts.scheme == "https",
                ssl_context=None,
                conn_timeout=self._settings.timeout_s,
            )
            self._client = loop, client
        return self._client[1]


def _array(result: Any, name: str, rows: int) -> Array:
    """One output; "" is the first. Raises `ReaderError` and what a reply without form raises."""
    name = name or result.get_response()["outputs"][0]["name"]
    array: Array | None = result.as_numpy(name)
    if array is None:
        raise ReaderError("schema", f"the reply has no tensor {name!r}")
    if array.ndim == 0 or array.shape[0] != rows:
        raise ReaderError("schema", f"{name!r} does not begin with the batch of {rows}")
    return array


def _refusal(status: str) -> ReaderError:
    text = f"the server answered with status {status or 'unknown'}"
    if status in ("429", "503"):  # too many wait already, or the model is being loaded
        return ReaderError("limited", text)
    if status in ("408", "504"):
        return ReaderError("timeout", text)
    if status.startswith("5") or not status:
        return ReaderError("broken", text)
    return ReaderError("refused", f"{text} -> look at `url`, `model`, `before` and `after`")
