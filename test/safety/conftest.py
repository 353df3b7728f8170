"""Lets tests import what they share: the mapping, Mosquitto."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "mqtt"))

from mosquitto_process import mosquitto, mosquitto_program

__all__ = ["mosquitto", "mosquitto_program"]
