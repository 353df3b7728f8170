"""Numba-compiled code over arrays: primitive arguments, no objects."""
