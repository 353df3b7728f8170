"""Lets tests import the core's and the layout's scenes."""

import sys
from pathlib import Path

import pytest

for room in ("core", "layout", "sim", "host"):
    sys.path.insert(0, str(Path(__file__).parents[1] / room))


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory):
    """One cache of conflict sets for these tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LIGHTSOUT_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield
