"""A model in an ONNX file, with what comes before and after it as vision.yaml declares."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

from orchestrator.vision.model import Picture, Question, ReaderError, Reading, Task
from orchestrator.vision.readers.tensors import meaning, outputs, tensor
from orchestrator.vision.readers_file import OnnxFile


@dataclass(slots=True)
class Onnx:
    """Loaded at the first look."""

    name: str
    settings: OnnxFile
    tasks: frozenset[Task] = field(init=False)
    _session: Any = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self.tasks = self.settings.tasks

    def look(self, picture: Picture, question: Question) -> Reading:
        """Raises `PictureError` and `ReaderError`."""
        session = self._loaded()
        before, after = self.settings.before, self.settings.after
        batch = tensor(picture.image(), before)[None]
        wanted = outputs(after)
        names = [name or session.get_outputs()[0].name for name in wanted]
        try:
            arrays = session.run(names, {before.input or session.get_inputs()[0].name: batch})
        except (
            Exception
        ) as error:  # onnxruntime raises its own kinds, below RuntimeError and others
            raise ReaderError(
                "broken", f"the model can't be run ({type(error).__name__})"
            ) from error
        found = {name: array[0] for name, array in zip(wanted, arrays, strict=True)}
        value, also, confidence = meaning(found, after, question)
        return Reading(value, confidence, self.name, also=also)

    def _loaded(self) -> Any:
        if self._session is None:
            self._session = _session(self.settings)
        return self._session


def _session(settings: OnnxFile) -> Any:
    import onnxruntime  # noqa: PLC0415

    try:
        data = settings.file.read_bytes()
    except OSError as error:
        raise ReaderError("broken", f"{settings.file}: {error.strerror}") from error
    if settings.sha256 and hashlib.sha256(data).hexdigest() != settings.sha256:
        text = f"{settings.file}: is not the file that `sha256` names -> look where it comes from"
        raise ReaderError("refused", text)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = settings.threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        text = f"{settings.file}: is no ONNX model that can be run ({type(error).__name__})"
        raise ReaderError("broken", text) from error
    _check("input", settings.before.input, [one.name for one in session.get_inputs()])
    for name in outputs(settings.after):
        _check("output", name, [one.name for one in session.get_outputs()])
    return session


def _check(what: str, name: str, there: list[str]) -> None:
    if name and name not in there:
        raise ReaderError(
            "broken", f"the model has no {what} {name!r} -> it has {', '.join(there)}"
        )
