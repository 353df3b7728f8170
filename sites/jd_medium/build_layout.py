#!/usr/bin/env python3
"""Draws the floor of jd_medium as a VDMA LIF 1.0.0 file: python3 sites/jd_medium/build_layout.py

Four fleets on one floor, in one hall. What stands where, and why, is in `sites/centre.py`: change
the numbers there, or draw your own floor with any LIF editor. `lightsout layout check` tells where
a change broke the rules that keep traffic free of deadlock (docs/site-file.md).
"""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from centre import Centre  # noqa: E402

if __name__ == "__main__":
    centre = Centre(name="jd_medium", halls={"": 0}, amrs=("tote_amr",))
    centre.draw(HERE / "layout.lif.json")
