"""Privileges of the application's role: what the database refuses it, whatever code it runs (`manage.py harden`)."""
