"""Measurements behind docs/benchmarks.md. `make bench` runs them on servers of their own."""
