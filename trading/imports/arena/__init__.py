"""Reads the arena's JSON files into `trading.schema`, a record at a time. Plain Python: no Django."""
