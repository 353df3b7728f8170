"""Pictures, questions and readings: the words that readers, judging and the chain share."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from orchestrator.core.site import Look

Image = npt.NDArray[np.uint8]  # rows, columns, BGR

Task = Literal["read_label", "identify_item", "verify_pick", "inspect_damage", "check_lane"]
TASKS: tuple[Task, ...] = (
    "read_label",
    "identify_item",
    "verify_pick",
    "inspect_damage",
    "check_lane",
)
Outcome = Literal["ok", "misread", "unreadable", "doubtful", "mismatch", "damaged", "blocked"]

BYTES_MAX = 16 * 2**20
PIXELS_MAX = 40_000_000
SLENDER_MAX = 32  # times as long as wide: no camera takes such pictures

INTACT, DAMAGED = "intact", "damaged"  # what an `inspect_damage` reads
CLEAR, BLOCKED = "clear", "blocked"  # what a `check_lane` reads


class PictureError(ValueError):
    """These bytes are no picture, or one beyond the bounds."""


class ReaderError(Exception):
    """A reader could not do its work: timeout | refused | limited | broken | schema | offline.
    `after_s`: it asks to be left alone for so long."""

    def __init__(self, kind: str, text: str, after_s: float = 0.0) -> None:
        super().__init__(f"{kind}: {text}")
        self.kind, self.text, self.after_s = kind, text, after_s

    def __reduce__(self) -> tuple[type[ReaderError], tuple[str, str, float]]:
        return ReaderError, (self.kind, self.text, self.after_s)


def fault(error: Exception) -> ReaderError:
    """A reader's own fault as a failed reading. Of an exception only its kind is told: its text may
    hold secrets."""
    if isinstance(error, ModuleNotFoundError):
        text = f"the package {error.name} is missing -> pip install 'lightsout[vision]'"
        return ReaderError("refused", text)
    return ReaderError("broken", type(error).__name__)


class Picture:
    """A picture as it came from the camera (JPEG or PNG). Decoded when first asked for, once;
    between processes go the bytes alone."""

    __slots__ = ("_grey", "_image", "_sha256", "data")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._sha256 = ""
        self._image: Image | None = None
        self._grey: Image | None = None

    @classmethod
    def of(cls, image: Image, quality: int = 90) -> Picture:
        """Encode as JPEG."""
        import cv2  # noqa: PLC0415

        done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
        assert done
        return cls(data.tobytes())

    @property
    def sha256(self) -> str:
        """Its name: of the bytes, in hexadecimal."""
        self._sha256 = self._sha256 or hashlib.sha256(self.data).hexdigest()
        return self._sha256

    @property
    def media_type(self) -> str:
        """`image/png` or `image/jpeg`."""
        return "image/png" if self.data.startswith(b"\x89PNG") else "image/jpeg"

    def image(self) -> Image:
        """Rows x columns x BGR; not to be written to. Raises `PictureError`."""
        if self._image is None:
            self._image = _decoded(self.data, colour=True)
        return self._image

    def grey(self) -> Image:
        """Rows x columns, as bright as they are; cheaper than `image`. Raises `PictureError`."""
        if self._grey is None:
            self._grey = _decoded(self.data, colour=False)
        return self._grey

    def __reduce__(self) -> tuple[type[Picture], tuple[bytes]]:
        return Picture, (self.data,)

    def __repr__(self) -> str:
        return f"Picture({self.sha256[:12]}, {len(self.data)} bytes)"


def _decoded(data: bytes, *, colour: bool) -> Image:
    import io  # noqa: PLC0415

    import cv2  # noqa: PLC0415
    from PIL import Image as Files  # noqa: PLC0415

    if len(data) > BYTES_MAX:
        raise PictureError(f"{len(data)} bytes -> at most {BYTES_MAX}")
    try:
        with Files.open(io.BytesIO(data), formats=("JPEG", "PNG")) as head:
            width, height = head.size
    except (OSError, ValueError, SyntaxError, Files.DecompressionBombError) as error:
        raise PictureError("neither JPEG nor PNG -> send one of these") from error
    if width * height > PIXELS_MAX:
        raise PictureError(f"{width} x {height} pixels -> at most {PIXELS_MAX} in all")
    if max(width, height) > SLENDER_MAX * min(width, height):
        raise PictureError(
            f"{width} x {height} pixels -> at most {SLENDER_MAX} times as long as wide"
        )
    how = cv2.IMREAD_COLOR if colour else cv2.IMREAD_GRAYSCALE
    image: Image | None = cv2.imdecode(np.frombuffer(data, np.uint8), how)
    if image is None:
        raise PictureError("the picture is damaged -> send it again")
    image.flags.writeable = False
    return image


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked about a picture.

    | task | expected | known | a reading's value |
    |---|---|---|---|
    | read_label | an id | ids that it could be | an id |
    | identify_item | a SKU | SKUs that it could be | a SKU |
    | verify_pick | "SKU:count" | SKUs that it could be | "SKU:count" |
    | inspect_damage | a SKU | | "intact", "damaged" |
    | check_lane | "" | | "clear", "blocked" |

    `subject` is the place's name for `check_lane` (each lane has its picture when empty). `look`
    says what is to be different from the last time: two readers must agree (`reader`), or whoever is
    far away and knows more is asked first (`model`); another `angle` is another picture. `camera`
    took it ("": unknown): one that sends the same picture of something else is broken.
    """

    task: Task
    expected: str
    known: Collection[str] = ()
    subject: str = ""
    look: Look = ""
    camera: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader saw; "" is: nothing that could be read. `also`: other values of the same kind
    in the same picture (a second label), which forbid to accept `value`. `damaged`: of a box, a unit of
    the SKU that was counted is broken."""

    value: str
    confidence: float  # 0-1
    model: str
    note: str = ""
    also: tuple[str, ...] = ()
    damaged: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One reader's part in a verdict; `error` is a `ReaderError`'s kind, or why it was left out."""

    model: str
    value: str = ""
    confidence: float = 0.0
    latency_ms: float = 0.0
    error: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a question."""

    outcome: Outcome
    value: str
    confidence: float
    model: str
    latency_ms: float
    trail: tuple[Step, ...] = field(default=())


@runtime_checkable
class Reader(Protocol):
    """Someone who reads pictures, perhaps far away."""

    @property
    def name(self) -> str: ...

    @property
    def tasks(self) -> frozenset[Task]: ...

    @property
    def remote(self) -> bool: ...

    async def read(self, picture: Picture, question: Question) -> Reading:
        """Raises `ReaderError`."""
        ...


@runtime_checkable
class LocalReader(Protocol):
    """Pure computing on this machine. Until its first look it can be sent to another process."""

    @property
    def name(self) -> str: ...

    @property
    def tasks(self) -> frozenset[Task]: ...

    def look(self, picture: Picture, question: Question) -> Reading:
        """Raises `ReaderError` and `PictureError`."""
        ...
