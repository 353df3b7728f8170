"""A picture as it goes over the wire: no larger than a model needs."""

from __future__ import annotations

from orchestrator.vision.model import Picture

QUALITY = 88


def shrunk(picture: Picture, side_px_max: int, bytes_max: int) -> Picture:
    """The picture itself where it is small enough, or a smaller JPEG of it. Raises `PictureError`."""
    import cv2  # noqa: PLC0415

    image = picture.image()
    height, width = image.shape[:2]
    scale = min(1.0, side_px_max / max(height, width))
    if scale == 1.0 and len(picture.data) <= bytes_max:
        return picture
    while True:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        smaller = Picture.of(cv2.resize(image, size, interpolation=cv2.INTER_AREA), QUALITY)
        if len(smaller.data) <= bytes_max or max(size) <= 64:
            return smaller
        scale *= 0.7
