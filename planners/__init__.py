"""Planning over arrays: pure functions and small classes that know nothing of warehouses."""
