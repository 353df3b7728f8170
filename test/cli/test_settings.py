"""What is wrong with `--set` is said of the key."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.cli import main

SITE = Path(__file__).resolve().parents[2] / "sites" / "jd_small"


@pytest.mark.parametrize(
    ("setting", "wanted"),
    [
        ("parkin=stay", "--set parkin=stay: unknown key 'parkin' -> "),
        ("parking=away", "--set parking=away: Input should be 'demand'"),
        ("simulation.success.pick=2", "--set simulation.success.pick=2: Input should be less"),
        (
            "fleets.tote_amr.places.x=2",
            "--set fleets.tote_amr.places.x=2: fleets.tote_amr.places: ",
        ),
    ],
)
def test_the_key_is_named_and_no_line(
    setting: str,
    wanted: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("orchestrator.cli.COMMANDS", ("run",))
    assert main(["run", str(SITE), "--hours", "0.1", "--set", setting]) == 2
    said = capsys.readouterr().err
    assert wanted in said and "(line " not in said
