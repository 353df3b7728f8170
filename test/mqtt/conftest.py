"""Lets tests import `mosquitto_process` beside them, and gives them its fixtures."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from mosquitto_process import mosquitto, mosquitto_program

__all__ = ["mosquitto", "mosquitto_program"]
