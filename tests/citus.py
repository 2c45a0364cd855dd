"""The tests on a database whose record is spread by trader: that of TEST_CITUS_URL, a server with Citus loaded."""

from __future__ import annotations

import os

SHARDS = 4


def is_citus() -> bool:
    return bool(os.environ.get("TEST_CITUS_URL"))


def spread_record() -> None:
    """Of the new database of this run."""
    from django.db import connection

    from trading.record.distribution import services

    with connection.cursor() as cursor:
        cursor.execute("CREATE EXTENSION IF NOT EXISTS citus")
    services.distribute(SHARDS, actor="tests", told=lambda _step: None)
