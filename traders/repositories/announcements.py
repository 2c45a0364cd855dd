"""What changed since a place in history, and the announcement that something did."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

from traders.models import ManagerConfigVersion, TraderConfigVersion
from traders.repositories import rows
from traders.repositories.writer import CHANNEL
from traders.schema.cursor import Cursor
from traders.schema.fleet import FLEET_ID
from traders.schema.stored import StoredConfig

_NEWEST = """
SELECT greatest((SELECT max(change_set) FROM trader_config_versions),
                (SELECT max(change_set) FROM manager_config_versions), 0)
"""
# The order of cursors is that of bytes, whatever the database's own is.
_AFTER = """
SELECT * FROM {table}
 WHERE (change_set, {config_id} COLLATE "C") > (%(change_set)s, %(config_id)s) AND change_set <= %(until)s
   AND (%(ids)s::text[] IS NULL OR {config_id} = ANY (%(ids)s))
 ORDER BY change_set, {config_id} COLLATE "C" LIMIT %(limit)s
"""
_TRADERS_AFTER = _AFTER.format(table="trader_config_versions", config_id="id")
_FLEET_AFTER = _AFTER.format(table="manager_config_versions", config_id=f"'{FLEET_ID}'")


def newest_change_set() -> int:
    """0 where nothing was ever stored. Change sets are committed in the order of their numbers, so all of them up to
    this one can be read."""
    with connection.cursor() as cursor:
        cursor.execute(_NEWEST)
        return int(cursor.fetchone()[0])


def after(place: Cursor, *, until: int, ids: Collection[str] | None, limit: int) -> list[StoredConfig]:
    """Versions past `place` up to the change set `until`, of these configurations or of all, as cursors are ordered."""
    parameters = {
        "change_set": place.change_set,
        "config_id": place.config_id,
        "until": until,
        "ids": None if ids is None else list(ids),
        "limit": limit,
    }
    found = [
        *map(rows.stored, TraderConfigVersion.objects.raw(_TRADERS_AFTER, parameters)),
        *map(rows.stored, ManagerConfigVersion.objects.raw(_FLEET_AFTER, parameters)),
    ]
    return sorted(found, key=lambda version: (version.change_set, version.config_id))[:limit]


@contextmanager
def listening() -> Iterator[Callable[[float], None]]:
    """Waits, on this thread's connection, for the next announcement of a change, at most so many seconds.

    A PgBouncer that pools transactions delivers none: whoever waits looks for himself as well now and then.
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
