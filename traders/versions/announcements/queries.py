"""What changed since a place in history, and the announcement that something did."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection
from django.db.models import Max

from traders.database import sql
from traders.models import ConfigWrite
from traders.schema.cursor import Cursor
from traders.schema.settings.stored import StoredConfig
from traders.versions import queries as configs

CHANNEL = "trader_config_changed"
# The order of cursors is that of bytes, which is the column's own.
_AFTER = """
SELECT w.position, n.config_id, n.version
  FROM config_writes w JOIN config_write_versions n ON n.write_id = w.id
 WHERE w.position BETWEEN %(position)s AND %(until)s
   AND (w.position, n.config_id, n.version) > (%(position)s, %(config_id)s, %(version)s)
   AND (%(ids)s::text[] IS NULL OR n.config_id = ANY (%(ids)s))
 ORDER BY w.position, n.config_id, n.version LIMIT %(limit)s
"""


def newest_position() -> int:
    """0 where nothing was ever stored. Positions are committed in their order, so all up to this one can be read."""
    return int(ConfigWrite.objects.aggregate(newest=Max("position", default=0))["newest"])


def after(
    place: Cursor, *, until: int, ids: Collection[str] | None, limit: int
) -> tuple[list[StoredConfig], Cursor | None]:
    """Versions past `place` up to the position `until`, as cursors are ordered, and the place of the last one where
    there may be more. Of these configurations, or of all."""
    parameters: dict[str, int | str | list[str] | None] = {
        "position": place.position,
        "config_id": place.config_id,
        "version": place.version,
        "until": until,
        "ids": None if ids is None else list(ids),
        "limit": limit,
    }
    places = sql.rows_as(Cursor, _AFTER, parameters)
    found = configs.numbered((found.config_id, found.version) for found in places)
    # A program that empties tables past the triggers leaves places of versions that are no more.
    versions = [found[key] for at in places if (key := (at.config_id, at.version)) in found]
    return versions, places[-1] if len(places) == limit else None


@contextmanager
def listening() -> Iterator[Callable[[float], None]]:
    """Waits, on this thread's connection, for the next announcement of a change, at most so many seconds.

    A PgBouncer that pools transactions delivers none, so a waiting reader also polls now and then.
    """
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"LISTEN {CHANNEL}")
        yield _wait
    finally:
        connection.close()


def _wait(seconds: float) -> None:
    raw: Any = connection.connection
    for _announcement in raw.notifies(timeout=seconds, stop_after=1):
        return
