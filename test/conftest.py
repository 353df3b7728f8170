"""What all tests share: the browser, where there is one."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

CHROMIUM = Path(os.environ.get("LIGHTSOUT_CHROMIUM", "/usr/bin/chromium"))

# how busy the machine is says nothing about the code
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip the tests marked `browser`, with the reason, where there is no browser."""
    if os.access(CHROMIUM, os.X_OK):
        return
    skip = pytest.mark.skip(reason=f"no Chromium at {CHROMIUM} (LIGHTSOUT_CHROMIUM names another)")
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(skip)


@pytest.fixture(scope="session")
def chromium() -> Path:
    """The browser's executable, for playwright's `executable_path`."""
    return CHROMIUM


@pytest.fixture(scope="session")
def lorr() -> Path:
    """The League's 2024 instances; tests that need them skip where they are absent."""
    root = Path(__file__).parents[1]
    data = Path(os.environ.get("LIGHTSOUT_DATA", root.parent / "shared"))
    folder = (data if data.is_absolute() else root / data) / "data" / "lorr2024"
    if not folder.is_dir():
        pytest.skip(f"no League instances at {folder} (LIGHTSOUT_DATA names another place)")
    return folder
