"""The only writers: locks, transactions and SQL. Every function takes and returns types of `traders.schema`."""
