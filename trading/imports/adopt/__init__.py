"""Moves the PostgreSQL database of an earlier program in: it is read as it stands, and its rows become records."""
