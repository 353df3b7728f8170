"""A simulated run whose cameras are read far away: its latencies count, and it can be forked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from stub_openai import StubOpenAI, label

from orchestrator.core.messages import Entry, ImageRead
from orchestrator.journal import RunReader
from orchestrator.vision.pictures import find, folder_of
from sim.fork import Fork
from sim.forking import fork
from sim.recipe import of_site
from sim.recorded import record

SITE = Path(__file__).resolve().parents[2] / "sites" / "jd_small"
READERS = """\
format: 1
readers:
  qwen: {{kind: openai, url: "{url}", model: qwen}}
tasks:
  read_label: {{readers: [qwen, codes], deadline_ms: 60000}}
  verify_pick: {{readers: [items]}}
"""
TURN_S = 240


def entries(run: Path) -> list[Entry]:
    with RunReader(run) as reader:
        return list(reader.entries())


def reads(run: Path) -> list[ImageRead]:
    return [entry.event for entry in entries(run) if isinstance(entry.event, ImageRead)]


def test_a_run_with_a_remote_reader_is_forked_by_what_was_answered_then(tmp_path: Path) -> None:
    run, other = tmp_path / "a.run", tmp_path / "b.run"
    with StubOpenAI(label("nobody-knows-it")) as stub:
        recipe = of_site(SITE, seed=3, hours=0.08, vision="rendered:0.6")
        record(replace(recipe, readers=READERS.format(url=stub.url)), run)
        asked = len(stub.requests)
        figures = fork(run, Fork(at_s=TURN_S, settings={"lookahead": 3}), other)
        again = len(stub.requests) - asked
    taken = [read.latency_us for read in reads(run) if read.model == "codes"]
    assert taken and min(taken) > 0, "it was asked first, and that took a while"
    before = [entry for entry in entries(run) if entry.time_ns <= TURN_S * 10**9]
    assert entries(other)[: len(before)] == before
    known = {entry.event.request for entry in before if isinstance(entry.event, ImageRead)}
    behind = [read for read in reads(other) if read.request not in known and read.model == "codes"]
    assert known and again < asked and again <= len(behind) + 1, figures
    for read in reads(other):
        assert not read.image or find(folder_of(other), read.image) is not None
