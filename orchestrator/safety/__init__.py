"""The bridge from a building's safety controllers to the topic `safety/events`. It only reads them, and
it is no safety system: see docs/safety.md."""
