"""`lightsout vision judge`: what is told about a picture, and about input that can't be used."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import zxingcpp

from orchestrator.cli import main
from orchestrator.vision.codes import printed

ROOT = Path(__file__).parents[2]
SETTINGS = """
format: 1
readers:
  nobody: {kind: openai, url: "http://127.0.0.1:9/v1", model: m}
tasks:
  read_label: {readers: [codes, nobody], deadline_ms: 60000}
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder with settings and a label of parcel-o7."""
    code = zxingcpp.create_barcode(printed("parcel-o7"), zxingcpp.BarcodeFormat.QRCode)
    cv2.imwrite(str(tmp_path / "label.png"), np.array(code.to_image(scale=6)))
    cv2.imwrite(str(tmp_path / "grey.png"), np.full((100, 100), 128, np.uint8))
    (tmp_path / "vision.yaml").write_text(SETTINGS)
    return tmp_path


def test_what_each_reader_saw(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [
        "vision",
        "judge",
        str(site / "label.png"),
        str(site / "grey.png"),
        "--site",
        str(site),
    ]
    assert main([*arguments, "--expected", "parcel-o7", "--json"]) == 1
    good, none = map(json.loads, capsys.readouterr().out.splitlines())
    assert (good["outcome"], good["value"], good["model"]) == ("ok", "parcel-o7", "codes")
    assert good["picture"] == str(site / "label.png")
    assert none["outcome"] == "unreadable"
    assert [(step["model"], step["error"]) for step in none["trail"]] == [
        ("codes", ""), ("nobody", "offline"), ("nobody", "offline"),
    ]  # fmt: skip
    assert (
        main([*arguments[:3], *arguments[4:], "--expected", "parcel-o8", "--known", "parcel-o7"])
        == 1
    )
    text = capsys.readouterr().out
    assert "label.png: misread parcel-o7 by codes" in text
    assert main([*arguments[:3], *arguments[4:], "--expected", "parcel-o7", "--only", "codes"]) == 0


def test_input_that_can_not_be_used(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def refused(*arguments: str) -> str:
        assert main(["vision", "judge", *arguments, "--site", str(site)]) == 2
        return capsys.readouterr().err

    label = str(site / "label.png")
    assert "add --expected" in refused(label)
    assert "write SKU:count" in refused(label, "--task", "verify_pick", "--expected", "SKU-07")
    assert "--subject" in refused(label, "--task", "check_lane")
    assert "No such file" in refused(str(site / "no.png"), "--expected", "a")
    text = str(site / "vision.yaml")
    assert "vision.yaml: neither JPEG nor PNG" in refused(text, "--expected", "a")
    assert "'lanes' is no reader for read_label" in refused(
        label, "--expected", "a", "--only", "lanes"
    )
    (site / "vision.yaml").write_text("format: 1\nreaders: {a: {kind: magic}}\n")
    assert "readers.a.kind (line 2)" in refused(label, "--expected", "a")


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["label.png", "--known", "nofile.txt"], "--known nofile.txt"),
        (["nopicture.png"], "nopicture.png: No such file or directory -> name a JPEG or PNG"),
    ],
)
def test_files_that_are_not_there(
    site: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    text: str,
) -> None:
    monkeypatch.chdir(site)
    assert main(["vision", "judge", *words, "--expected", "parcel-o7"]) == 2
    assert text in capsys.readouterr().err


def test_layout_check_looks_at_the_eyes_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site = shutil.copytree(ROOT / "sites" / "jd_small", tmp_path / "site")
    (site / "vision.yaml").write_text("format: 1\ntasks: {check_lane: {readers: [codes]}}\n")
    assert main(["layout", "check", str(site)]) == 1
    assert "vision.yaml: tasks.check_lane.readers" in capsys.readouterr().out
