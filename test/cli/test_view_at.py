"""`lightsout view RUN --at T`: the page begins at that time of the run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from orchestrator import cli
from orchestrator.web import app


def test_the_address_holds_the_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    served: list[Any] = []
    monkeypatch.setattr(app, "serve", lambda *values: served.append(values))
    assert cli.main(["view", str(tmp_path), "--at", "0:41:12"]) == 0
    assert "/?t=2472 " in capsys.readouterr().out
    assert cli.main(["view", str(tmp_path)]) == 0
    assert "?" not in capsys.readouterr().out
    assert [values[-1] for values in served] == ["?t=2472", ""]
    with pytest.raises(SystemExit):
        cli.main(["view", str(tmp_path), "--at", "noon"])
