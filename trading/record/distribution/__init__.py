"""Spreads the record over the servers of a Citus cluster by trader (`manage.py distribute`)."""
