"""Compares all recipes on the same data: `make compare`."""
