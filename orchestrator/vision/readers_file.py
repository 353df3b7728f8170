"""Parts of vision.yaml about readers; each is also what its reader is made from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from orchestrator.layout.fields import NotNegative, Part, Positive, PositiveShare, Share
from orchestrator.vision.model import BLOCKED, CLEAR, DAMAGED, INTACT, TASKS, Task

SECRET = re.compile(
    r"(x-)?api[-_]?key|(proxy-)?authorization|password|secret|(access[-_])?token", re.I
)
OWN = frozenset({"model", "messages", "response_format", "stream", "n", "tools"})
DEEP_MAX = 16
HERE = frozenset({"localhost", "127.0.0.1", "::1"})
Pixels = Annotated[int, Field(ge=1, le=8192)]
Number = Annotated[float, Field(allow_inf_nan=False)]


def _address(url: str) -> str:
    if not url.isprintable() or " " in url:
        raise ValueError("holds spaces or what can't be printed: write http://host:port")
    try:
        parts = urlsplit(url)
        port = parts.port or 0
    except ValueError as error:
        raise ValueError(f"no address ({error}): write http://host:port") from error
    if parts.scheme not in ("http", "https") or not parts.hostname or port < 0:
        raise ValueError("write http://host:port or https://host, and the path if there is one")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("holds more than host and path; a key goes into `key_env`, not here")
    return url.rstrip("/")


def _variable(name: str) -> str:
    if name and not (name.isidentifier() and name.isascii() and name.upper() == name):
        raise ValueError("is no name of an environment variable (never write the key itself here)")
    return name


Url = Annotated[str, AfterValidator(_address)]
Variable = Annotated[str, AfterValidator(_variable)]


class Remote(Part):
    """What every reader over the network has."""

    url: Url
    model: str = Field(min_length=1, max_length=200)
    key_env: Variable = ""  # the variable that holds the key; "": none is needed
    key_over_http: bool = False
    tasks: frozenset[Task] = frozenset(TASKS)
    timeout_s: Positive = 60.0  # of one call; a question's deadline mostly comes first

    @model_validator(mode="after")
    def _secret(self) -> Remote:
        parts = urlsplit(self.url)
        clear = parts.scheme == "http" and parts.hostname not in HERE
        if self.key_env and clear and not self.key_over_http:
            raise ValueError(
                "the key would go over the network in the clear: write https://, or "
                "`key_over_http: true` where that is meant"
            )
        return self


class OpenAIFile(Remote):
    """`kind: openai`: a model behind an OpenAI-compatible API; `url` up to and with /v1."""

    kind: Literal["openai"] = "openai"
    answers: Literal["json_schema", "json_object", "text"] = "json_schema"
    instructions: dict[Task, Annotated[str, Field(max_length=20_000)]] = Field(default={})
    options: dict[str, Any] = Field(default={})  # further fields of the request
    tokens_max: int = Field(default=300, ge=16, le=32_768)
    side_px_max: int = Field(default=1280, ge=64, le=8192)
    picture_bytes_max: int = Field(default=1_500_000, ge=10_000, le=20_000_000)
    ca_file: str = ""
    proxy_from_environment: bool = False

    @model_validator(mode="after")
    def _options(self) -> OpenAIFile:
        taken = sorted(OWN & set(self.options))
        if taken:
            raise ValueError(
                f"`options` can't hold {', '.join(taken)}: Lightsout writes these itself"
            )
        if secret := next(filter(SECRET.fullmatch, _names(self.options)), ""):
            raise ValueError(
                f"`options` can't hold {secret}: a key goes into an environment variable, whose name "
                "is `key_env`; what stands here is journalled"
            )
        return self


def _names(options: Any, deep: int = 0) -> Iterator[str]:
    """Of all fields, also of those within others."""
    if deep > DEEP_MAX:
        raise ValueError("`options` is nested too deep")
    if isinstance(options, dict):
        yield from map(str, options)
        options = options.values()
    if isinstance(options, Iterable) and not isinstance(options, str | bytes):
        for one in options:
            yield from _names(one, deep + 1)


class Before(Part):
    """How a picture becomes a tensor: resized to width x height, (pixel * scale - mean) / std."""

    input: str = ""  # its name; left out: the only one
    width: Pixels
    height: Pixels
    fit: Literal["stretch", "letterbox", "crop"] = "stretch"
    layout: Literal["NCHW", "NHWC"] = "NCHW"
    colour: Literal["rgb", "bgr", "grey"] = "rgb"
    scale: Number = 1 / 255
    mean: tuple[Number, ...] = (0.0,)
    std: tuple[Positive, ...] = (1.0,)
    dtype: Literal["float32", "float16", "uint8"] = "float32"

    @model_validator(mode="after")
    def _channels(self) -> Before:
        channels = 1 if self.colour == "grey" else 3
        for name, values in (("mean", self.mean), ("std", self.std)):
            if len(values) not in (1, channels):
                raise ValueError(f"{name} holds {len(values)} numbers, must hold 1 or {channels}")
        return self


Labels = Annotated[tuple[Annotated[str, Field(max_length=64)], ...], Field(min_length=1)]


class Classes(Part):
    """A score per class. A class called "" says nothing."""

    kind: Literal["classes"]
    output: str = ""
    labels: Labels
    softmax: bool = False  # the scores are logits


class Boxes(Part):
    """Things found: boxes [n, 4], scores [n] and classes [n] in three tensors, or all in one."""

    kind: Literal["boxes"]
    format: Literal["separate", "yolo"] = "separate"  # yolo: [4 + classes, n], or turned
    output: str = ""  # of yolo
    boxes: str = "boxes"
    scores: str = "scores"
    classes: str = "classes"
    corners: Literal["xyxy", "cxcywh"] = "xyxy"
    labels: Labels
    threshold: PositiveShare = 0.5
    overlap: PositiveShare = 0.5  # of two boxes of a class that overlap more, the surer one counts


class Text(Part):
    """Text: strings, or a score per step and character (CTC, with the blank first)."""

    kind: Literal["text"]
    output: str = ""
    scores: str = ""  # a confidence beside strings
    labels: tuple[str, ...] = ()  # the characters of CTC, without the blank
    labels_file: str = ""  # one a line


After = Annotated[Classes | Boxes | Text, Field(discriminator="kind")]
DOES: dict[str, frozenset[Task]] = {
    "classes": frozenset({"identify_item", "inspect_damage", "check_lane"}),
    "boxes": frozenset({"identify_item", "verify_pick", "inspect_damage", "check_lane"}),
    "text": frozenset({"read_label", "identify_item"}),
}
WORDS: dict[Task, tuple[str, str]] = {
    "inspect_damage": (INTACT, DAMAGED),
    "check_lane": (CLEAR, BLOCKED),
}


class _Model(Part):
    """A model with what comes before and after it."""

    tasks: Annotated[frozenset[Task], Field(min_length=1)]
    before: Before
    after: After

    @model_validator(mode="after")
    def _fits(self) -> _Model:
        wrong = sorted(self.tasks - DOES[self.after.kind])
        if wrong:
            does = ", ".join(sorted(DOES[self.after.kind]))
            raise ValueError(f"`after: {self.after.kind}` can't do {wrong[0]}; it can do {does}")
        if isinstance(self.after, Classes):
            for task in sorted(self.tasks & set(WORDS)):
                strange = sorted(set(self.after.labels) - {*WORDS[task], ""})
                if strange:
                    said = " and ".join(WORDS[task])
                    raise ValueError(f"labels of {task} are {said} (or empty), not {strange[0]!r}")
        return self


class OnnxFile(_Model):
    """`kind: onnx`: a file on this machine; a relative path counts from the settings' folder."""

    kind: Literal["onnx"] = "onnx"
    file: Path
    sha256: str = Field(default="", pattern=r"^([0-9a-f]{64})?$")
    threads: int = Field(default=1, ge=1, le=64)


class KserveFile(_Model, Remote):
    """`kind: kserve`: a model behind KServe v2 or Triton; url is host and port."""

    kind: Literal["kserve"] = "kserve"
    tasks: Annotated[frozenset[Task], Field(min_length=1)]
    version: str = ""
    binary: bool = True  # tensors as bytes, an extension of Triton's; false: as JSON
    batch_max: int = Field(default=1, ge=1, le=256)

    @model_validator(mode="after")
    def _form(self) -> KserveFile:
        if not self.binary and self.before.dtype == "float16":
            raise ValueError("JSON has no form for float16: write `binary: true`, or `float32`")
        return self


class EmbeddedFile(Part):
    """A reader that comes with Lightsout: `kind` is its name, and it has no options."""

    kind: str


class Bounds(Part):
    """What any reader may have: its bounds; see `orchestrator.vision.policy`."""

    share: PositiveShare | None = None
    retries: int | None = Field(default=None, ge=0, le=5)
    retry_pause_ms: int = Field(default=100, ge=0, le=60_000)
    hedge_share_max: Share | None = None
    at_once: int | None = Field(default=None, ge=1, le=1024)
    waiting_max: int = Field(default=64, ge=0, le=10_000)
    failures_in_a_row: int = Field(default=5, ge=1, le=1000)
    failed_share: PositiveShare = 0.5
    open_s: Positive = 10.0
    open_s_max: Positive = 300.0
    calls_per_hour: int | None = Field(default=None, ge=0)
    cost_per_call: NotNegative = 0.0
    cost_per_hour: NotNegative | None = None
