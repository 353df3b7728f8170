"""A server that speaks KServe v2 over HTTP and runs a model, with binary tensors and without."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import numpy as np
import onnxruntime
from stub_server import HangUp, StubServer, send

NAMES = {"FP32": np.float32, "FP16": np.float16, "UINT8": np.uint8}


class StubKserve(StubServer):
    """Runs an ONNX model on what it gets."""

    def __init__(self, model: bytes) -> None:
        super().__init__()
        self._model = onnxruntime.InferenceSession(model)
        self.batches: list[int] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def parsed(self, headers: dict[str, str], body: bytes) -> Any:
        length = int(headers.get("inference-header-content-length", len(body)))
        request = json.loads(body[:length])
        (given,) = request["inputs"]
        kind = NAMES[given["datatype"]]
        if "data" in given:
            array = np.array(given["data"], kind)
        else:
            assert given["parameters"]["binary_data_size"] == len(body) - length
            array = np.frombuffer(body[length:], kind)
        self.batches.append(given["shape"][0])
        outputs = request.get("outputs", [])
        binary = request.get("parameters", {}).get("binary_data_output", False) or any(
            one["parameters"]["binary_data"] for one in outputs
        )
        return array.reshape(given["shape"]).astype(np.float32), binary

    def _reply(self, request: Any, rows: int | None = None) -> tuple[bytes, str]:
        array, binary = request
        (found,) = self._model.run(None, {"x": array})
        found = found[:rows]
        output: dict[str, Any] = {
            "name": "logits", "datatype": "FP32", "shape": list(found.shape),
        }  # fmt: skip
        data = found.astype("<f4").tobytes() if binary else b""
        if binary:
            output["parameters"] = {"binary_data_size": len(data)}
        else:
            output["data"] = found.ravel().tolist()
        head = json.dumps({"model_name": "m", "outputs": [output]}).encode()
        extra = f"Inference-Header-Content-Length: {len(head)}\r\n" if binary else ""
        return head + data, extra

    async def _good(self, request: Any, writer: asyncio.StreamWriter) -> None:
        body, extra = self._reply(request)
        send(writer, 200, body, extra)

    async def _short(self, request: Any, writer: asyncio.StreamWriter) -> None:
        body, extra = self._reply(request, rows=request[0].shape[0] - 1)
        send(writer, 200, body, extra)

    async def _half(self, request: Any, writer: asyncio.StreamWriter) -> None:
        body, extra = self._reply(request)
        writer.write(f"HTTP/1.1 200 X\r\n{extra}Content-Length: {len(body)}\r\n\r\n".encode())
        writer.write(body[: len(body) // 2])
        await writer.drain()
        raise HangUp

    async def _other(self, request: Any, writer: asyncio.StreamWriter) -> None:
        output = {"name": "weather", "datatype": "FP32", "shape": [1], "data": [1.0]}
        send(writer, 200, json.dumps({"outputs": [output]}).encode())

    async def _nothing(self, request: Any, writer: asyncio.StreamWriter) -> None:
        send(writer, 200, b"{}")

    async def _lying(self, request: Any, writer: asyncio.StreamWriter) -> None:
        output = {"name": "logits", "datatype": "FP32", "shape": [1, 2], "data": [1.0] * 7}
        send(writer, 200, json.dumps({"outputs": [output]}).encode())

    async def _moved(self, request: Any, writer: asyncio.StreamWriter) -> None:
        send(writer, 307, b"", f"Location: {self.url}/elsewhere\r\n")

    async def _endless(self, request: Any, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"10000\r\n" + bytes(0x10000) + b"\r\n")
            await writer.drain()

    async def _unknown(self, request: Any, writer: asyncio.StreamWriter) -> None:
        send(writer, 404, b'{"error": "no such model"}')
