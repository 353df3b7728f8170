"""Gives tests the Mosquitto of test/mqtt, and each other."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "api"))
sys.path.insert(0, str(Path(__file__).parents[1] / "mqtt"))
sys.path.insert(0, str(Path(__file__).parent))

from mosquitto_process import mosquitto, mosquitto_program

__all__ = ["mosquitto", "mosquitto_program"]
