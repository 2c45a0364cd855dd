"""The live values in Redis: keys, codecs, reads and writes, by layouts.

The only package of this app that uses Redis. Its stores do not use PostgreSQL; services combine the two. Nothing here
raises because Redis is away: a write returns whether it was done, a read answers with a missing value.
"""
