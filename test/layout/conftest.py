"""Lets tests import `floors` beside them, and keeps the cache of conflict sets out of the home."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory):
    """One cache for these tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LIGHTSOUT_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield
