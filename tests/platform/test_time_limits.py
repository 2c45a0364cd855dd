"""No statement, lock or idle transaction keeps a page waiting for long, directly and through PgBouncer."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connection, transaction
from django.test import override_settings

from nof0site.databases import external_database
from nof0site.postgresql import limits
from nof0site.postgresql.base import DatabaseWrapper
from nof0site.postgresql.limits import TimeLimits
from nof0site.postgresql.role_limits import keep_role_limits, missing_role_limits
from tests.platform.bouncer import PROGRAM, pgbouncer

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(bool(os.environ.get("TEST_DATABASE_URL")), reason="asks the embedded server"),
]

PAGES, COMMANDS = TimeLimits(statement=2, lock=1, idle=7), TimeLimits(statement=11, lock=12, idle=13)
LOGIN = {"host", "port", "user", "password", "dbname"}
FORGET = "ALTER ROLE CURRENT_USER IN DATABASE {} RESET ALL"


@pytest.fixture(autouse=True)
def _short_limits() -> Iterator[None]:
    with override_settings(DATABASE_LIMITS=PAGES, DATABASE_COMMAND_LIMITS=COMMANDS):
        yield
    limits.use_for_pages()


@contextmanager
def direct() -> Iterator[Any]:
    one = connection.copy()
    try:
        yield one
    finally:
        one.close()


@pytest.fixture(scope="module")
def bouncer_port() -> Iterator[int]:
    if PROGRAM is None:
        pytest.skip("PgBouncer is not installed")
    with pgbouncer() as port:
        yield port


@contextmanager
def pooled(port: int) -> Iterator[Any]:
    database = connection.settings_dict["NAME"]
    url = f"postgresql://nof0@127.0.0.1:{port}/{database}"
    config = external_database(url, through_pgbouncer=True, keep_seconds=60, connect_seconds=5)
    one = DatabaseWrapper({**connection.settings_dict, **config})
    try:
        yield one
    finally:
        one.close()


@pytest.fixture
def _role_with_limits() -> Iterator[None]:
    connection.settings_dict["POOLED_BY_TRANSACTION"] = True
    try:
        keep_role_limits()
        assert missing_role_limits(connection) == []
        yield
    finally:
        del connection.settings_dict["POOLED_BY_TRANSACTION"]
        with connection.cursor() as cursor:
            cursor.execute(FORGET.format(connection.ops.quote_name(connection.settings_dict["NAME"])))


def in_force(one: Any) -> TimeLimits:
    with one.cursor() as cursor:
        seconds = []
        for name in PAGES.parameters:
            cursor.execute("SELECT extract(epoch FROM current_setting(%s)::interval)::int", [name])
            seconds.append(cursor.fetchone()[0])
    return TimeLimits(*seconds)


def test_a_page_has_the_limits_of_pages_and_a_command_its_own() -> None:
    with direct() as one:
        assert in_force(one) == PAGES
    limits.use_for_command()
    with direct() as one:
        assert in_force(one) == COMMANDS


def test_what_the_database_url_says_of_limits_wins() -> None:
    with direct() as one:
        one.settings_dict["OPTIONS"]["options"] = "-c lock_timeout=33s"
        assert in_force(one).lock == 33


def test_no_statement_is_compiled_first() -> None:
    with direct() as one, one.cursor() as cursor:
        cursor.execute("SHOW jit")
        assert cursor.fetchone() == ("off",)
    with direct() as one:
        one.settings_dict["OPTIONS"]["options"] = "-c jit=on"
        with one.cursor() as cursor:
            cursor.execute("SHOW jit")
            assert cursor.fetchone() == ("on",)


@pytest.mark.usefixtures("_role_with_limits")
def test_behind_pgbouncer_no_statement_is_compiled_first() -> None:
    config = {name: value for name, value in connection.get_connection_params().items() if name in LOGIN}
    with psycopg.connect(**config) as one:
        assert one.execute("SHOW jit").fetchone() == ("off",)


def test_a_statement_outside_of_a_transaction_has_its_limit_too() -> None:
    with direct() as one, one.cursor() as cursor, pytest.raises(OperationalError, match="statement timeout"):
        cursor.execute("SELECT pg_sleep(60)")


def test_a_locked_table_is_waited_for_as_long_as_the_limit_says() -> None:
    with direct() as other:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            cursor.execute("LOCK TABLE trader_config")
        with (
            direct() as one,
            one.cursor() as cursor,
            pytest.raises(OperationalError, match="lock timeout"),
        ):
            cursor.execute("SELECT 1 FROM trader_config")


def test_a_transaction_without_a_limit_of_locks_waits_as_in_psql() -> None:
    with override_settings(DATABASE_LIMITS=TimeLimits(statement=0, lock=0, idle=0)), direct() as one:
        assert in_force(one) == TimeLimits(0, 0, 0)


@pytest.mark.usefixtures("_role_with_limits")
def test_behind_pgbouncer_pages_have_the_limits_of_their_role(bouncer_port: int) -> None:
    # PgBouncer's server connection may be older than the limits.
    with pooled(bouncer_port) as one, one.cursor() as cursor, pytest.raises(OperationalError):
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    with pooled(bouncer_port) as one:
        assert in_force(one) == PAGES
        with one.cursor() as cursor, pytest.raises(OperationalError, match="statement timeout"):
            cursor.execute("SELECT pg_sleep(60)")


def test_behind_pgbouncer_a_command_has_its_limits_in_each_transaction_and_leaves_none(bouncer_port: int) -> None:
    with pooled(bouncer_port) as one, pooled(bouncer_port) as other:
        before = in_force(other)
        limits.use_for_command()
        assert in_force(one) == COMMANDS
        one.set_autocommit(False)
        assert in_force(one) == COMMANDS
        one.rollback()
        one.set_autocommit(True)
        limits.use_for_pages()
        assert in_force(other) == before


def test_behind_pgbouncer_a_command_writes_as_ever(bouncer_port: int) -> None:
    limits.use_for_command()
    with pooled(bouncer_port) as one, one.cursor() as cursor:
        cursor.execute("CREATE TABLE written (n int)")
        try:
            cursor.executemany("INSERT INTO written VALUES (%s)", [[1], [2]])
            cursor.execute("SELECT count(*) FROM written")
            assert cursor.fetchone() == (2,)
        finally:
            cursor.execute("DROP TABLE written")


def test_the_role_is_given_its_limits_once() -> None:
    connection.settings_dict["POOLED_BY_TRANSACTION"] = True
    try:
        with transaction.atomic():
            assert missing_role_limits(connection) == [*PAGES.parameters, "jit"]
            keep_role_limits()
            assert missing_role_limits(connection) == []
            transaction.set_rollback(True)
    finally:
        del connection.settings_dict["POOLED_BY_TRANSACTION"]


def test_where_connections_bring_their_limits_the_role_is_left_alone() -> None:
    keep_role_limits()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_db_role_setting WHERE setrole = current_user::regrole")
        assert cursor.fetchone() == (0,)
