"""A file of orders becomes requests, or is refused as a whole with the line and the mend."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from orchestrator.cli import main
from orchestrator.commands.orders_file import read
from orchestrator.host.records import HostFileError

CSV = """\
order_id,sku,quantity,due_in_s,chute,priority,time_s
a,SKU-01,2,600,chute-1,3,0
b,SKU-02,1,,,,0
a,SKU-03,1,600,chute-1,3,0
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "orders"
    path.write_text(text)
    return path


def test_rows_of_one_order_are_its_lines(tmp_path: Path) -> None:
    assert read(written(tmp_path, CSV)) == [
        {
            "order_id": "a", "kind": "outbound", "lines": [["SKU-01", 2], ["SKU-03", 1]],
            "station": "chute-1", "priority": 3, "due_in_s": 600.0,
        },
        {"order_id": "b", "kind": "outbound", "lines": [["SKU-02", 1]]},
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        '[{"order_id": "t", "stops": ["n1", "n2"], "due_s": 2}]',
        '{"order_id": "t", "stops": "n1; n2", "due_s": 2}',
        "order_id,stops,due_s\nt,n1;n2,2\n",
    ],
)
def test_transports_in_all_formats(tmp_path: Path, text: str) -> None:
    (order,) = read(written(tmp_path, text))
    assert order == {
        "order_id": "t", "kind": "transport", "stops": ["n1", "n2"], "due_ns": 2 * 10**9
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "mend"),
    [
        ("order_id,sku,quantity\na,SKU-01,none\n", ":2: quantity is no whole number"),
        ("order_id,sku,quantity\n,SKU-01,1\n", ":2: order_id must not be empty"),
        ("order_id,sku,quantity,route\na,x,1,n\na,y,1,s\n", ":3: order 'a' is another one above"),
        ('[{"order_id": "a", "lines": 3}]', "lines is no list of objects"),
        ('{"order_id": "a", "sku": "x", "quantity": 1}\n' * 2, "'a' is there already"),
        ("sku,quantity\nx,1\n", "column order_id is missing"),
        ("order_id,sku,quantity\n", "no order in it"),
        ("order_id,sku,quantity,priority\na,x,1,11\n", "must be 0 to 9"),
    ],
)
def test_a_bad_row_is_named_and_nothing_is_handed_in(
    tmp_path: Path, text: str, mend: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, text)
    with pytest.raises(HostFileError, match="orders"):
        read(path)
    assert main(["orders", "submit", str(path), "--mqtt", "mqtt://127.0.0.1:1"]) == 2
    assert mend in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "mend"),
    [
        (["submit", "--sku", "a", "--sku", "b", "--quantity", "1"], "2 --sku and 1 --quantity"),
        (["submit", "FILE", "--priority", "0"], "--priority and a FILE"),
        (["submit"], "what is ordered?"),
        (["change", "o"], "change what?"),
        (["list"], "which broker?"),
    ],
)
def test_what_does_not_fit_is_said_before_anybody_is_asked(
    arguments: list[str], mend: str, capsys: pytest.CaptureFixture[str], monkeypatch: Any
) -> None:
    monkeypatch.delenv("LIGHTSOUT_MQTT", raising=False)
    assert main(["orders", *arguments]) == 2
    assert mend in capsys.readouterr().err
