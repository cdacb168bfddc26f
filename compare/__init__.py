"""Every recipe on the same data, side by side: `make compare`."""
