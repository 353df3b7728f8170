"""Small ONNX models, written as protobuf bytes: one knows colours, one finds bright spots."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np

FLOAT, INT64 = 1, 7


def _varint(number: int) -> bytes:
    out = bytearray()
    while True:
        out.append((number & 0x7F) | (0x80 if number > 0x7F else 0))
        number >>= 7
        if not number:
            return bytes(out)


def _int(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, value: bytes | str) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return _varint(field << 3 | 2) + _varint(len(data)) + data


def _value(name: str, shape: Sequence[int | str]) -> bytes:
    dims = b"".join(
        _bytes(1, _int(1, size) if isinstance(size, int) else _bytes(2, size)) for size in shape
    )
    kind = _bytes(1, _int(1, FLOAT) + _bytes(2, dims))
    return _bytes(1, name) + _bytes(2, kind)


def _constant(name: str, array: np.ndarray) -> bytes:
    kind = INT64 if array.dtype == np.int64 else FLOAT
    dims = b"".join(_int(1, size) for size in array.shape)
    return dims + _int(2, kind) + _bytes(8, name) + _bytes(9, array.tobytes())


def _node(op: str, inputs: Sequence[str], output: str, **attributes: int | Sequence[int]) -> bytes:
    named = b""
    for name, value in attributes.items():
        many = not isinstance(value, int)
        body = b"".join(_int(8, one) for one in value) if many else _int(3, value)
        named += _bytes(5, _bytes(1, name) + body + _int(20, 7 if many else 2))
    ends = b"".join(_bytes(1, one) for one in inputs) + _bytes(2, output)
    return ends + _bytes(4, op) + named


def _model(
    nodes: Sequence[bytes], constants: dict[str, np.ndarray], inputs: bytes, outputs: bytes
) -> bytes:
    graph = b"".join(_bytes(1, node) for node in nodes) + _bytes(2, "g")
    graph += b"".join(_bytes(5, _constant(name, array)) for name, array in constants.items())
    graph += _bytes(11, inputs) + _bytes(12, outputs)
    return _int(1, 8) + _bytes(7, graph) + _bytes(8, _bytes(1, "") + _int(2, 13))


def colours() -> bytes:
    """[n, 3, 8, 8] in RGB -> two logits: green, red."""
    weights = np.array([[-6, 6], [6, -6], [0, 0]], np.float32)
    nodes = [
        _node("GlobalAveragePool", ["x"], "mean"),
        _node("Flatten", ["mean"], "flat", axis=1),
        _node("MatMul", ["flat", "weights"], "logits"),
    ]
    return _model(
        nodes, {"weights": weights}, _value("x", ["n", 3, 8, 8]), _value("logits", ["n", 2])
    )


def spots() -> bytes:
    """[1, 1, 16, 16] -> [1, 5, 16]: for each of 4 x 4 cells its box and how bright it is."""
    step = np.arange(4, dtype=np.float32) * 4 + 2
    down, across = np.meshgrid(step, step, indexing="ij")
    size = np.full(16, 4, np.float32)
    boxes = np.stack([across.ravel(), down.ravel(), size, size])[None]
    nodes = [
        _node("AveragePool", ["x"], "means", kernel_shape=[4, 4], strides=[4, 4]),
        _node("Reshape", ["means", "shape"], "scores"),
        _node("Concat", ["boxes", "scores"], "found", axis=1),
    ]
    constants = {"boxes": boxes, "shape": np.array([1, 1, 16], np.int64)}
    return _model(nodes, constants, _value("x", [1, 1, 16, 16]), _value("found", [1, 5, 16]))


assert struct.pack("<f", 1.0) == np.float32(1.0).tobytes(), "raw data is little endian"
