"""Lets tests import what they share: the listener and Coaty's vehicles beside them, scenes, Mosquitto."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "core"), str(HERE.parent / "mqtt")]

from mosquitto_process import mosquitto, mosquitto_program

__all__ = ["mosquitto", "mosquitto_program"]
