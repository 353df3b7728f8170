"""What is written never destroys what is read, and what can't be written is said in one line."""

import json
from pathlib import Path

import pytest

from orchestrator.cli import main
from orchestrator.journal import RunReader, RunWriter

ROOT = Path(__file__).parents[2]
SITE = str(ROOT / "sites" / "jd_small")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short run."""
    path = tmp_path_factory.mktemp("run") / "a.run"
    assert main(["run", SITE, "--hours", "0.05", "--record", str(path), "--quiet"]) == 0
    return path


@pytest.mark.parametrize(
    "words",
    [
        ["export", "RUN", "--trajectories", "RUN"],
        ["export", "RUN", "--events", "RUN"],
        ["report", "RUN", "--out", "RUN"],
    ],
)
def test_a_run_is_not_overwritten_by_what_is_made_of_it(
    run: Path, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([word.replace("RUN", str(run)) for word in words]) == 2
    assert "is what is read" in capsys.readouterr().err
    with RunReader(run) as reader:
        reader.check()


def test_only_regular_files_are_written(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", SITE, "--hours", "0.01", "--record", "/dev/null"]) == 2
    assert "is no regular file" in capsys.readouterr().err
    assert not Path("/dev/null").is_file()
    assert main(["report", str(run), "--out", "/dev/null"]) == 2
    assert main(["layout", "draw", SITE, "--out", "/nowhere/x.svg"]) == 2
    assert "there is no such folder" in capsys.readouterr().err


def test_a_resumed_run_is_as_it_was_begun(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--resume", str(run), "--hours", "3"]) == 2
    assert "leave out hours" in capsys.readouterr().err


def test_a_run_that_is_being_written_is_not_resumed(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with RunReader(run) as reader:
        recipe = reader.meta["recipe"]
    path = tmp_path / "live.run"
    writer = RunWriter(path, {"recipe": recipe})
    assert main(["run", "--resume", str(path)]) == 2
    assert "is being written by" in capsys.readouterr().err
    writer.abandon()


def test_an_unfinished_run_is_called_that_and_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from sim import recipe, shell  # noqa: PLC0415

    made = recipe.of_site(Path(SITE), hours=0.2, seed=2)
    path = tmp_path / "open.run"
    writer = RunWriter(path, made.meta())
    shell.Simulation(made.scenario()[0], writer).run(until_ns=333_000_000_000)
    writer.commit()
    writer.abandon()
    assert main(["verify", str(path), "--json"]) == 1
    verdict = json.loads(capsys.readouterr().out)
    assert set(verdict["findings"]["counts"]) == {"unfinished"}


def test_an_order_file_that_holds_nothing_is_no_order_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    orders = tmp_path / "empty.csv"
    orders.write_text("")
    assert main(["run", SITE, "--orders", str(orders)]) == 2
    orders.write_text("order_id,time_s,sku,quantity,due_s\n")
    assert main(["run", SITE, "--orders", str(orders)]) == 2
    assert "holds no orders" in capsys.readouterr().err


def test_as_many_robots_as_there_are_places(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["run", SITE, "--hours", "0.01", "--fleet", "sorter=15", "--json"]
    assert main(words) == 0
    assert json.loads(capsys.readouterr().out)["robots"] == 43
