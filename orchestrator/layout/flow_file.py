"""The flow part of the site file: steps, and what follows a bad outcome."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from orchestrator.core.site import Look

STARTS = r"^(dock|home(:[^:]+)?|station|out|chute)?$"
ENDS = r"^(slot(:[^:]+)?|station(:[^:]+)?|home|chute(:[^:]+)?|door|stop)?$"
LOOK_INTO_BOXES = ("verify", "recheck")  # capabilities, where a step names no task
CameraTask = Literal["", "read_label", "identify_item", "verify_pick", "inspect_damage"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class StageFile(_Part):
    """So often to this step."""

    then: str
    tries: int = Field(ge=0, le=1000)
    look: Look = ""


class RecoveryFile(_Part):
    """After a bad outcome: one stage (`then`, `tries`, `look`), or a plan of several."""

    then: str = ""
    tries: int | None = Field(default=None, ge=0, le=1000)
    look: Look = ""
    plan: tuple[StageFile, ...] = ()
    otherwise: str = "quarantine"
    within_s: int = Field(default=0, ge=0, le=86_400)

    @model_validator(mode="after")
    def _one_form(self) -> RecoveryFile:
        alone = bool(self.then) and self.tries is not None
        if alone == bool(self.plan) or (self.plan and (self.then or self.look or self.tries)):
            raise ValueError("`then` or `tries` is missing -> both, or a `plan` of such stages")
        return self

    @property
    def stages(self) -> tuple[StageFile, ...]:
        """In either form."""
        return self.plan or (StageFile(then=self.then, tries=self.tries or 0, look=self.look),)


class StepFile(_Part):
    """A step of an order type."""

    do: Literal["reserve", "carry", "work", "inspect", "depart", "finish"]
    needs: str = ""
    task: CameraTask = ""
    start: Annotated[str, Field(pattern=STARTS)] = ""
    to: Annotated[str, Field(pattern=ENDS)] = ""
    per_line: bool = False
    then: tuple[str, ...] = ()
    outcomes: dict[str, RecoveryFile] = {}
    wait_minutes: int = Field(default=0, ge=0, le=10_080)
    timeout_s: int = Field(default=0, ge=0, le=86_400)

    @property
    def asks(self) -> str:
        """What the camera of an inspection is asked; "": the step is none."""
        usual = "verify_pick" if self.needs in LOOK_INTO_BOXES else "read_label"
        return (self.task or usual) if self.do == "inspect" else ""
