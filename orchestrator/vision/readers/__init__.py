"""Readers: one small class each. See `orchestrator.vision.model`."""
