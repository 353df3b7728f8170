"""Gives tests the Mosquitto of test/mqtt, what test/api and test/vda5050 have, and each other."""

import sys
from pathlib import Path

TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(TESTS / folder) for folder in ("api", "core", "mqtt", "vda5050", "serving")]

from mosquitto_process import mosquitto, mosquitto_program  # noqa: E402

__all__ = ["mosquitto", "mosquitto_program"]
