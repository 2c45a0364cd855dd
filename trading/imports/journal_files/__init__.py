"""The files `cycle_*.json` that trading engines write, one for each decision cycle, read as journal entries."""
