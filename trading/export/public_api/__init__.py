"""The read API: a WSGI layer in front of Django that serves exported bytes. It asks no database and no Redis."""
