"""A building made by others is given transports: by chance, or from a file. Robots really move."""

from __future__ import annotations

import json
from pathlib import Path

import floors
import pytest
import yaml

from orchestrator.cli import main
from orchestrator.host.orders import read_orders
from orchestrator.layout import LayoutError, check_site, load_files
from orchestrator.layout.findings import errors
from orchestrator.layout.site_file import TransportDemand
from sim.clock import Streams
from sim.demand import transports

MAP = "type octile\nheight 4\nwidth 6\nmap\n......\n.@@@@.\n......\n......\n"


@pytest.fixture
def building(tmp_path: Path) -> Path:
    """A converted movingai grid."""
    (tmp_path / "hall.map").write_text(MAP)
    out = tmp_path / "hall"
    convert = ["layout", "convert", str(tmp_path / "hall.map"), "--to", "site", "--pitch", "2"]
    assert main([*convert, "--robots", "2", "--out", str(out)]) == 0
    return out


def figures(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[dict, str]:
    capsys.readouterr()
    assert main([*map(str, arguments), "--json"]) == 0
    printed = capsys.readouterr()
    return json.loads(printed.out), printed.err


def test_a_converted_building_runs_at_once(
    building: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Given a map made by others, when it is converted and run, then robots carry out transports, and
    tracks prove that they were there."""
    run = tmp_path / "a.run"
    made, _ = figures(capsys, "run", building, "--hours", 0.5, "--record", run)
    assert made["orders"] >= 5 and made["orders_done"] >= made["orders"] - 2
    verdict, _ = figures(capsys, "verify", run)
    assert verdict["transport"]["transports_backed"] == made["orders_done"]


def test_a_converted_building_takes_an_order_file(
    building: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Given transports in a CSV, when it is run instead of the demand, then the good rows are driven,
    stop by stop, and the bad ones are named."""
    orders, run = tmp_path / "o.csv", tmp_path / "a.run"
    rows = ["order_id,time_s,stops,due_s", "a,1,0,0;2,5,400", 'b,2," 3,1 ",', "c,3,nowhere,9"]
    rows[1] = 'a,1,"0,0;2,5;3,3",400'
    orders.write_text("\n".join(rows) + "\n")
    made, told = figures(
        capsys, "run", building, "--orders", orders, "--hours", 0.1, "--record", run
    )
    assert f"{orders}:4: unknown node 'nowhere'" in told
    assert made["orders"] == made["orders_done"] == 2
    verdict, _ = figures(capsys, "verify", run)
    assert verdict["transport"]["transports_backed"] == 2
    orders.write_text('[{"order_id": "j", "time_s": 0, "kind": "transport", "stops": ["2,0"]}]')
    made, _ = figures(capsys, "run", building, "--orders", orders, "--hours", 0.1)
    assert made["orders_done"] == 1


def test_stops_in_a_bay_end_where_it_serves() -> None:
    spec = floors.site()
    spec["flow"]["transport"] = {
        "visit": {"do": "carry", "to": "stop", "then": ["done"]}, "done": {"do": "finish"},
    }  # fmt: skip
    site = load_files(floors.files(spec=spec), "ring").site
    text = "order_id,time_s,kind,stops\nx,0,transport,a;park-1\nx,0,transport,b\ny,0,transport,\n"
    orders, bad = read_orders(text, "o.csv", site)
    assert [site.roadmap.node_ids[n] for n in orders[0][1].stops] == ["a", "park-1"]
    assert [row.line for row in bad] == [3, 4], "an order once; stops there must be"


def test_transports_go_from_one_list_of_nodes_to_the_next_or_anywhere_on_the_lanes() -> None:
    site = load_files(floors.files(), "ring").site
    names, lanes = site.roadmap.node_ids, [n for n, b in enumerate(site.roadmap.node_bay) if b < 0]
    ends = ((names[lanes[0]], names[lanes[1]]), (names[lanes[2]],))
    wanted = TransportDemand(orders_per_hour=60, stops=ends, due_minutes=(5, 6))
    orders = list(transports(wanted, site, Streams(3), 2))
    assert 80 < len(orders) < 160
    assert {order.stops for _, order in orders} == {
        (lanes[0], lanes[2]), (lanes[1], lanes[2]),
    }  # fmt: skip
    anywhere = list(transports(TransportDemand(orders_per_hour=60), site, Streams(3), 2))
    assert all(len(set(order.stops)) == 2 for _, order in anywhere)
    assert {node for _, order in anywhere for node in order.stops} <= set(lanes)
    for time_ns, order in orders:
        assert 5 * 60e9 - 1 <= order.due_ns - time_ns <= 6 * 60e9 + 1


@pytest.mark.parametrize(
    ("demand", "text"),
    [
        ({"stops": [["0,0"], ["nowhere"]]}, "'nowhere' is no node"),
        ({"stops": []}, "is empty"),
        ({"order_type": "outbound"}, "no order type 'outbound'"),
        ({"stops": [[]]}, "at least 1"),
    ],
)
def test_a_demand_that_leads_nowhere_is_named(building: Path, demand: dict, text: str) -> None:
    path = building / "site.yaml"
    site = yaml.safe_load(path.read_text())
    site["simulation"]["demand"]["transport"] |= demand
    path.write_text(yaml.safe_dump(site, sort_keys=False))
    found = [f for f in errors(check_site(building)) if text in f.text]
    assert found and found[0].path.startswith("simulation.demand.transport") and found[0].mend
    with pytest.raises(LayoutError):
        load_files({p.name: p.read_text() for p in building.iterdir()}, "hall")
