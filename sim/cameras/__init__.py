"""What a camera would see: pictures made from the ground truth and a seed. See ADR 16.

The same seed, task, subject, number and level give the same bytes on one machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from orchestrator.vision.model import Picture, Task
from sim.cameras.levels import LEVELS, level_of

if TYPE_CHECKING:
    from orchestrator.vision.readers.items import Items
    from orchestrator.vision.readers.lanes import Lanes

__all__ = ["LEVELS", "Scenes", "Truth"]


@dataclass(frozen=True, slots=True)
class Truth:
    """What is really there.

    | task | what counts |
    |---|---|
    | read_label | `label`: the id that is printed, "": none of ours; `beside`: another one in view |
    | verify_pick | `contents` of the box, of which `broken` units (of `broken_sku`) are broken |
    | identify_item, inspect_damage | `contents`: the one SKU; `broken` |
    | check_lane | `fallen`: something lies there |
    """

    label: str = ""
    beside: str = ""
    contents: Mapping[str, int] = field(default_factory=dict)
    broken: int = 0
    broken_sku: str = ""  # "": any
    fallen: bool = False


class Scenes:
    """A site's cameras. `seed` also makes the packs and lanes: the site's catalogue."""

    def __init__(self, seed: int = 0) -> None:
        from sim.cameras.faces import Catalogue  # noqa: PLC0415
        from sim.cameras.lanes import Lanes as Floors  # noqa: PLC0415

        self.seed = seed
        self.faces = Catalogue(seed)
        self.lanes = Floors(seed)

    def picture(
        self, task: Task, subject: str, truth: Truth, number: int, level: str = "normal"
    ) -> Picture:
        """What the camera sees of `subject` (a tote, parcel, box, item or lane) when it looks for
        the `number`-th time. Raises `LevelError`."""
        from sim.cameras import scenes  # noqa: PLC0415
        from sim.cameras.dice import dice  # noqa: PLC0415

        chance = dice(self.seed, task, subject, number, level)
        grade = level_of(level)
        match task:
            case "read_label":
                image = scenes.label(subject, truth.label, truth.beside, grade, chance)
            case "verify_pick":
                image = scenes.box(truth, self.faces, grade, chance)
            case "identify_item" | "inspect_damage":
                image = scenes.item(truth.contents, truth.broken, self.faces, grade, chance)
            case "check_lane":
                empty = self.lanes.find(subject)
                image = scenes.lane(empty, truth.fallen, grade, chance)
        return Picture.of(image, grade.quality)

    def items(self) -> Items:
        """A reader that knows this site's packs."""
        from orchestrator.vision.readers.items import Items  # noqa: PLC0415

        return Items(self.faces)

    def floors(self) -> Lanes:
        """A reader that knows this site's lanes."""
        from orchestrator.vision.readers.lanes import Lanes  # noqa: PLC0415

        return Lanes(self.lanes)
