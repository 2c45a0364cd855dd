"""The servers of one run of the benchmarks, their database, and the environment that leads another process there."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from django.conf import settings
from django.db import connection, connections
from django_redis import get_redis_connection

from nof0site.embedded.configured import configured_servers


@contextmanager
def own_database() -> Iterator[None]:
    """A migrated database, dropped afterwards together with the servers that were started for it."""
    name = connection.settings_dict["NAME"]
    try:
        connection.creation.create_test_db(verbosity=0, autoclobber=True)
        try:
            yield
        finally:
            connection.creation.destroy_test_db(name, verbosity=0)
    finally:
        connections.close_all()
        if configured_servers().leave():
            shutil.rmtree(configured_servers().paths.sockets, ignore_errors=True)
            shutil.rmtree(Path(settings.DATA_DIR), ignore_errors=True)


@contextmanager
def own_keys() -> Iterator[None]:
    """Redis for this run alone. Raises SystemExit where others' keys are."""
    redis = get_redis_connection("default")
    if redis.dbsize():
        raise SystemExit("The Redis database of the benchmarks holds keys already, and would be emptied.")
    try:
        yield
    finally:
        redis.flushdb()


@contextmanager
def without_keys() -> Iterator[None]:
    """Redis without keys at the beginning of a part and at its end, also if it fails. Only inside of `own_keys`: what a
    process of an earlier part wrote while it stopped goes, too."""
    redis = get_redis_connection("default")
    redis.flushdb()
    try:
        yield
    finally:
        redis.flushdb()


def empty_tables() -> None:
    """As after migrating. TRUNCATE leaves no dead rows for a vacuum in the middle of a measurement."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT string_agg(quote_ident(tablename), ', ') FROM pg_tables WHERE schemaname = 'public'"
            " AND tablename !~ '^(django|auth)_'"
        )
        [tables] = cursor.fetchone()
        cursor.execute(f"TRUNCATE {tables} RESTART IDENTITY CASCADE")


def environment() -> dict[str, str]:
    """For a process of the site itself, on this run's database."""
    parameters = connection.get_connection_params()
    user, password = quote(str(parameters.get("user", ""))), quote(str(parameters.get("password", "")))
    host, port = quote(str(parameters.get("host", "")), safe=""), parameters.get("port", 5432)
    login = f"{user}:{password}" if password else user
    return os.environ | {
        "DATABASE_URL": f"postgresql://{login}@{host}:{port}/{connection.settings_dict['NAME']}",
        "DJANGO_SETTINGS_MODULE": "nof0site.settings",
    }
