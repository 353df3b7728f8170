"""The same run again: from its seed, from its journal, and after kill -9 at any instant."""

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from orchestrator.cli import main
from orchestrator.core.site import Policy
from orchestrator.journal import RunReader
from sim.recipe import Recipe
from sim.replay import replay

ROOT = Path(__file__).parents[2]
RUN = ["sites/jd_small", "--hours", "0.3", "--seed", "11", "--faults", "default"]


def lightsout(*arguments: object, hash_seed: str = "0") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    command = [sys.executable, "-m", "orchestrator.cli", *map(str, arguments)]
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def figures(*arguments: object, hash_seed: str = "0") -> dict[str, Any]:
    done = lightsout(*arguments, "--json", hash_seed=hash_seed)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """An uninterrupted run, and its journal's hash."""
    path = tmp_path_factory.mktemp("whole") / "a.run"
    return path, str(figures("run", *RUN, "--record", path)["journal_hash"])


def test_the_same_seed_gives_the_same_journal_under_another_hash_seed(
    whole: tuple[Path, str], tmp_path: Path
) -> None:
    again = figures("run", *RUN, "--record", tmp_path / "b.run", hash_seed="424242")
    assert again["journal_hash"] == whole[1]


def test_a_replay_gives_every_command_again_and_verify_finds_nothing(
    whole: tuple[Path, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", str(whole[0]), "--check", "--json"]) == 0
    outcome = json.loads(capsys.readouterr().out)
    assert outcome["difference"] == "" and outcome["journal_hash"] == whole[1]
    assert main(["verify", str(whole[0])]) == 0


def test_a_replay_notices_a_changed_decision(whole: tuple[Path, str], tmp_path: Path) -> None:
    with RunReader(whole[0]) as reader:
        loaded = Recipe.of(reader.meta).load()
        object.__setattr__(loaded.site, "policy", Policy(lookahead=3))
        assert "commands so far" in replay(reader, loaded).difference


@pytest.mark.parametrize("trial", range(3))
def test_after_kill_9_a_run_is_resumed_to_the_same_journal(
    whole: tuple[Path, str], tmp_path: Path, trial: int
) -> None:
    path = tmp_path / "killed.run"
    command = [sys.executable, "-m", "orchestrator.cli", "run", *RUN, "--record", str(path)]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    wanted = random.Random(trial).randrange(1, 25)  # batches that are to be durable
    while process.poll() is None and batches(path) < wanted:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    with RunReader(path) as reader:
        assert reader.meta["status"] == "open" and reader.count > 0
    assert lightsout("replay", path, "--check").returncode == 0
    assert figures("run", "--resume", path)["journal_hash"] == whole[1]
    with RunReader(path) as reader:
        assert reader.meta["status"] == "closed" and reader.journal_hash == whole[1]
    assert lightsout("verify", path).returncode == 0
    assert "complete" in lightsout("run", "--resume", path).stderr


def batches(path: Path) -> int:
    """How many are durable; 0 while the file is being made."""
    if not path.exists():
        return 0
    try:
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
            return int(connection.execute("SELECT count(*) FROM journal").fetchone()[0])
    except sqlite3.Error:
        return 0
