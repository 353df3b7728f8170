"""The master, sans I/O: core commands become messages to vehicles, their messages become events."""
