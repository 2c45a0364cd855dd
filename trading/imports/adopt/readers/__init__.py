"""Rows of earlier programs' tables -> records, one file a generation. Plain Python: no Django, no SQL connection."""
