"""What the host hears of a run: complete, once, and enough to keep books of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from whole_ring import whole_files

from orchestrator.cli import main
from orchestrator.journal import RunReader
from sim.delivery import new_run_id
from sim.recipe import Recipe
from sim.recorded import record

ROOT = Path(__file__).parents[2]
SKUS = ("SKU-01", "SKU-02", "SKU-03")
NOTICES = """\
notice_id,time_s,sku,quantity,dock,load
asn-1,60,SKU-01,20,dock-6,pal-1
asn-1,60,SKU-02,20,dock-6,pal-1
asn-2,500,SKU-01,15,,
"""
CHILD = """
import os, signal, sys, json
from pathlib import Path
from sim import delivery
from sim.recipe import Recipe
from sim.recorded import record
given = json.loads(Path(sys.argv[1]).read_text())
real, count, where = delivery.Delivering.deliver, [0], sys.argv[3]
def dies(self):
    count[0] += 1
    if where == "before" and count[0] == int(sys.argv[4]):
        os.kill(os.getpid(), signal.SIGKILL)  # committed, and nothing of it delivered
    if where == "within" and count[0] == int(sys.argv[4]):
        self._outbox._write_cursor = lambda: os.kill(os.getpid(), signal.SIGKILL)
    real(self)
delivery.Delivering.deliver = dies
record(Recipe(**given["recipe"]), Path(sys.argv[2]), origin=given["origin"])
"""


def recipe(hours: float = 0.8, **more: Any) -> Recipe:
    """The ring with all stages: orders and notices from files, and then time to end all of them."""
    files = whole_files()
    site = yaml.safe_load(files["site.yaml"])
    site["simulation"]["demand"] = {"returns": {"totes_per_hour": 0, "order_type": "returns"}}
    site["simulation"]["success"]["verify"] = 0.8
    site["policy"] = site.get("policy", {}) | {"invariants_every": 1000}
    files["site.yaml"] = yaml.safe_dump(site, sort_keys=False)
    rows = ["order_id,time_s,sku,quantity,due_s,route,carrier"]
    rows += [f"o{n},{100 * n},SKU-0{1 + n % 2},{1 + n % 3},{100 * n + 1500},north,post"
             for n in range(10)]  # fmt: skip
    rows.append("odd,30,NO-SUCH,1,900,north,post")
    kinds = {"notice_wrong": 0.9, "pick_fails": 0.05, "stock_wrong": 0.5, "item_dropped": 0.2}
    faults = yaml.safe_dump({"format": 1} | {kind: {"share": n} for kind, n in kinds.items()})
    return Recipe(
        name="ring", files=files, hours=hours, seed=5, faults=faults, orders="\n".join(rows),
        orders_name="o.csv", inbound=NOTICES, inbound_name="asn.csv", **more,
    )  # fmt: skip


def origin(folder: Path, minutes: float = 20.0) -> dict[str, Any]:
    return {
        "run_id": new_run_id(),
        "outbox": {"folder": str(folder), "snapshot_minutes": minutes},
    }


def contents(folder: Path) -> list[dict[str, Any]]:
    paths = [*folder.glob("[0-9]*.json"), *folder.glob("sent/[0-9]*.json")]
    return [json.loads(p.read_text()) for p in sorted(paths, key=lambda p: p.name)]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, Any]]]:
    """A run, and all that its host was told."""
    folder = tmp_path_factory.mktemp("told")
    figures = record(recipe(), folder / "a.run", origin=origin(folder / "out"))
    found = contents(folder / "out")
    assert figures["messages"] == len(found)
    (refused,) = figures["bad_rows"]
    assert "is refused: unknown SKU" in refused and "-> add it to the item master" in refused
    return folder, found


def of(found: list[dict[str, Any]], kind: str) -> dict[str, dict[str, Any]]:
    return {row["order_id"]: row for row in found if row["kind"] == kind}


def test_every_order_is_accepted_or_refused_and_then_ends_once(told: Any) -> None:
    _, found = told
    assert list(of(found, "order-refused")) == ["odd"]
    assert "NO-SUCH" in of(found, "order-refused")["odd"]["reason"]
    accepted = of(found, "order-accepted")
    assert set(accepted) == {f"o{n}" for n in range(10)} | {"asn-1", "asn-2"}
    done, aside = of(found, "order-done"), of(found, "order-quarantined")
    assert len(done) >= 5 and not set(done) & set(aside)
    assert set(done) | set(aside) == {f"o{n}" for n in range(10)}
    for row in done.values():
        assert row["carrier"] == "post" and row["route"] == "north"
        for line in row["lines"]:
            assert line["picked"] == line["ordered"]
            assert sum(tote["quantity"] for tote in line["totes"]) >= line["picked"]
    assert all(row["reason"] for row in aside.values())
    assert len({row["key"] for row in found}) == len(found)


def test_departures_name_the_orders_on_them(told: Any) -> None:
    _, found = told
    rows = [row for row in found if row["kind"] == "departure"]
    gone = Counter(order for row in rows for order in row["orders"])
    assert set(gone) == set(of(found, "order-done")) and set(gone.values()) == {1}
    assert {row["route"] for row in rows} == {"north"} and {r["door"] for r in rows} == {"door-12"}


def test_a_receipt_says_what_was_counted(told: Any) -> None:
    folder, found = told
    receipts = of(found, "inbound-receipt")
    assert set(receipts) == {"asn-1", "asn-2"}
    lines = [line for row in receipts.values() for line in row["lines"]]
    assert [line["announced"] for line in lines] == [20, 20, 15]
    assert any(line["discrepancy"] for line in lines), "the notices were wrong"
    with RunReader(folder / "a.run") as reader:
        there = {fact["tote"]: fact["quantity"] for *_, fact in reader.truth("tote_arrived")}
    for line in lines:
        if "rejected" not in line:
            assert line["counted"] == line["received"] == there[line["tote"]]
            assert line["discrepancy"] == line["counted"] - line["announced"]


def kept(found: list[dict[str, Any]]) -> Counter[str]:
    """The host's own books, from messages alone."""
    books: Counter[str] = Counter()
    for row in found:
        if row["kind"] == "stock-snapshot" and "opening" in row["key"]:
            books.update({t["tote"]: 0 for t in row["totes"]})
            for tote in row["totes"]:
                books[tote["sku"]] += tote["quantity"]
        for line in row.get("lines", ()):
            if row["kind"] == "inbound-receipt":
                books[line["sku"]] += line["received"]
            elif row["kind"] == "order-done":
                books[line["sku"]] -= line["picked"]
        for change in row.get("changes", ()):
            books[change["sku"]] += change["change"]
    return Counter({sku: units for sku, units in books.items() if sku in SKUS})


def test_the_host_can_keep_books_from_messages_alone(told: Any) -> None:
    """Given notices that lie, totes that hold less than booked and units that fall, when the host adds
    up opening stock, receipts, adjustments and what left, then it has what the last snapshot says."""
    _, found = told
    assert [row for row in found if row["kind"] == "stock-adjustment"], "totes were short"
    snapshots = [row for row in found if row["kind"] == "stock-snapshot"]
    assert [row["key"].split("snapshot-")[1] for row in snapshots] == [
        "opening", "minute000020", "minute000040", "end",
    ]  # fmt: skip
    last: Counter[str] = Counter()
    for tote in snapshots[-1]["totes"]:
        last[tote["sku"]] += tote["quantity"]
    for box in snapshots[-1]["boxes"].values():
        last.update(box)
    assert {k: v for k, v in kept(found).items() if v} == {k: v for k, v in last.items() if v}


def test_a_replay_makes_the_same_messages(told: Any, tmp_path: Path) -> None:
    folder, _ = told
    again = tmp_path / "again"
    arguments = ["replay", str(folder / "a.run"), "--check", "--outbox", str(again)]
    assert main(arguments) == 0
    names = [p.name for p in sorted((folder / "out").glob("[0-9]*.json"))]
    assert [p.name for p in sorted(again.glob("[0-9]*.json"))] == names
    assert all((again / n).read_bytes() == (folder / "out" / n).read_bytes() for n in names)
    before = sorted(p.name for p in again.iterdir())
    assert main(arguments) == 0
    assert sorted(p.name for p in again.iterdir()) == before


@pytest.mark.parametrize(("where", "commit"), [("before", 2), ("within", 3)])
def test_killed_between_the_journal_and_the_outbox(
    told: Any, tmp_path: Path, where: str, commit: int
) -> None:
    """Given a process that is killed after the journal's commit, before anything of it was delivered or
    before the cursor moved on, when the run is resumed, then the host has every message once."""
    folder, found = told
    path, out = tmp_path / "killed.run", tmp_path / "out"
    with RunReader(folder / "a.run") as reader:
        run_id = reader.meta["run_id"]
    given = {"recipe": recipe().meta()["recipe"], "origin": origin(out) | {"run_id": run_id}}
    (tmp_path / "given.json").write_text(json.dumps(given))
    script = [sys.executable, "-c", CHILD, str(tmp_path / "given.json"), str(path)]
    killed = subprocess.run([*script, where, str(commit)], cwd=ROOT, env=os.environ, check=False)
    assert killed.returncode == -signal.SIGKILL
    durable = RunReader(path).count
    cursor = json.loads((out / "cursor.json").read_text())["seq"]
    assert 0 < cursor < durable - 1, "the journal is ahead of the outbox"
    pending = contents(out)
    assert (pending[-1]["seq"] > cursor) == (where == "within")
    (out / "sent").mkdir(exist_ok=True)
    for p in sorted(out.glob("[0-9]*.json"))[::2]:  # the host has read some of it
        p.replace(out / "sent" / p.name)
    acknowledged = {p.name for p in (out / "sent").iterdir()}
    assert main(["run", "--resume", str(path), "--json"]) == 0
    assert contents(out) == found
    assert acknowledged == {p.name for p in (out / "sent").iterdir()}
    assert not acknowledged & {p.name for p in out.iterdir()}, "nothing is sent twice"
