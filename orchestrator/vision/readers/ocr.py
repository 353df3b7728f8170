"""Reads the id in letters below a code, with the PP-OCR models inside the rapidocr wheel.

A line counts only where it is, to the letter, the print of one known id with its check digits; see
`codes.Lookup` for the only two confusions that are undone. Meant for a worker process: it takes a
tenth of a second and 300 MB.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from orchestrator.vision.codes import Lookup
from orchestrator.vision.model import Picture, Question, ReaderError, Reading, Task

LINES_MAX = 60  # of text in one picture
SIDE_PX = 640  # the longer side of what is searched for lines: with 960 it finds no more of ours


@dataclass(slots=True)
class Ocr:
    """`threads`: of one inference."""

    name: str = "ocr"
    tasks: frozenset[Task] = frozenset({"read_label"})
    threads: int = 1
    _engine: Any = field(default=None, repr=False, compare=False)

    def look(self, picture: Picture, question: Question) -> Reading:
        """Raises `PictureError`, and `ReaderError` where the models can't be loaded."""
        lookup = _lookup(frozenset(question.known))
        expected = Lookup([question.expected])
        lines = self._lines(picture)
        scores: dict[str, float] = {}
        for text, score in lines[:LINES_MAX]:
            identity = lookup.find(text) or expected.find(text)
            if identity:
                scores[identity] = max(score, scores.get(identity, 0.0))
        if not scores:
            return Reading("", 0.0, self.name, f"{len(lines)} lines of text")
        value, *also = sorted(scores)
        return Reading(value, scores[value] / len(scores), self.name, also=tuple(also))

    def _lines(self, picture: Picture) -> list[tuple[str, float]]:
        found = self._loaded()(picture.image())
        if found.txts is None or found.scores is None:
            return []
        return list(zip(found.txts, map(float, found.scores), strict=True))

    def _loaded(self) -> Any:
        if self._engine is None:
            self._engine = _engine(self.threads)
        return self._engine


@lru_cache(maxsize=4)
def _lookup(known: frozenset[str]) -> Lookup:
    return Lookup(known)


def _engine(threads: int) -> Any:
    """Models by their path inside the wheel: nothing is looked for elsewhere."""
    from pathlib import Path  # noqa: PLC0415

    import rapidocr  # noqa: PLC0415

    folder = Path(rapidocr.__file__).parent / "models"
    paths = {}
    for part in ("det", "cls", "rec"):
        found = sorted(folder.glob(f"*_{part}_*.onnx"))
        if not found:
            raise ReaderError("broken", f"no {part} model in {folder} -> install rapidocr anew")
        paths[f"{part.capitalize()}.model_path"] = str(found[0])
    return rapidocr.RapidOCR(
        params={
            "Global.log_level": "error",
            "EngineConfig.onnxruntime.intra_op_num_threads": threads,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
            "Det.limit_type": "max",
            "Det.limit_side_len": SIDE_PX,
            **paths,
        }
    )
