"""The HTTP service: `make api`."""
