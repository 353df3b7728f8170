"""vision.yaml: what it may say, what is wrong with it and where, and the chain that comes of it."""

from __future__ import annotations

import asyncio
import re
import textwrap
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
from label_pictures import blank, labelled
from onnx_bytes import colours

from orchestrator.layout.findings import LayoutError
from orchestrator.vision import settings
from orchestrator.vision.assembly import chain_of
from orchestrator.vision.clock import StillClock
from orchestrator.vision.judging import Rule
from orchestrator.vision.model import TASKS, Picture, Question, Reading
from orchestrator.vision.readers_file import (
    Before,
    Bounds,
    Boxes,
    Classes,
    KserveFile,
    OnnxFile,
    OpenAIFile,
    Text,
)
from orchestrator.vision.settings import DEFAULT, TaskFile, VisionFile, load, read

ROOT = Path(__file__).parents[2]
GOOD = """
format: 1
workers: 2
readers:
  qwen:
    kind: openai
    url: http://localhost:8000/v1
    model: Qwen/Qwen3-VL-8B-Instruct
    key_env: VLLM_KEY
    share: 0.5
    cost_per_call: 0.002
    cost_per_hour: 3
  damage:
    kind: kserve
    url: https://triton.hall.example
    model: damage
    batch_max: 8
    tasks: [inspect_damage]
    before: {width: 224, height: 224}
    after: {kind: classes, labels: [intact, damaged], softmax: true}
  ocr: {at_once: 1}
tasks:
  read_label: {readers: [codes, tags, ocr, qwen], threshold: 0.85, thresholds: {qwen: 0.95}}
  inspect_damage: {readers: [items, damage, qwen], agree: 2, deadline_ms: 8000}
"""


def findings(text: str, folder: Path = Path("site")) -> list[str]:
    _, found = read(textwrap.dedent(text), "vision.yaml", folder)
    return [str(finding) for finding in found]


def test_without_a_file_the_embedded_readers_do_it_all(tmp_path: Path) -> None:
    vision = load(tmp_path)
    assert {task: vision.policy.tasks[task].readers for task in TASKS} == DEFAULT
    assert set(vision.readers) == {"codes", "tags", "ocr", "items", "lanes"}
    assert not any(policy.hedge_share_max for policy in vision.policy.readers.values())


def test_a_file_says_who_is_asked_and_within_which_bounds(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text("")
    (tmp_path / "vision.yaml").write_text(GOOD)
    vision = load(tmp_path)
    assert load(tmp_path / "site.yaml").policy == vision.policy
    policy = vision.policy
    assert policy.tasks["read_label"].rule == Rule(0.85, {"qwen": 0.95}, 1)
    assert policy.tasks["inspect_damage"].deadline_s == 8.0
    assert policy.tasks["check_lane"].readers == ("lanes",)
    qwen, damage, ocr = (policy.readers[name] for name in ("qwen", "damage", "ocr"))
    assert (qwen.share, qwen.retries, qwen.hedge_share_max) == (0.5, 1, 0.05)
    assert (qwen.budget.micros_per_call, qwen.budget.micros_per_hour) == (2000, 3_000_000)
    assert (damage.at_once, ocr.at_once, policy.readers["codes"].at_once) == (16, 1, 4)
    assert ocr.retries == 0


MODEL = "{kind: openai, model: m, url: 'http://localhost:1/v1'"
WRONG: list[tuple[str, str]] = [
    ("format: 1\nfaces: [3]", "-> see docs/vision.md for this key"),
    (
        f'format: 1\nreaders:\n  q: {MODEL}, ca_file: "a\\0b"}}',
        "readers.q (line 3): no name of a file",
    ),
    (f"format: 1\nreaders:\n  q: {MODEL}, ca_file: {__file__}}}", "readers.q (line 3): [X509"),
    (f"format: 1\nreaders:\n  q: {MODEL}, options: {{api_key: sk-1}}}}", "whose name is `key_env`"),
    (
        f"format: 1\nreaders:\n  q: {MODEL}, options: {{headers: [{{Authorization: sk-1}}]}}}}",
        "`options` can't hold Authorization",
    ),
    (f"format: 1\nreaders:\n  q: {MODEL}, options: &o {{more: *o}}}}", "nested too deep"),
    ("format: 1\nreaders:\n  q: {kind: openai, model: m, url: 'http://a b/v1'}", "holds spaces"),
    (f"format: 1\nreaders:\n  frozen: {MODEL}}}", "'frozen' is no name for a reader"),
    (f"format: 1\nreaders:\n  '': {MODEL}}}", "'' is no name for a reader"),
    ("format: 2", "format: format 2 is newer"),
    ("format: 1\nreadrs: {}", "readrs (line 2): unknown key 'readrs' -> remove it"),
    (
        "format: 1\nreaders: {a: {kind: magic}}",
        "readers.a.kind (line 2): there is no kind 'magic' ->",
    ),
    ("format: 1\nreaders: {a: {}}", "readers.a.kind (line 2): missing -> one of codes, tags, ocr"),
    ("format: 1\nreaders: {ocr: {kind: onnx}}", "is the name of an embedded reader"),
    ("format: 1\nreaders: {mine: {kind: ocr}}", "the reader of kind ocr is called so"),
    ("format: 1\nreaders: {ocr: {speed: 3}}", "readers.ocr.speed (line 2): unknown key 'speed'"),
    ("format: 1\nreaders: {ocr: {share: 2}}", "readers.ocr.share (line 2): Input should be less"),
    (
        "format: 1\nreaders:\n  q:\n    kind: openai\n    model: m\n",
        "readers.q.url (line 3): missing -> add `url:`",
    ),
    (
        "format: 1\nreaders:\n  q:\n    kind: openai\n    model: m\n    url: localhost:8000",
        "readers.q.url (line 6): write http://host:port",
    ),
    (
        "format: 1\nreaders:\n  q: {kind: openai, model: m, url: 'https://me:sk-1@host/v1'}",
        "a key goes into `key_env`, not here",
    ),
    (
        "format: 1\nreaders:\n  q: {kind: openai, model: m, url: 'https://h', key_env: sk-abc-123}",
        "readers.q.key_env (line 3): is no name of an environment variable",
    ),
    (
        "format: 1\nreaders:\n  q: {kind: openai, model: m, url: 'http://hall:80', key_env: KEY}",
        "readers.q (line 3): the key would go over the network in the clear",
    ),
    (
        "format: 1\nreaders:\n  q: {kind: openai, model: m, url: 'http://h', options: {stream: true}}",
        "`options` can't hold stream",
    ),
    (
        "format: 1\nreaders:\n  q: {kind: kserve, model: m, url: 'http://h', tasks: [check_lane],"
        " binary: false, before: {width: 8, height: 8, dtype: float16},"
        " after: {kind: classes, labels: [clear, blocked]}}",
        "JSON has no form for float16: write `binary: true`",
    ),
    (
        "format: 1\nreaders:\n  q: {kind: openai, model: m, url: 'https://h', ca_file: no.crt}",
        "no.crt: No such file",
    ),
    (
        "format: 1\ntasks: {read_label: {readers: [codes, qwen]}}",
        "tasks.read_label.readers (line 2): there is no reader 'qwen' -> declare it",
    ),
    ("format: 1\ntasks: {check_lane: {readers: [codes]}}", "'codes' can't do check_lane"),
    ("format: 1\ntasks: {check_lane: {agree: 2}}", "2 readers can't agree where 1 are asked"),
    ("format: 1\ntasks: {read_label: {readers: [codes, codes]}}", "names a reader twice"),
    ("format: 1\ntasks: {read_label: {thresholds: {lanes: 0.5}}}", "is not among its readers"),
    ("format: 1\ntasks: {read_labels: {}}", "tasks.read_labels"),
    ("format: 1\ntasks: {read_label: {readers: []}}", "must hold at least 1"),
]


@pytest.mark.parametrize(("text", "told"), WRONG)
def test_what_is_wrong_is_told_with_place_and_mend(text: str, told: str) -> None:
    found = findings(text)
    assert any(told in line for line in found), found
    assert all(line.startswith("error: vision.yaml: ") and " -> " in line for line in found)


def test_the_key_itself_is_never_told_again() -> None:
    for key in ("sk-abc-123", "hunter2!"):
        text = f"""
            format: 1
            readers:
              q: {{kind: openai, model: m, url: "https://u:{key}@h", key_env: "{key}"}}"""
        assert findings(text)
        assert key not in "".join(findings(text))


def test_characters_that_are_not_utf_8_are_a_finding(tmp_path: Path) -> None:
    (tmp_path / "letters.txt").write_bytes(b"\xff\xfe")
    text = """
        format: 1
        readers:
          a:
            kind: onnx
            file: letters.txt
            tasks: [read_label]
            before: {width: 4, height: 4}
            after: {kind: text, labels_file: letters.txt}"""
    assert "readers.a (line 4): `labels_file`: byte 0 is not UTF-8" in findings(text, tmp_path)[0]


@pytest.mark.parametrize("task", ["identify_item", "verify_pick", "inspect_damage", "check_lane"])
def test_a_model_that_reads_text_may_not_say_alone_that_all_is_well(task: str) -> None:
    local = "lanes" if task == "check_lane" else "items"
    text = """
        format: 1
        readers: {{q: {{kind: openai, model: m, url: "https://h"}}}}
        tasks: {{{task}: {{readers: [{local}, q]{more}}}}}"""
    assert "could talk 'q' into" in findings(text.format(task=task, local=local, more=""))[0]
    two = text.replace(
        "readers: {{q:", "readers: {{p: {{kind: openai, model: m, url: 'https://p'}}, q:"
    )
    both = two.format(task=task, local=f"{local}, p", more=", agree: 2")
    assert "could talk 'p' and 'q' into" in findings(both)[0]
    assert "`agree: 3`" in findings(both)[0]
    for more in (", agree: 2", ", alone: true"):
        assert findings(text.format(task=task, local=local, more=more)) == []


BLOCKS = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/vision.md").read_text(), re.DOTALL)


@pytest.mark.parametrize("block", BLOCKS)
def test_what_the_documentation_shows_is_right(block: str, tmp_path: Path) -> None:
    (tmp_path / "pallets.onnx").write_bytes(colours())
    text = block if block.startswith("format") else f"format: 1\nreaders:\n{block}"
    _, found = read(text, "vision.yaml", tmp_path)
    assert all("is asked about no task" in str(finding) for finding in found), found


def test_every_key_is_documented() -> None:
    page = re.sub(r"```.*?```", "", (ROOT / "docs/vision.md").read_text(), flags=re.DOTALL)
    named = set(re.findall(r"[\w]+", " ".join(re.findall(r"`[^`]+`", page))))
    models = (
        VisionFile,
        TaskFile,
        Bounds,
        OpenAIFile,
        KserveFile,
        OnnxFile,
        Before,
        Classes,
        Boxes,
        Text,
    )
    keys = {key for model in models for key in model.model_fields} - {"format"}
    assert keys <= named, keys - named


def test_a_reader_that_nobody_asks_is_a_warning(tmp_path: Path) -> None:
    text = "format: 1\nreaders:\n  q: {kind: openai, model: m, url: 'https://h'}\n"
    (found,) = findings(text)
    assert found.startswith("warning: vision.yaml: readers.q (line 3): is asked about no task")
    (tmp_path / "v.yaml").write_text(text)
    vision = load(tmp_path, tmp_path / "v.yaml")
    assert vision.alone("read_label", "q").policy.tasks["read_label"].readers == ("q",)
    with pytest.raises(LayoutError, match="'lanes' is no reader for read_label -> one of codes"):
        vision.alone("read_label", "lanes")


def test_a_file_that_is_not_there_or_not_text(tmp_path: Path) -> None:
    with pytest.raises(LayoutError, match=r"v\.yaml: can't be read: No such file"):
        load(tmp_path, tmp_path / "v.yaml")
    (tmp_path / "vision.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(LayoutError, match="byte 0 is not UTF-8"):
        load(tmp_path)


def judged(vision: Any, picture: Picture, question: Question, inline: bool) -> Any:
    async def story() -> Any:
        chain = chain_of(vision, inline=inline, clock=StillClock() if inline else None)
        try:
            return await chain.judge(picture, question)
        finally:
            await chain.close()

    return asyncio.run(story())


@pytest.mark.parametrize("inline", [True, False])
def test_the_embedded_chain_reads(tmp_path: Path, inline: bool) -> None:
    question = Question("read_label", "parcel-o7", ("parcel-o7", "parcel-o8"))
    text = "format: 1\ntasks: {read_label: {readers: [codes, tags], deadline_ms: 60000}}\n"
    (tmp_path / "vision.yaml").write_text(text)
    verdict = judged(load(tmp_path), labelled("parcel-o7"), question, inline)
    assert (verdict.outcome, verdict.model) == ("ok", "codes")
    assert judged(load(tmp_path), labelled("parcel-o8"), question, inline).outcome == "misread"
    assert judged(load(tmp_path), blank(), question, inline).outcome == "unreadable"


def test_a_file_beside_the_settings_is_a_reader(tmp_path: Path) -> None:
    (tmp_path / "colours.onnx").write_bytes(colours())
    (tmp_path / "labels.txt").write_text("intact\ndamaged\n")
    (tmp_path / "vision.yaml").write_text("""
format: 1
readers:
  mine:
    kind: onnx
    file: colours.onnx
    tasks: [inspect_damage]
    before: {width: 8, height: 8}
    after: {kind: classes, labels: [intact, damaged], softmax: true}
tasks:
  inspect_damage: {readers: [mine], deadline_ms: 60000}
""")
    import numpy as np  # noqa: PLC0415

    red = Picture.of(np.full((20, 20, 3), (0, 0, 255), np.uint8))
    verdict = judged(load(tmp_path), red, Question("inspect_damage", "SKU-07"), inline=False)
    assert (verdict.outcome, verdict.model) == ("damaged", "mine")


class Coin:
    """Somebody else's reader, as docs/vision.md shows it."""

    remote = False

    def __init__(self, name: str, options: dict[str, Any]) -> None:
        self.name, self.tasks = name, frozenset({"check_lane"})
        self._says = options["says"]

    async def read(self, picture: Picture, question: Question) -> Reading:
        return Reading(self._says, 1.0, self.name)


def test_other_packages_bring_readers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint("coin", f"{__name__}:Coin", settings.PLUGINS)
    monkeypatch.setattr(EntryPoint, "load", lambda _: Coin)
    monkeypatch.setattr(settings, "entry_points", lambda group: [point])
    text = """
format: 1
readers: {mine: {kind: coin, says: blocked, at_once: 2}}
tasks: {check_lane: {readers: [mine]}}
"""
    (tmp_path / "vision.yaml").write_text(text)
    question = Question("check_lane", "", subject="lane-1")
    assert judged(load(tmp_path), blank(), question, inline=True).outcome == "blocked"
