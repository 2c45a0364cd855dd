"""Decisions about records as pure functions. Plain Python: no Django, no Redis."""
