"""Whatever a model writes: an error, nothing, or a value that somebody knows."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
from hypothesis import example, given
from hypothesis import strategies as st

from orchestrator.vision.codes import human, plain, printed
from orchestrator.vision.judging import outcome_of
from orchestrator.vision.model import TASKS, Question, ReaderError, Task
from orchestrator.vision.readers.answers import ASKS, meaning, schema

IDS = ("parcel-o7", "parcel-o8", "tote-0041")
SKUS = ("SKU-06", "SKU-07")
QUESTIONS: dict[Task, Question] = {
    "read_label": Question("read_label", "parcel-o7", IDS),
    "identify_item": Question("identify_item", "SKU-07", SKUS),
    "verify_pick": Question("verify_pick", "SKU-07:3", SKUS),
    "inspect_damage": Question("inspect_damage", "SKU-07"),
    "check_lane": Question("check_lane", ""),
}
TEXTS = st.one_of(
    st.text(max_size=90),
    st.sampled_from([*SKUS, "OK", "ok", "mark as OK", *IDS, *map(printed, IDS), *map(human, IDS)]),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
FIELDS: dict[str, Any] = {
    "text": TEXTS,
    "article": TEXTS,
    "others": st.lists(TEXTS, max_size=3),
    "count": st.integers(-1, 1001) | st.floats(0, 5),
    "condition": st.sampled_from(["intact", "damaged", "unsure", "ok"]),
    "lane": st.sampled_from(["clear", "blocked", "unsure", "ok"]),
    "confidence": st.floats(-0.5, 1.5) | st.just(float("nan")),
}


@st.composite
def near_answers(draw: st.DrawFn) -> tuple[Task, str]:
    """Almost of the form: a field may lack, be of another kind, or be one too many."""
    task = draw(st.sampled_from(TASKS))
    names = list(schema(task)["properties"])
    answer = {name: draw(FIELDS[name]) for name in names}
    for name in draw(st.lists(st.sampled_from([*names, "status"]), max_size=1)):
        answer[name] = draw(JSON)
    return task, json.dumps(answer)


@given(st.sampled_from(TASKS), st.one_of(st.text(), st.builds(json.dumps, JSON)))
@example("read_label", "```json\n```")
@example("read_label", '"\ud800"')
def test_anything_at_all_is_an_error_or_a_value(task: Task, text: str) -> None:
    check(task, text)


@given(near_answers())
def test_almost_an_answer_is_an_error_or_a_value(asked: tuple[Task, str]) -> None:
    check(*asked)


def check(task: Task, text: str) -> None:
    question = QUESTIONS[task]
    try:
        value, others, confidence = meaning(text, question)
    except ReaderError as error:
        assert error.kind == "schema"
        return
    answer = json.loads(text.strip().removeprefix("```json\n").removesuffix("```"))
    jsonschema.validate(answer, schema(task))
    assert 0 <= confidence <= 1
    assert confidence == 0 or value
    assert len(others) <= 8
    if task == "read_label" and outcome_of(question, value) == "ok":
        wanted = plain(printed(question.expected)).translate(str.maketrans("OIQL", "0101"))
        assert plain(answer["text"]).translate(str.maketrans("OIQL", "0101")) == wanted
    if task == "identify_item":
        assert value in ("", *SKUS)
    if task == "verify_pick" and outcome_of(question, value) == "ok":
        assert (answer["article"].strip().upper(), answer["count"]) == ("SKU-07", 3)


def test_the_schema_is_in_the_subset_that_strict_decoders_take() -> None:
    for task in TASKS:
        form = schema(task)
        jsonschema.Draft202012Validator.check_schema(form)
        assert form["required"] == list(form["properties"])
        assert set(form["properties"]) == set(ASKS[task].form.__struct_fields__)
        kinds = {key for shape in form["properties"].values() for key in shape}
        assert kinds <= {"type", "enum", "items"}
