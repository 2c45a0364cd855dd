"""Writes what the world reads: parts that remember what they read last, a cycle that renders, a directory of runs."""
