"""Reads Code 128, QR and Data Matrix with zxing-cpp: the first stage, some milliseconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from orchestrator.vision.codes import identity_of
from orchestrator.vision.model import Image, Picture, Question, Reading, Task

SURE = 0.995  # what remains is a wrong print with fitting check digits


@dataclass(frozen=True, slots=True)
class Codes:
    """An id counts with fitting check digits alone; other people's codes are passed over."""

    name: str = "codes"
    tasks: frozenset[Task] = frozenset({"read_label"})

    def look(self, picture: Picture, question: Question) -> Reading:
        """Raises `PictureError`."""
        return reading(identities(picture.grey()), self.name)


def reading(found: list[str], model: str) -> Reading:
    """One id is a reading; of several none is chosen over the others."""
    if not found:
        return Reading("", 0.0, model)
    value, *also = found
    return Reading(value, SURE / len(found), model, also=tuple(also))


def identities(grey: Image | Any) -> list[str]:
    """All ids in the picture, each once, in a fixed sequence."""
    import zxingcpp  # noqa: PLC0415

    kinds = zxingcpp.BarcodeFormat
    ours = (kinds.Code128, kinds.QRCode, kinds.DataMatrix)
    found = zxingcpp.read_barcodes(grey, formats=ours, try_invert=False)
    ids = (identity_of(code.text) for code in found)
    return sorted({identity for identity in ids if identity})
