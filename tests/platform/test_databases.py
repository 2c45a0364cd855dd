from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from nof0site.databases import external_database


def parsed(url: str, *, through_pgbouncer: bool = False) -> dict[str, Any]:
    return external_database(url, through_pgbouncer=through_pgbouncer, keep_seconds=60, connect_seconds=5)


def test_a_url_names_host_port_user_password_and_tls() -> None:
    config = parsed("postgresql://ada:p%40ss@db.example.com:6543/nof0?sslmode=require")
    assert [config[key] for key in ("HOST", "PORT", "USER", "PASSWORD", "NAME")] == [
        "db.example.com",
        6543,
        "ada",
        "p@ss",
        "nof0",
    ]
    assert config["OPTIONS"]["sslmode"] == "require"


def test_a_url_names_the_directory_of_a_unix_socket() -> None:
    config = parsed("postgresql://ada@%2Fvar%2Frun%2Fpostgresql/nof0")
    assert (config["HOST"], config["NAME"]) == ("/var/run/postgresql", "nof0")


def test_connecting_takes_five_seconds_unless_the_url_says_otherwise() -> None:
    assert parsed("postgresql://ada@db/nof0")["OPTIONS"]["connect_timeout"] == 5
    assert parsed("postgresql://ada@db/nof0?connect_timeout=20")["OPTIONS"]["connect_timeout"] in (20, "20")


def test_pgbouncer_keeps_neither_cursors_nor_connections_for_us() -> None:
    config = parsed("postgresql://ada@bouncer/nof0", through_pgbouncer=True)
    assert config["DISABLE_SERVER_SIDE_CURSORS"] is True
    assert config["CONN_MAX_AGE"] == 0


@pytest.mark.parametrize("url", ["mysql://host/db", "postgresql://host", "nonsense", "postgresql://host:port/db"])
def test_another_url_is_refused_without_repeating_its_password(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"DATABASE_URL .* postgresql://user:password@host:5432/name"):
        parsed(url)


@pytest.mark.django_db
def test_tests_may_truncate_what_programs_may_not() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('nof0.test_flush'), current_database() LIKE 'test\\_%'")
        assert cursor.fetchone() == ("on", True)
