"""The old layout of Redis, and the way from it to the new one and back."""
