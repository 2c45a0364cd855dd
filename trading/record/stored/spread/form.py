"""Which form the record has in this database: plain tables, or tables that Citus spreads by trader."""

from __future__ import annotations

from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection

from traders.database import sql

MARKER = "record_spread"
"""The table that `manage.py distribute` makes as its last step."""

# Together with the shared lock, which `manage.py distribute` holds alone: the form stays until the transaction ends.
HELD = f"SELECT pg_advisory_xact_lock_shared(hashtext('nof0.form')), to_regclass('{MARKER}') IS NOT NULL AS is_spread"
_SEEN = f"SELECT to_regclass('{MARKER}') IS NOT NULL"
_seen: dict[Any, bool] = {}
"""{database: its form}."""


def is_spread() -> bool:
    """For writers: it stays as it is until the caller's transaction ends."""
    return bool(sql.rows(HELD)[0].is_spread)


def was_spread() -> bool:
    """For readers: as this process found it when it asked first. Where that is no longer so, statements fail and give
    no wrong figure."""
    database = tuple(str(connection.settings_dict[name]) for name in ("HOST", "PORT", "NAME"))
    if database not in _seen:
        _seen[database] = bool(sql.value(_SEEN, alias=DEFAULT_DB_ALIAS))
    return _seen[database]


def forget() -> None:
    """After the form was changed by this process."""
    _seen.clear()
