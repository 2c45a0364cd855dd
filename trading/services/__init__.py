"""Use cases of the trading record. Transactions live in the repositories."""
