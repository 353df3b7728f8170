"""Is something on a lane? Compares with a picture of the same lane when it was empty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from orchestrator.vision.model import BLOCKED, CLEAR, Image, Picture, Question, Reading, Task
from orchestrator.vision.readers.references import References

SIZE = (320, 240)
COLOUR, BRIGHT = 0.09, 0.3  # change that light, shift and noise don't explain (logarithms)
FAINT = 0.45  # of these: enough for a doubt
MUCH, LITTLE = 0.0018, 0.0005  # share of the picture, in one piece
SLOW = 28.0  # pixels: light changes over more than these
SLACK = 5
DIM = 22  # of 255, the lane's brightness: below it nothing can be told
BURNT = 0.0008  # share of the picture
ALIKE = 0.5  # correlation with the empty lane, at least: else the camera looks elsewhere


@dataclass(slots=True)
class Lanes:
    """`empty`: one picture for each lane, by its name."""

    empty: References
    name: str = "lanes"
    tasks: frozenset[Task] = frozenset({"check_lane"})

    def look(self, picture: Picture, question: Question) -> Reading:
        """Raises `PictureError`."""
        reference = self.empty.find(question.subject)
        if reference is None:
            note = f"there is no picture of the empty lane {question.subject!r}"
            return Reading("", 0.0, self.name, note)
        surely, perhaps, doubt = changed(picture.image(), reference)
        note = doubt or f"{surely:.4f} of the picture changed, {perhaps:.4f} perhaps"
        if not doubt and surely >= MUCH:
            sure = min(0.99, 0.8 + 0.19 * (surely - MUCH) / (3 * MUCH))
            return Reading(BLOCKED, sure, self.name, note)
        if not doubt and perhaps <= LITTLE:
            return Reading(CLEAR, 0.8 + 0.19 * (1 - perhaps / LITTLE), self.name, note)
        return Reading("", 0.0, self.name, note)


def changed(image: Image, reference: Image) -> tuple[float, float, str]:
    """The largest piece that changed, and that perhaps changed, by share of the picture; or why it
    can't be told."""
    import cv2  # noqa: PLC0415
    import numpy as np  # noqa: PLC0415

    now, then = _small(image), _small(reference)
    if float(np.median(now)) < DIM:
        return 0.0, 0.0, "too dark"
    if float((now.min(axis=2) > 246).mean()) > BURNT:
        return 0.0, 0.0, "a reflection hides a part"
    now, like = _aligned(now, then)
    if like < ALIKE:
        return 0.0, 0.0, f"this is not the lane that it should be ({like:.2f} alike)"
    kernel = np.ones((SLACK, SLACK), np.uint8)
    one, other = np.log(now + 6), np.log(then + 6)
    one += cv2.GaussianBlur(other - one, (0, 0), SLOW)
    soft = cv2.GaussianBlur(other, (0, 0), 1.5)
    low = cv2.erode(np.minimum(other, soft), kernel)
    high = cv2.dilate(np.maximum(other, soft), kernel)
    bright = np.maximum(low - one, one - high).mean(axis=2)
    hue, hue_low, hue_high = one[..., 2] - one[..., 0], *_hues(other, kernel)
    colour = np.maximum(hue_low - hue, hue - hue_high)
    noise = 6.0 / max(20.0, float(np.median(now)))  # in the dark colours are noisier
    change = np.maximum(bright / BRIGHT, colour / (COLOUR + noise))
    return _piece(change > 1), _piece(change > FAINT), ""


def _piece(wrong: Any) -> float:
    import cv2  # noqa: PLC0415
    import numpy as np  # noqa: PLC0415

    where = wrong.astype(np.uint8)
    where[:6], where[-6:], where[:, :6], where[:, -6:] = 0, 0, 0, 0
    where = cv2.morphologyEx(where, cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
    where = cv2.morphologyEx(where, cv2.MORPH_CLOSE, np.ones((SLACK, SLACK), np.uint8))
    _, _, figures, _ = cv2.connectedComponentsWithStats(where, connectivity=8)
    return float(figures[1:, cv2.CC_STAT_AREA].max(initial=0)) / where.size


def _hues(other: Any, kernel: Any) -> tuple[Any, Any]:
    import cv2  # noqa: PLC0415

    hue = other[..., 2] - other[..., 0]
    return cv2.erode(hue, kernel), cv2.dilate(hue, kernel)


def _small(image: Image) -> Any:
    import cv2  # noqa: PLC0415
    import numpy as np  # noqa: PLC0415

    small = cv2.resize(image, SIZE, interpolation=cv2.INTER_AREA)
    return cv2.GaussianBlur(small, (0, 0), 1.0).astype(np.float32)


def _aligned(now: Any, then: Any) -> tuple[Any, float]:
    """Shifted and turned to where it fits the empty lane best, and how alike they are."""
    import cv2  # noqa: PLC0415
    import numpy as np  # noqa: PLC0415

    matrix = np.eye(2, 3, dtype=np.float32)
    ends = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 30, 1e-4)
    grey, goal = now.mean(axis=2), then.mean(axis=2)
    try:
        like, matrix = cv2.findTransformECC(goal, grey, matrix, cv2.MOTION_EUCLIDEAN, ends, None, 3)
    except cv2.error:  # it doesn't converge
        return now, 0.0
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    moved = cv2.warpAffine(now, matrix, SIZE, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return moved, float(like)
