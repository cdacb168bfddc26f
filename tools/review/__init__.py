"""One run beside another: what changed, whether it is more than chance, and a gate for reviews."""
