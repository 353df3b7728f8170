"""Questions over HTTP, answered from the run file."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from small_run import Story, wait_for
from starlette.testclient import TestClient

from orchestrator.web.app import create_app, is_loopback


def test_what_the_run_is_about(client: TestClient) -> None:
    info = client.get("/api/run").json()
    assert info["site"] == "jd_small"
    assert info["status"] == "closed"
    assert not info["live"]
    assert info["robots"] == 2
    assert info["figures"] == {"orders": 3}


def test_the_floor(client: TestClient) -> None:
    floor = client.get("/api/layout").json()
    assert {station["id"] for station in floor["stations"]} >= {"pick-0", "dock-0", "chute-0"}
    assert all(len(edge) == 3 for edge in floor["edges"])
    assert floor["bays"][0]["nodes"]


def test_figures_depend_on_the_time(client: TestClient) -> None:
    early, late = (client.get(f"/api/kpi?t={t}").json() for t in (30, 595))
    assert (early["orders_done"], early["orders_open"]) == (0, 3)
    assert (late["orders_done"], late["orders_open"], late["orders_quarantined"]) == (1, 1, 1)
    assert early["lights_out_percent"] is None
    assert late["lights_out_percent"] == 50.0  # order-1 in time, order-2 set aside; 3 is not due
    assert late["on_time_percent"] == 100.0
    assert late["cycle_p50_s"] == 80.0
    assert late["human_touches"] == 1
    assert early["robots_busy"] == 1


def test_orders_by_state(client: TestClient) -> None:
    def ids(query: str) -> list[str]:
        return [row["id"] for row in client.get(f"/api/orders?{query}").json()]

    assert ids("t=45&state=picking") == ["order-1"]
    assert ids("t=55&state=packed") == ["order-1"]
    assert ids("t=90.5&state=handed_out") == ["order-1"]
    assert set(ids("t=45&state=open")) == {"order-1", "order-2", "order-3"}
    assert ids("t=70&state=late") == ["order-2"]
    row = client.get("/api/orders?state=quarantined").json()[0]
    assert row["reason"] == "no unit left"
    assert client.get("/api/orders?t=595&state=open").json()[0]["touched"]
    assert client.get("/api/orders?state=nonsense").status_code == 422


def test_a_robot_on_its_way(client: TestClient) -> None:
    robot = client.get("/api/robots/0?t=20.5").json()
    assert robot["state"] == "driving"
    assert robot["x_m"] == pytest.approx(0.5)
    assert robot["load"]["id"] == "tote-1"
    assert robot["battery_percent"] is None
    assert client.get("/api/robots/0?t=31").json()["battery_percent"] == 90.0
    assert client.get("/api/robots/0?t=25").json()["x_m"] == pytest.approx(1.0)


def test_a_dead_robot(client: TestClient) -> None:
    dead = client.get("/api/robots/1?t=70").json()
    assert dead["state"] == "dead"
    assert dead["fault"]["reason"] == "drive fault"
    assert client.get("/api/robots/1?t=110").json()["fault"] is None


def test_a_station(client: TestClient) -> None:
    station = client.get("/api/stations/pick-0?t=55").json()
    assert [load["id"] for load in station["loads"]] == ["parcel-1"]
    assert station["handled"] == 1
    assert client.get("/api/stations/pick-0?t=95").json()["loads"] == []


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/api/robots/99", 404), ("/api/robots/-1", 422), ("/api/robots/abc", 422),
        ("/api/stations/none", 404), ("/api/kpi?t=-1", 422), ("/api/kpi?t=nan", 422),
        ("/api/run?run=../../etc/passwd", 404), ("/static/../app.py", 404),
        ("/static/%2e%2e/app.py", 404), ("/static/..%2fapp.py", 404),
    ],
)  # fmt: skip
def test_questions_without_an_answer(client: TestClient, address: str, status: int) -> None:
    assert client.get(address).status_code == status


def test_page_and_headers(client: TestClient) -> None:
    page = client.get("/")
    assert page.status_code == 200
    assert "default-src 'self'" in page.headers["content-security-policy"]
    assert "http://" not in page.text.replace("http://www.w3.org", "")
    assert client.get("/healthz").json() == {"status": "ok"}
    assert "/api/robots/{robot}" in client.get("/openapi.json").json()["paths"]


def test_names_from_elsewhere_are_refused(client: TestClient) -> None:
    assert client.get("/api/run", headers={"host": "evil.example"}).status_code == 400
    assert is_loopback("127.0.0.1") and is_loopback("::1") and is_loopback("localhost")
    assert not is_loopback("0.0.0.0")
    assert not is_loopback("warehouse.example")


def test_a_folder_of_runs(run_file: Path, tmp_path: Path) -> None:
    shutil.copy(run_file, tmp_path / "one.run")
    shutil.copy(run_file, tmp_path / "two.run")
    (tmp_path / "broken.run").write_bytes(b"this is no run")
    with TestClient(create_app(tmp_path)) as client:
        assert set(client.get("/api/runs").json()) == {"one", "two", "broken"}
        assert client.get("/api/run?run=two").json()["name"] == "two"
        broken = client.get("/api/run?run=broken")
        assert broken.status_code == 503
        assert "no run file" in broken.json()["detail"]


def test_an_empty_folder(tmp_path: Path) -> None:
    with TestClient(create_app(tmp_path)) as client:
        assert client.get("/api/runs").json() == []
        assert client.get("/api/run").status_code == 404
        assert client.get("/").status_code == 200


def test_a_run_that_grows(story: Story) -> None:
    story.write_minute()
    with TestClient(create_app(story.path)) as client:
        wait_for(lambda: client.get("/api/run").json()["to_s"] > 30)
        before = client.get("/api/run").json()
        assert before["status"] == "open"
        story.write_minute()
        wait_for(lambda: client.get("/api/run").json()["to_s"] > before["to_s"])
        assert client.get("/api/run").json()["live"]
        story.close()
        wait_for(lambda: client.get("/api/run").json()["status"] == "closed")
        assert client.get("/api/run").json()["to_s"] == 600
    left = [file.name for file in story.path.parent.iterdir() if file.name.startswith("growing")]
    assert left == ["growing.run"]  # watching did not hinder the writer from making it one file


def test_a_damaged_batch_is_named(run_file: Path, tmp_path: Path) -> None:
    import sqlite3  # noqa: PLC0415

    path = tmp_path / "damaged.run"
    shutil.copy(run_file, path)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE motion SET payload = x'00' WHERE batch = 2")
    connection.close()
    with TestClient(create_app(path)) as client:
        wait_for(lambda: "motion" in client.get("/api/run").json()["error"])
        assert client.get("/api/run").json()["status"] == "damaged"
