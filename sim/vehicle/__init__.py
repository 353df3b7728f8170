"""The other side of VDA 5050: agents that speak it for simulated robots, and their building."""
