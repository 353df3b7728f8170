"""From settings to a chain: the only place here that knows concrete readers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.metadata import EntryPoint
from typing import Any

from orchestrator.vision.chain import Chain
from orchestrator.vision.clock import Clock
from orchestrator.vision.model import LocalReader, Reader
from orchestrator.vision.readers.codes import Codes
from orchestrator.vision.readers.items import Items
from orchestrator.vision.readers.kserve import Kserve
from orchestrator.vision.readers.lanes import Lanes
from orchestrator.vision.readers.ocr import Ocr
from orchestrator.vision.readers.onnx import Onnx
from orchestrator.vision.readers.openai import OpenAI
from orchestrator.vision.readers.references import Folder, References
from orchestrator.vision.readers.tags import Tags
from orchestrator.vision.readers_file import EmbeddedFile, KserveFile, OnnxFile, OpenAIFile
from orchestrator.vision.settings import Declared, Vision, plugins
from orchestrator.vision.workers import Inline, Workers

SLOW = (Ocr, Onnx)  # each has a process of its own: quick readers don't wait for it


def chain_of(
    vision: Vision,
    *,
    faces: References | None = None,
    lanes: References | None = None,
    inline: bool = False,
    clock: Clock | None = None,
) -> Chain:
    """`faces` and `lanes`: where they are not in the settings' folders. `inline`: local readers look in
    the thread that asks, and not in processes of their own. To be closed."""
    faces = faces or Folder(vision.folder / vision.spec.faces)
    lanes = lanes or Folder(vision.folder / vision.spec.lanes)
    asked = {name for task in vision.policy.tasks.values() for name in task.readers}
    made = [_reader(name, of, faces, lanes) for name, of in vision.readers.items() if name in asked]
    here = [reader for reader in made if isinstance(reader, LocalReader)]
    away = [reader for reader in made if not isinstance(reader, LocalReader)]
    local: Iterable[Reader] = map(Inline, here) if inline else _hosted(here, vision)
    return Chain([*local, *away], vision.policy, clock)


def _hosted(readers: list[LocalReader], vision: Vision) -> list[Reader]:
    spec = vision.spec
    hosted: list[Reader] = []
    if quick := [reader for reader in readers if not isinstance(reader, SLOW)]:
        hosted += Workers(quick, spec.workers, spec.look_s).readers()
    for reader in readers:
        if isinstance(reader, SLOW):
            hosted += Workers([reader], 1, spec.look_s).readers()
    return hosted


def _reader(
    name: str, declared: Declared, faces: References, lanes: References
) -> Reader | LocalReader:
    match declared:
        case OpenAIFile():
            return OpenAI(name, declared)
        case KserveFile():
            return Kserve(name, declared)
        case OnnxFile():
            return Onnx(name, declared)
        case EmbeddedFile():
            return _embedded(declared.kind, faces, lanes)
    return _plugin(name, declared, plugins())


def _embedded(kind: str, faces: References, lanes: References) -> LocalReader:
    match kind:
        case "codes":
            return Codes()
        case "tags":
            return Tags()
        case "ocr":
            return Ocr()
        case "items":
            return Items(faces)
        case "lanes":
            return Lanes(lanes)
    raise AssertionError(kind)


def _plugin(
    name: str, options: Mapping[str, Any], known: Mapping[str, EntryPoint]
) -> Reader | LocalReader:
    """What another package makes of its options."""
    make = known[options["kind"]].load()
    reader: Reader | LocalReader = make(name, {k: v for k, v in options.items() if k != "kind"})
    return reader
