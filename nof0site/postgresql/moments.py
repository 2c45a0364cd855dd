"""Timestamps that Python cannot hold: PostgreSQL knows infinity and years beyond 9999."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from psycopg import Connection, DataError
from psycopg.adapt import Loader
from psycopg.postgres import types
from psycopg.pq import Format

# A day off at either end, so that no time zone leads beyond them.
FAR_PAST, FAR_FUTURE = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)


def read_every_moment(connection: Connection[Any]) -> None:
    """Makes the connection read such a timestamp as the end of Python's time, so that one row does not end the reading
    of all others. What a row with it means, its readers decide."""
    oid = types["timestamptz"].oid
    loader: Any = connection.adapters.get_loader(oid, Format.TEXT)
    connection.adapters.register_loader("timestamptz", _within_time(loader))


def _within_time(loader: Any) -> type[Loader]:
    class EveryMomentLoader(loader):  # type: ignore[misc]
        def load(self, data: Any) -> datetime:
            try:
                found: datetime = super().load(data)
            except DataError:
                text = bytes(data).decode()
                found = FAR_PAST if text.startswith("-") or text.endswith("BC") else FAR_FUTURE
            return found

    return EveryMomentLoader
