"""What moves, in Redis: keys, codecs, reads and writes, by layouts.

The only package of this app that talks to Redis. It knows nothing of PostgreSQL: services bring the two together.
Nothing here raises because Redis is away: a write returns whether it was done, a read says Missing.
"""
