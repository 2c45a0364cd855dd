"""The fleet page: what is wrong, how the fleet stands, what changed. Each part is computed apart."""
