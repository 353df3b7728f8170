"""Finds the AprilTag on a tote or rack and reads the code beside it on the straightened label.

The tag tells where the label lies and how it is turned, never whose it is. A tag that doesn't belong
to the id in the code makes the reading a doubt.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from orchestrator.vision.codes import tag_of
from orchestrator.vision.model import Image, Picture, Question, Reading, Task
from orchestrator.vision.readers.codes import SURE, identities

WINDOW = (1.05, -0.2, 1.45, 1.4)  # of the label: left, top, width, height
SIDE_PX = 200  # of the tag, straightened
TAGS_MAX = 8  # looked at in one picture
DOUBT = 0.4


@dataclass(slots=True)
class Tags:
    """Reads what a slanted view hides from `Codes`."""

    name: str = "tags"
    tasks: frozenset[Task] = frozenset({"read_label"})
    _detector: Any = field(default=None, repr=False, compare=False)

    def look(self, picture: Picture, question: Question) -> Reading:
        """Raises `PictureError`."""
        grey = picture.grey()
        corners, numbers, _ = self._finder().detectMarkers(grey)
        if numbers is None or len(corners) == 0:
            return Reading("", 0.0, self.name, "no tag")
        found: dict[str, bool] = {}
        for corner, number in list(zip(corners, numbers.ravel(), strict=True))[:TAGS_MAX]:
            for identity in identities(straightened(grey, corner)):
                found[identity] = found.get(identity, False) or tag_of(identity) == int(number)
        return self._said(found)

    def _said(self, found: dict[str, bool]) -> Reading:
        if not found:
            return Reading("", 0.0, self.name, "a tag, but no code beside it")
        value, *also = sorted(found)
        if not found[value]:
            return Reading(value, DOUBT, self.name, "the tag is another one's", tuple(also))
        return Reading(value, SURE / len(found), self.name, also=tuple(also))

    def _finder(self) -> Any:
        import cv2  # noqa: PLC0415

        if self._detector is None:
            family = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_APRILTAG_36h11)
            settings = cv2.aruco.DetectorParameters()
            settings.cornerRefinementMethod = cv2.aruco.CORNER_REFINE_SUBPIX
            self._detector = cv2.aruco.ArucoDetector(family, settings)
        return self._detector


def straightened(grey: Image | Any, corners: Any) -> Any:
    """The part of the label where the code is, seen from the front."""
    import cv2  # noqa: PLC0415
    import numpy as np  # noqa: PLC0415

    left, top, width, height = WINDOW
    square = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
    there = (square - (left, top)) * SIDE_PX
    matrix = cv2.getPerspectiveTransform(
        np.asarray(corners, np.float32).reshape(4, 2), there.astype(np.float32)
    )
    size = (round(width * SIDE_PX), round(height * SIDE_PX))
    return cv2.warpPerspective(
        grey, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
