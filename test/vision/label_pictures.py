"""Small pictures that can be read, and some that nobody can."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import zxingcpp

from orchestrator.vision.codes import printed
from orchestrator.vision.model import Picture


@cache
def labelled(identity: str, *texts: str) -> Picture:
    """A label with the id as a QR code, and lines of text below it."""
    code = zxingcpp.create_barcode(printed(identity), zxingcpp.BarcodeFormat.QRCode)
    image = np.array(code.to_image(scale=6))
    return written(*texts, above=image)


@cache
def blank(number: int = 0) -> Picture:
    """A grey picture."""
    return Picture.of(np.full((120, 160, 3), 128 + number % 100, np.uint8))


def written(*texts: str, above: np.ndarray | None = None) -> Picture:
    """Text on white, below `above`."""
    image = np.full((60 + 40 * len(texts), 640), 255, np.uint8)
    for row, text in enumerate(texts):
        cv2.putText(image, text, (10, 40 * row + 30), cv2.FONT_HERSHEY_SIMPLEX, 0.7, 0, 2)
    if above is not None:
        wide = np.full((above.shape[0], 640), 255, np.uint8)
        wide[:, : above.shape[1]] = above
        image = np.vstack([wide, image])
    return Picture.of(cv2.cvtColor(image, cv2.COLOR_GRAY2BGR))
