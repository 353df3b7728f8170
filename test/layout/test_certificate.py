"""What a certificate notices: a changed byte, other code, a rehearsal that failed, a broken file."""

from __future__ import annotations

import ast
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from floors import files, write

from orchestrator import certificate
from orchestrator.layout import load_site


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path, files(**{"faults.yaml": "format: 1\n"}))


def passing(folder: Path) -> dict[str, Any]:
    return {
        "format": certificate.FORMAT, "passed": True, "reasons": [],
        "thresholds": {"hours": 2.0, "seeds": 5}, "rehearsed": {"hours": 2.0, "seeds": 5},
        **certificate.identity(folder, load_site(folder).site),
    }  # fmt: skip


def test_nothing_has_changed(folder: Path) -> None:
    made = passing(folder)
    certificate.write(folder / "certificate.json", made)
    read = certificate.read(certificate.default_path(folder))
    loaded = load_site(folder)
    assert certificate.check(folder, read, loaded.site) == []
    texts = certificate.files_of_texts(loaded.files)  # as a run file holds them
    assert certificate.differences(read, texts, loaded.site) == []


def test_one_changed_byte_names_its_file(folder: Path) -> None:
    made = passing(folder)
    layout = folder / "layout.lif.json"
    content = layout.read_bytes()
    place = content.index(b'"x": 4') + 5
    layout.write_bytes(content[:place] + b"5" + content[place + 1 :])
    assert certificate.check(folder, made) == ["layout.lif.json: has changed"]
    layout.write_bytes(content.replace(b"\n", b"\r\n", 1))  # an equal text, another byte
    assert certificate.check(folder, made) == ["layout.lif.json: has changed"]


def test_files_that_come_and_go(folder: Path) -> None:
    made = passing(folder)
    (folder / "faults.yaml").unlink()
    (folder / "items.csv").write_text("sku\nA\n")
    assert certificate.check(folder, made) == ["faults.yaml: is gone", "items.csv: is new"]


def test_the_site_as_it_is_about_to_be_run(folder: Path) -> None:
    made, site = passing(folder), load_site(folder).site
    changed = replace(site, policy=replace(site.policy, lookahead=9))
    assert certificate.check(folder, made, site) == []
    found = certificate.check(folder, made, changed)
    assert len(found) == 1 and found[0].startswith("the compiled site")


@pytest.mark.parametrize(
    ("path", "value", "found"),
    [
        (("code", "core_version"), 1, "core version: is"),
        (("code", "version"), "0.0.1", "lightsout: is"),
        (("code", "sources", "orchestrator/core"), "00", "orchestrator/core: its sources"),
        (("code", "sources", "planners"), "00", "planners: its sources"),
        (("code", "sources", "orchestrator/serving.py"), "00", "orchestrator/serving.py: its"),
        (("code", "sources", "orchestrator/vda5050"), "00", "orchestrator/vda5050: its sources"),
        (("code", "libraries", "ortools"), "1.0", "ortools: is"),
        (("rehearsed", "seeds"), 4, "seeds: 4 were rehearsed, site.yaml asks for 5"),
        (("rehearsed", "hours"), "long", "the certificate does not say how many hours"),
        (("passed",), False, "the rehearsal failed"),
        (("passed",), "yes", "the rehearsal failed"),
        (("code",), None, "lightsout: is"),
        (("files",), [], "faults.yaml: is new"),
    ],
)
def test_other_changes_are_said(
    path: tuple[str, ...], value: Any, found: str, folder: Path
) -> None:
    made = json.loads(json.dumps(passing(folder)))
    node = made
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = value
    said = certificate.check(folder, made)
    assert said and said[0].startswith(found)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"format": 99}', "[" * 100_000, "\x00", '{"format": 1, "seal": "0"}']
)
def test_what_is_no_certificate_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "certificate.json"
    path.write_text(text)
    with pytest.raises(certificate.CertificateError, match="lightsout rehearse SITE"):
        certificate.read(path)


def test_an_edited_certificate_is_refused(folder: Path) -> None:
    path = folder / "certificate.json"
    certificate.write(path, passing(folder) | {"passed": False})
    path.write_text(path.read_text().replace('"passed": false', '"passed": true'))
    with pytest.raises(certificate.CertificateError, match="was changed after"):
        certificate.read(path)
    with pytest.raises(certificate.CertificateError, match="there is no certificate"):
        certificate.read(folder / "none.json")


def imported(path: Path) -> set[Path]:
    """The modules of ours that a module imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            place = certificate.ROOT.joinpath(*name.split("."))
            file = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
            if name.split(".")[0] in ("orchestrator", "planners") and file.is_file():
                found.add(file)
    return found


def test_all_that_a_server_runs_is_hashed_or_only_carries() -> None:
    """Whoever adds a module to `serve` says on which side it is."""
    for name in (*certificate.DECIDES, *certificate.CARRIES):
        assert (certificate.ROOT / name).exists(), name
    todo, seen = [certificate.ROOT / "orchestrator" / "serving.py"], set()
    while todo:
        file = todo.pop()
        if file not in seen:
            seen.add(file)
            todo += imported(file)
    assert len(seen) > 100
    known = [certificate.ROOT / name for name in (*certificate.DECIDES, *certificate.CARRIES)]
    left = {
        file.relative_to(certificate.ROOT).as_posix()
        for file in seen
        if not any(file == place or place in file.parents for place in known)
    }
    assert left <= {"orchestrator/__init__.py"}, "in neither DECIDES nor CARRIES"
