#!/usr/bin/env python3
"""Draws the floor of jd_large as a VDMA LIF 1.0.0 file: python3 sites/jd_large/build_layout.py

Five fleets in four halls, one north of the other, 350 m long in all; `sites/centre.py` tells what
stands in a hall. What is shared: columns of all fleets run from the first hall to the last, through
gates in the fire walls between the yards. So an order may be picked from totes of two halls, and
each parcel finds the chutes of its route in whichever hall they are. Sorters, which drive farthest,
have six columns instead of jd_medium's four.

Two fleets bring totes to the arms, on the same lanes: `tote_amr`, and `heavy_amr`, which is longer
and wider. Who is in whose way where follows from the footprints (`orchestrator/layout`).
"""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from centre import Centre  # noqa: E402
from drawing import NORTH, SOUTH  # noqa: E402

HALLS = {"a": 0, "b": 62, "c": 124, "d": 186}  # letter -> y of the first row
SORT_COLUMNS = {43: SOUTH, 47: NORTH, 51: SOUTH, 55: NORTH, 59: SOUTH, 63: NORTH}

if __name__ == "__main__":
    centre = Centre("jd_large", HALLS, ("tote_amr", "heavy_amr"), SORT_COLUMNS)
    centre.draw(HERE / "layout.lif.json")
