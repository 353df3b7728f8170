"""What the building says and hears over topics, sans I/O: names instead of the core's numbers."""
