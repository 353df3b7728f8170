"""The page and its HTTP API: runs as they are made, and runs as they were recorded."""
