"""The fake world: a deterministic, event-driven simulation around the very same core."""
