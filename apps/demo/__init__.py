"""A page to draw digits on: `make demo`."""
