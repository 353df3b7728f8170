"""A model behind KServe v2 (Open Inference Protocol), such as Triton, over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import numpy as np

from orchestrator.vision.batching import Asked
from orchestrator.vision.model import Picture, PictureError, Question, ReaderError, Reading
from orchestrator.vision.readers.posting import Poster
from orchestrator.vision.readers.tensors import Array, meaning, outputs, tensor
from orchestrator.vision.readers_file import KserveFile

REPLY_BYTES_MAX = 64 * 1024 * 1024  # boxes of many pictures
MEND = "look at `url`, `model`, `before` and `after`"
MENDS = {400: MEND, 401: "look at the key", 403: "look at the key", 404: MEND, 422: MEND}
LENGTH = "inference-header-content-length"
DTYPES = {"float32": "FP32", "float16": "FP16", "uint8": "UINT8"}


class Kserve:
    """Several pictures go in one call, up to `batch_max`."""

    remote = True

    def __init__(self, name: str, settings: KserveFile) -> None:
        self.name, self.tasks = name, settings.tasks
        self.batch_max = settings.batch_max
        self._settings = settings
        self._poster = Poster(settings.timeout_s, settings.key_env, MENDS)
        version = f"/versions/{quote(settings.version, safe='')}" if settings.version else ""
        model = quote(settings.model, safe="")
        self._url = f"{settings.url.rstrip('/')}/v2/models/{model}{version}/infer"

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

    async def warm(self) -> None:
        """Load what the first call needs."""
        await asyncio.to_thread(_protocol)
        await self._poster.warm()

    async def close(self) -> None:
        """Close its connections."""
        await self._poster.close()

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
        triton = _protocol()
        settings = self._settings
        given = triton.InferInput(
            settings.before.input or "input", list(batch.shape), DTYPES[settings.before.dtype]
        )
        given.set_data_from_numpy(batch, binary_data=settings.binary)
        wanted = outputs(settings.after)
        named = [
            triton.InferRequestedOutput(name, binary_data=settings.binary)
            for name in wanted
            if name
        ]
        client = triton.InferenceServerClient
        body, length = client.generate_request_body([given], outputs=named or None)
        headers = {"content-type": "application/json"}
        if length is not None:
            headers = {"content-type": "application/octet-stream", LENGTH: str(length)}
        said, told = await self._poster.post(self._url, body, headers, REPLY_BYTES_MAX)
        try:
            head = int(told[LENGTH]) if LENGTH in told else None
            result = client.parse_response_body(said, header_length=head)
            return {name: _array(result, name, len(batch)) for name in wanted}
        except ReaderError:
            raise
        except Exception as error:  # tritonclient says of nothing what it raises
            raise ReaderError(
                "broken", f"the reply is no inference ({type(error).__name__})"
            ) from None


def _protocol() -> Any:
    """Its messages, made and read by Triton's own client."""
    try:
        import tritonclient.http  # noqa: PLC0415
    except ImportError:
        mend = "pip install 'lightsout[triton]'"
        raise ReaderError("refused", f"tritonclient is missing -> {mend}") from None
    return tritonclient.http


def _array(result: Any, name: str, rows: int) -> Array:
    """One output; "" is the first. Raises `ReaderError` and what a reply without form raises."""
    name = name or result.get_response()["outputs"][0]["name"]
    array: Array | None = result.as_numpy(name)
    if array is None:
        raise ReaderError("schema", f"the reply has no tensor {name!r}")
    if array.ndim == 0 or array.shape[0] != rows:
        raise ReaderError("schema", f"{name!r} does not begin with the batch of {rows}")
    return array
