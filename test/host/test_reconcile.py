"""What the host believes against what is there: at a run's start and at its end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from whole_ring import whole_files

from orchestrator.cli import main
from orchestrator.host.stock_list import Held, compare, read_stock
from sim.recipe import Recipe


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "ring"
    folder.mkdir()
    for name, text in whole_files().items():
        (folder / name).write_text(text)
    return folder


def opening() -> list[list[Any]]:
    """tote, sku, quantity, slot: as the building has it."""
    scenario, _ = Recipe(name="ring", files=whole_files(), hours=0.05).scenario()
    bays = scenario.loaded.site.roadmap.bays
    return [[t.tote, t.sku, t.quantity, bays[t.bay].id] for t in scenario.totes]


def csv(rows: list[list[Any]]) -> str:
    return "\n".join(["tote,sku,quantity,slot", *(",".join(map(str, row)) for row in rows)]) + "\n"


def wrong() -> tuple[list[list[Any]], list[str]]:
    """A host's list with one difference of each kind, and what is to be found."""
    rows = opening()
    rows[0][2] += 3
    rows[1][1] = "SKU-02" if rows[1][1] == "SKU-01" else "SKU-01"
    free = next(s for s in ("slot-r-7", "slot-r-10", "slot-r-14") if s not in {r[3] for r in rows})
    rows[2][3] = free
    lost = rows.pop()[0]
    taken = {row[3] for row in rows}
    spare = next(s for s in ("slot-r-4", "slot-r-20", "slot-r-14", "slot-r-7") if s not in taken)
    rows.append(["ghost", "SKU-01", 7, spare])
    return rows, [
        f"wrong_count: {rows[0][0]}", f"wrong_sku: {rows[1][0]}", f"wrong_slot: {rows[2][0]}",
        "missing: ghost", f"surplus: {lost}",
    ]  # fmt: skip


def run(site: Path, tmp_path: Path, *more: str) -> tuple[Path, list[dict[str, Any]]]:
    out, path = tmp_path / "out", tmp_path / "a.run"
    arguments = ["run", str(site), "--hours", "0.05", "--record", str(path), "--outbox", str(out)]
    assert main([*arguments, *more]) == 0
    return path, [json.loads(p.read_text()) for p in sorted(out.glob("[0-9]*.json"))]


def differences(found: list[dict[str, Any]]) -> list[str]:
    row = next(row for row in found if row["kind"] == "reconciliation")
    return [f"{each['kind']}: {each['tote']}" for each in row["differences"]]


def test_the_building_is_right(site: Path, tmp_path: Path) -> None:
    """Given a host that believes otherwise, when the building is trusted, then its books stay and each
    difference goes out as a stock adjustment that makes the host's sums right."""
    rows, expected = wrong()
    path = tmp_path / "host.csv"
    path.write_text(csv(rows))
    _, found = run(site, tmp_path, "--stock", str(path))
    assert differences(found) == expected
    opened = next(r for r in found if r["kind"] == "stock-snapshot" and "opening" in r["key"])
    assert [[t["tote"], t["sku"], t["quantity"]] for t in opened["totes"]] == [
        row[:3] for row in opening()
    ]
    sums: dict[str, int] = {}
    for _, sku, quantity, _ in rows:
        sums[sku] = sums.get(sku, 0) + quantity
    adjusted = [row for row in found if row["kind"] == "stock-adjustment"]
    assert len(adjusted) == len(expected)
    for change in (change for row in adjusted for change in row["changes"]):
        sums[change["sku"]] = sums.get(change["sku"], 0) + change["change"]
    there: dict[str, int] = {}
    for _, sku, quantity, _ in opening():
        there[sku] = there.get(sku, 0) + quantity
    assert {k: v for k, v in sums.items() if v} == there


def test_the_host_is_right(site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Given the same list, when the host is trusted, then the run begins with it; rows that can't be
    are named; nothing is adjusted."""
    rows, expected = wrong()
    rows += [["far", "SKU-01", 1, "nowhere"], ["odd", "NONE", 1, "slot-r-4"]]
    rows += [["twice", "SKU-01", 1, rows[0][3]]]
    path = tmp_path / "host.csv"
    path.write_text(csv(rows))
    record, found = run(site, tmp_path, "--stock", str(path), "--trust", "host")
    told = capsys.readouterr().err
    for line, text in ((6, "no slot"), (7, "unknown SKU"), (8, "already")):
        assert f"{path}:{line}: " in told and text in told
    known = [d for d in differences(found) if d.split(": ")[1] not in ("far", "odd", "twice")]
    assert known == expected
    opened = next(r for r in found if r["kind"] == "stock-snapshot" and "opening" in r["key"])
    assert [[t["tote"], t["sku"], t["quantity"], t["place"][5:]] for t in opened["totes"]] == (
        rows[:-3]
    )
    assert not [row for row in found if row["kind"] == "stock-adjustment"]
    path.unlink()
    assert main(["replay", str(record), "--check"]) == 0, "the recipe holds the list"
    assert main(["verify", str(record)]) == 0


def test_at_the_end_of_a_run(
    site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Given a finished run, when its last snapshot is compared with it, then they agree; when a tote is
    changed, the difference is said and the exit code is 1."""
    record, found = run(site, tmp_path)
    last = found[-1]
    path = tmp_path / "snapshot.json"
    path.write_text(json.dumps(last))
    assert main(["reconcile", str(record), "--stock", str(path)]) == 0
    assert "0 differences" in capsys.readouterr().out
    last["totes"][0]["quantity"] += 1
    gone = last["totes"].pop()
    path.write_text(json.dumps(last))
    assert main(["reconcile", str(record), "--stock", str(path), "--json"]) == 1
    rows = json.loads(capsys.readouterr().out)["differences"]
    assert [row["kind"] for row in rows] == ["wrong_count", "surplus"]
    assert rows[0]["changes"] == [[last["totes"][0]["sku"], -1]]
    assert rows[1]["tote"] == gone["tote"]
    path.write_text("what\n")
    assert main(["reconcile", str(record), "--stock", str(path)]) == 2


def test_changes_make_the_hosts_sums_right() -> None:
    host = {"a": Held("X", 5, "slot:1"), "b": Held("X", 1, "slot:2"), "c": Held("X", 2, "slot:3")}
    building = {
        "a": Held("Y", 7, "slot:1"),
        "b": Held("X", 4, "slot:9"),
        "d": Held("Z", 1, "slot:3"),
    }
    found = compare(host, building)
    assert [(d.kind, d.tote, d.changes) for d in found] == [
        ("wrong_sku", "a", [("X", -5), ("Y", 7)]),
        ("wrong_count", "b", [("X", 3)]),
        ("wrong_slot", "b", []),
        ("missing", "c", [("X", -2)]),
        ("surplus", "d", [("Z", 1)]),
    ]
    assert compare(building, building) == []


def test_a_tote_twice_is_named() -> None:
    stock, bad = read_stock("tote,sku,quantity,slot\na,X,1,s\na,X,2,s\nb,X,-1,s\n", "h.csv")
    assert list(stock) == ["a"] and [row.line for row in bad] == [3, 4]


def test_what_needs_an_outbox_says_so(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(site), "--snapshot-minutes", "5"]) == 2
    assert "add --outbox" in capsys.readouterr().err
