"""Lets tests import `small_run` beside them; a run file and a client of it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from orchestrator.web.app import create_app

sys.path.insert(0, str(Path(__file__).parent))

from small_run import MINUTES, Story, wait_for


@pytest.fixture(scope="session")
def run_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole run, closed."""
    path = tmp_path_factory.mktemp("runs") / "small.run"
    Story(path).close()
    return path


@pytest.fixture
def story(tmp_path: Path) -> Story:
    """A run of which nothing was written yet."""
    return Story(tmp_path / "growing.run")


@pytest.fixture
def client(run_file: Path) -> Iterator[TestClient]:
    """A client of an app over the whole run."""
    with TestClient(create_app(run_file)) as made:
        wait_for(lambda: made.get("/api/run").json()["to_s"] >= 60 * MINUTES)
        yield made
