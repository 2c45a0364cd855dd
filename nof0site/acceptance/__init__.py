"""Measures every line of the acceptance lists on the running system. It reads only."""
