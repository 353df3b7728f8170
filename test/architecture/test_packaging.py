"""The package is one thing under pip, colcon and ROS 2, and its dependencies are locked."""

import os
import re
import runpy
import shutil
import subprocess
import sys
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import setuptools
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PACKAGED = ("package.xml", "setup.py", "setup.cfg", "pyproject.toml", "resource", "launch", "config",
            "orchestrator", "planners", "sim", "sites")  # fmt: skip

LOCKED = re.compile(r"^(?P<name>[\w.-]+)(?:\[[\w,-]+\])?==(?P<version>[\w.!+-]+)(?P<rest>.*)$")


@pytest.fixture
def declared(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What setup.py hands to setuptools."""
    said: dict[str, Any] = {}
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(setuptools, "setup", said.update)
    runpy.run_path("setup.py")
    return said


def locked() -> list[str]:
    """The entries of requirements.lock, each joined to one line."""
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8").replace("\\\n", " ")
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]


def test_package_xml_and_setup_agree(declared: dict[str, Any]) -> None:
    package = ElementTree.parse(ROOT / "package.xml").getroot()
    assert package.get("format") == "3"
    assert package.findtext("export/build_type") == "ament_python"
    for field in ("name", "version", "license", "maintainer"):
        assert package.findtext(field) == declared[field]


def test_every_site_file_is_installed(declared: dict[str, Any]) -> None:
    data: dict[str, list[str]] = dict(declared["data_files"])
    assert "sites/jd_small/site.yaml" in data["share/lightsout/sites/jd_small"]
    assert data["share/lightsout/launch"]


def test_the_lock_has_exact_versions_and_hashes_only() -> None:
    for entry in locked():
        assert LOCKED.match(entry), f"not an exact version: {entry[:80]}"
        assert "--hash=sha256:" in entry, f"no hash: {entry[:80]}"
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "://" not in text, "a lock names no host: whoever installs chooses where from"
    assert not re.search(r"^\s*--(?!hash=)", text, re.MULTILINE)


def test_the_lock_holds_what_setup_declares(declared: dict[str, Any]) -> None:
    versions: dict[str, list[str]] = {}
    for entry in locked():
        if match := LOCKED.match(entry):
            versions.setdefault(canonicalize_name(match["name"]), []).append(match["version"])
    groups = [declared["install_requires"], *declared["extras_require"].values()]
    for requirement in map(Requirement, chain(*groups)):
        found = versions.get(canonicalize_name(requirement.name), [])
        assert found, f"{requirement.name} is not in requirements.lock: make lock"
        assert all(requirement.specifier.contains(version) for version in found), requirement


@pytest.mark.slow
def test_colcon_builds_the_package(tmp_path: Path) -> None:
    source = copied(tmp_path / "src" / "lightsout")
    colcon = Path(sys.executable).with_name("colcon")
    done = subprocess.run(
        [colcon, "--log-base", "log", "build", "--base-paths", source,
         "--event-handlers", "console_direct+"],
        cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    installed = tmp_path / "install" / "lightsout"
    for name in (
        "share/ament_index/resource_index/packages/lightsout",
        "share/lightsout/package.xml",
        "share/lightsout/launch/demo.launch.py",
        "share/lightsout/config/orchestrator.yaml",
        "share/lightsout/config/lightsout.rviz",
        "lib/lightsout/orchestrator",
        "lib/lightsout/simulator",
        "lib/lightsout/replay",
        "share/lightsout/sites/jd_small/site.yaml",
    ):
        assert (installed / name).is_file(), f"{name} is missing:\n{done.stdout}"
    executable = installed / "lib/lightsout/lightsout"
    assert os.access(executable, os.X_OK), f"ros2 run would not find it:\n{done.stdout}"
    (site_packages,) = installed.glob("lib/python3*/site-packages")
    assert version(executable, PYTHONPATH=str(site_packages)) == "lightsout 0.1.0"


@pytest.mark.slow
def test_pip_puts_the_command_where_the_environment_has_its_commands(tmp_path: Path) -> None:
    """setup.cfg sends scripts to lib/lightsout for ROS 2; pip must take no notice of that."""
    source = copied(tmp_path / "src")
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation",
         "--no-index", "--ignore-installed", "--prefix", tmp_path / "prefix", source],
        check=True, timeout=300,
    )  # fmt: skip
    assert (tmp_path / "prefix/bin/lightsout").is_file()
    assert not (tmp_path / "prefix/lib/lightsout").exists()


def copied(target: Path) -> Path:
    """A copy of what is packaged: building must leave nothing in the work tree."""
    leave: Callable[..., set[str]] = shutil.ignore_patterns("__pycache__", "*.egg-info")
    target.mkdir(parents=True)
    for name in PACKAGED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, target / name, ignore=leave)
        else:
            shutil.copy(ROOT / name, target / name)
    return target


def environment(**more: str) -> dict[str, str]:
    """This process's environment, without what a sourced ROS 2 workspace would add."""
    kept = {
        key: value for key, value in os.environ.items() if not key.startswith(("AMENT", "COLCON"))
    }
    return kept | more


def version(executable: Path, **more: str) -> str:
    done = subprocess.run(
        [executable, "--version"],
        env=environment(**more),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()
