"""A hall full of cheap vehicles, to measure how many a master can serve."""
