"""What a newcomer types first."""

import re
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from orchestrator.cli import COMMANDS, main
from orchestrator.commands.demo import find_site

ROOT = Path(__file__).parents[2]


def test_the_demo_runs_serves_its_page_checks_and_ends(tmp_path: Path) -> None:
    path = tmp_path / "demo.run"
    words = ["demo", "--once", "--hours", "0.05", "--speed", "30", "--record", str(path)]
    process = subprocess.Popen(
        [sys.executable, "-m", "orchestrator.cli", *words],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    seen, page = "", ""
    for line in process.stdout:
        seen += line
        url = re.search(r"http://\S+/", line)
        if url and not page:
            page = fetched(url.group())
    assert process.wait(60) == 0, seen
    assert "<title>" in page
    assert "every command is the recorded one" in seen
    assert "nothing found" in seen


def fetched(url: str) -> str:
    """The page, once it is served."""
    for _ in range(100):
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return str(answer.read().decode())
        except OSError:
            time.sleep(0.1)
    return ""


def test_a_port_that_is_taken_is_said_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["view", str(tmp_path), "--port", "1000000"]) == 2
    assert "choose another by --port" in capsys.readouterr().err
    assert main(["view", str(tmp_path / "no.run")]) == 2


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_with_examples(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert "examples:" in text and f"lightsout {name}" in text


def test_the_site_of_the_demo_is_found() -> None:
    assert (find_site("jd_small") / "site.yaml").is_file()
