"""Robots that run Nav2, as vehicles of the fleet; no I/O.

Each has an adapter that speaks VDA 5050 to the master (`orchestrator.vda5050.control`), within the
process, and goals of `FollowPath` to its robot. So joining, releasing, recovery and restarts are those
of every other vehicle, and only what is released is ever sent.
"""
