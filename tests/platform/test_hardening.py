"""The application's role is held to the rules of the record by its privileges."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import ProgrammingError, connection, transaction

from nof0site.hardening.rules import DELETE, REFUSED, TRUNCATE, UPDATE
from tests.factories import make_trader, sync_traders
from tests.trading_factories import make_position, make_trade
from trading.record.distribution.rules import TABLES
from trading.record.exclusions import services as exclusions
from trading.record.writing import services, trades
from trading.schema.common import Side
from trading.schema.exclusion import RecordKey, RecordKind

pytestmark = pytest.mark.django_db

# Statements that refuse a change whole. A row that is changed at a moment, and no other, has triggers of its own.
_REFUSING = """
SELECT c.relname, bool_or(t.tgtype & 16 > 0), bool_or(t.tgtype & 8 > 0), bool_or(t.tgtype & 32 > 0)
  FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid
 WHERE p.proname = 'nof0_refuse_change' AND t.tgtype & 1 = 0 GROUP BY c.relname
"""


@pytest.fixture
def role() -> str:
    """A role of the server, which goes with the test's transaction."""
    name = f"nof0_app_{secrets.token_hex(4)}"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE ROLE {name}")
    return name


@contextmanager
def acting_as(role: str) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        cursor.execute(f"SET ROLE {role}")
        try:
            yield
        finally:
            cursor.execute("RESET ROLE")


def said(*arguments: str) -> str:
    out = StringIO()
    call_command("harden", *arguments, stdout=out)
    return out.getvalue()


def refused(statement: str) -> bool:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    except ProgrammingError as error:
        return "permission denied" in str(error)
    return False


@pytest.mark.plain
def test_the_tables_are_those_whose_triggers_refuse_a_change() -> None:
    with connection.cursor() as cursor:
        cursor.execute(_REFUSING)
        found = {table: flags for table, *flags in cursor.fetchall()}
    held = {
        table: [UPDATE in rule.privileges, DELETE in rule.privileges, TRUNCATE in rule.privileges]
        for table, rule in REFUSED.items()
    }
    # Of these an update, or a deletion, is refused for some rows only.
    held |= {table: found[table] for table in ("api_tokens", "config_writes", "audit_entries") if table in held}
    assert held == found


def test_without_yes_the_statements_are_printed_and_none_is_run(role: str) -> None:
    text = said("--role", role)
    assert f'REVOKE UPDATE, DELETE, TRUNCATE ON "trades" FROM "{role}";' in text
    assert f'GRANT UPDATE ("exclusion_id") ON "trades" TO "{role}";' in text
    assert "Nothing was run" in text
    with connection.cursor() as cursor:
        cursor.execute("SELECT has_table_privilege(%s, 'trades', 'SELECT')", [role])
        assert cursor.fetchone() == (False,)


# A server of Citus does not know the role of a transaction that is still open on another one.
@pytest.mark.parametrize(
    "table", [pytest.param(table, marks=pytest.mark.plain if table in TABLES else ()) for table in sorted(REFUSED)]
)
def test_the_role_can_do_none_of_what_is_refused(role: str, table: str) -> None:
    said("--role", role, "--yes")
    with connection.cursor() as cursor:
        cursor.execute("SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum = 1", [table])
        (column,) = cursor.fetchone()
    statements = {
        UPDATE: f"UPDATE {table} SET {column} = {column}",
        DELETE: f"DELETE FROM {table}",
        TRUNCATE: f"TRUNCATE {table}",
    }
    with acting_as(role):
        assert all(refused(statements[privilege]) for privilege in REFUSED[table].privileges)
        assert not refused(f"SELECT count(*) FROM {table}")


@pytest.mark.plain
def test_the_role_records_closes_edits_and_sets_aside(role: str) -> None:
    said("--role", role, "--yes")
    with acting_as(role):
        sync_traders(make_trader())
        services.position(trader_id="steady_long", symbol="BTC", side=Side.LONG, detail=make_position())
        made = make_trade()
        trades.record_trade(made)
        key = RecordKey(RecordKind.TRADE, made.id)
        exclusions.set_aside([key], reason="a test", actor="mei")
        exclusions.set_aside([key], reason="a test", actor="mei", undo=True)


def test_a_role_that_no_privilege_binds_is_refused() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        (me,) = cursor.fetchone()
    with pytest.raises(CommandError, match="is a superuser|owns"):
        said("--role", me)
    with pytest.raises(CommandError, match="there is no role nobody_here"):
        said("--role", "nobody_here")


def test_a_privilege_by_another_way_is_named_and_nothing_is_changed(role: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("GRANT DELETE ON trades TO PUBLIC")
    with pytest.raises(CommandError, match="would still have DELETE on trades"), transaction.atomic():
        said("--role", role, "--yes")
    with connection.cursor() as cursor:
        cursor.execute("SELECT has_table_privilege(%s, 'trades', 'SELECT')", [role])
        assert cursor.fetchone() == (False,)
