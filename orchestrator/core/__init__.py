"""The pure decision core. No clock, no randomness, no I/O, no asyncio."""
