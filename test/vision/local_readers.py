"""Local readers that misbehave, importable by a worker process."""

from __future__ import annotations

import os
import time

from orchestrator.vision.model import Picture, PictureError, Question, ReaderError, Reading, Task


class Obedient:
    """Does what the picture's bytes say."""

    name = "obedient"
    tasks: frozenset[Task] = frozenset({"read_label"})

    def __init__(self) -> None:
        self._pictures = 0

    def look(self, picture: Picture, question: Question) -> Reading:
        self._pictures += 1
        if picture.data.startswith(b"\x89PNG"):
            picture.image()
            return Reading("", 0.0, self.name)
        match picture.data:
            case b"count":
                return Reading(str(self._pictures), 1.0, self.name)
            case b"die":
                os._exit(3)
            case b"hang":
                time.sleep(600)
            case b"fault":
                raise KeyError("secret")
            case b"error":
                raise ReaderError("schema", "not so", 2.5)
            case b"no picture":
                raise PictureError("neither JPEG nor PNG")
        return Reading(picture.data.decode(), 1.0, self.name, str(os.getpid()))
