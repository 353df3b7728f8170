"""Rules of the house that are neither style nor types, checked like any other behaviour.

After TigerBeetle's tidy.zig: a rule that nobody checks is a wish.
"""

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("orchestrator", "planners", "sim")

MODULE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70
GENERATED = re.compile(r"\bgenerated\b", re.IGNORECASE)  # in the first lines: exempt from sizes

# What has a clock, dice, a file, a thread or a log behind it.
IMPURE = frozenset(
    {"time", "random", "asyncio", "datetime", "os", "socket", "threading", "uuid", "secrets"}
    | {"logging", "pathlib"}
)
PURE = {"orchestrator/core": IMPURE, "planners": IMPURE | {"hashlib"}}
EXEMPT = {"planners/cache.py": {"pathlib", "os", "hashlib"}}  # the planners' one door to the disk

NAMELESS = re.compile(r"^(utils?|helpers?|misc|common)$|manager")
# A folder of this name with an __init__.py would hide ROS 2's `launch`, the standard `test`.
NO_PACKAGES = ("launch", "test")

# Written in pieces, so that this file passes its own test.
FORBIDDEN_TEXT = {
    "a package registry's host": re.compile(
        "|".join(
            re.escape(".".join(parts))
            for parts in [
                ("pypi", "org"),
                ("pythonhosted", "org"),
                ("registry", "npmjs", "org"),
                ("deb", "debian", "org"),
            ]
        )
    ),
    "a path of somebody's machine": re.compile(r"(?<![\w.~}-])/(?:work|home|root)" + "/"),
}


@cache
def sources() -> list[Path]:
    return [path for name in PACKAGES for path in sorted((ROOT / name).rglob("*.py"))]


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imports(path: Path) -> Iterator[str]:
    """Yield the dotted names that a module imports, wherever in it."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module or ""


def committed() -> list[Path]:
    done = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip("no git checkout: what is committed can't be told")
    paths = [ROOT / name for name in done.stdout.split("\0") if name]
    return [path for path in paths if path.is_file()]


each_module = pytest.mark.parametrize("path", sources(), ids=name_of)


@each_module
def test_a_module_says_what_it_is_for(path: Path) -> None:
    assert ast.get_docstring(parsed(path)), "a module begins with a docstring"


@each_module
def test_modules_and_functions_are_small(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    if GENERATED.search("\n".join(lines[:5])):
        return
    assert len(lines) <= MODULE_LINES_MAX, "split it by what it is about"
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            assert length <= FUNCTION_LINES_MAX, f"{node.name} has {length} lines"


@each_module
def test_a_module_is_named_after_its_subject(path: Path) -> None:
    assert not NAMELESS.search(path.stem.lower()), "name it after what it holds"


@pytest.mark.parametrize("room", PURE)
def test_the_core_and_the_planners_are_pure(room: str) -> None:
    found = {
        f"{name_of(path)} imports {name}"
        for path in sources()
        if name_of(path).startswith(f"{room}/")
        for name in imports(path)
        if name.split(".")[0] in PURE[room] - EXEMPT.get(name_of(path), set())
    }
    assert not found, "time, chance and the disk arrive as events and arguments"


def test_only_kernels_import_numba() -> None:
    found = {
        name_of(path)
        for path in sources()
        if "numba" in {name.split(".")[0] for name in imports(path)}
    }
    assert all(name.startswith("planners/kernels/") for name in found), found


@pytest.mark.parametrize("folder", NO_PACKAGES)
def test_folders_that_must_not_be_packages(folder: str) -> None:
    assert not list((ROOT / folder).rglob("__init__.py"))


def test_tests_mirror_the_packages() -> None:
    rooms = {path.stem for path in (ROOT / "orchestrator").iterdir()}
    allowed = rooms | {"planners", "sim", "architecture", "fuzz"}
    folders = {path.parent.name for path in (ROOT / "test").glob("*/*.py")}
    assert folders <= allowed, f"{folders - allowed}: a test lies where its subject's name is"


def test_no_machine_and_no_registry_is_named() -> None:
    found = set()
    for path in committed():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a picture, not text
        found |= {f"{name_of(path)}: {what}" for what, pattern in FORBIDDEN_TEXT.items()
                  if pattern.search(text)}  # fmt: skip
    assert not found
