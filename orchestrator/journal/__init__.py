"""The record of a run: one SQLite file that survives crashes and proves its own content."""

from orchestrator.journal.format import MOTION, ResumeDiverged, RunFileError
from orchestrator.journal.lock import held as being_written
from orchestrator.journal.reader import RunReader
from orchestrator.journal.salvage import SalvageReport, salvage
from orchestrator.journal.writer import RunWriter

__all__ = [
    "MOTION",
    "ResumeDiverged",
    "RunFileError",
    "RunReader",
    "RunWriter",
    "SalvageReport",
    "being_written",
    "salvage",
]
