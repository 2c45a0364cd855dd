"""The tests on a database whose record is spread by trader: that of TEST_CITUS_URL, a server with Citus loaded; and of
TEST_CITUS_WORKER_URL, if it is given, a second such server, which has half of the shards then."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

SHARDS = 4
_BOTH_HAVE_SHARDS = "SELECT citus_set_node_property(nodename, nodeport, 'shouldhaveshards', true) FROM pg_dist_node"


def is_citus() -> bool:
    return bool(os.environ.get("TEST_CITUS_URL"))


@contextmanager
def record_spread() -> Iterator[None]:
    """Of the new database of this run."""
    from django.db import connection

    from trading.record.distribution import services

    name = str(connection.settings_dict["NAME"])
    worker = os.environ.get("TEST_CITUS_WORKER_URL", "")
    with connection.cursor() as cursor:
        cursor.execute("CREATE EXTENSION IF NOT EXISTS citus")
        if worker:
            _make_on_worker(worker, name)
            first, second = connection.settings_dict, conninfo_to_dict(worker)
            cursor.execute("SELECT citus_set_coordinator_host(%s, %s)", [first["HOST"], int(first["PORT"])])
            cursor.execute("SELECT citus_add_node(%s, %s)", [second["host"], int(second["port"] or 5432)])
            cursor.execute(
                "SELECT citus_set_node_property(nodename, nodeport, 'shouldhaveshards', true) FROM pg_dist_node"
            )
    services.distribute(SHARDS, actor="tests", told=lambda _step: None)
    yield
    if worker:
        _drop_on_worker(worker, name)


def _make_on_worker(url: str, name: str) -> None:
    """An extension is of one database: that of the same name on each server."""
    _drop_on_worker(url, name)
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    with psycopg.connect(url, autocommit=True, dbname=name) as server:
        server.execute("CREATE EXTENSION citus")


def _drop_on_worker(url: str, name: str) -> None:
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
