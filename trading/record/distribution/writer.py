"""The statements that spread the record. One transaction holds all of them: there is no half of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from django.db import transaction
from psycopg import sql as composed

from traders.database import sql
from trading.record.distribution.rules import FIRST, TABLES, RowRule
from trading.record.stored.spread.form import MARKER, forget

WAIT_SECONDS = 30
_MARK = f"""
CREATE TABLE {MARKER} (only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
                       shards integer NOT NULL, at timestamptz NOT NULL DEFAULT now(), actor text NOT NULL)
"""
MESSAGES_KEY = "conversation_messages_decision_fk"


@contextmanager
def alone() -> Iterator[None]:
    """A transaction in which no other program writes the record. It waits for open transactions up to WAIT_SECONDS, and
    each statement takes as long as it takes. Raises django.db.OperationalError where another program does not end."""
    with transaction.atomic():
        _do(f"SET LOCAL lock_timeout = '{WAIT_SECONDS}s'")
        _do("SET LOCAL statement_timeout = 0")
        _do("SET LOCAL idle_in_transaction_session_timeout = 0")
        sql.rows("SELECT pg_advisory_xact_lock(hashtext('nof0.form'))")
        _do(f"LOCK TABLE {', '.join(TABLES)} IN ACCESS EXCLUSIVE MODE")
        yield
    forget()


def drop_trigger(table: str, name: str) -> None:
    _alter("DROP TRIGGER {name} ON {table}", table, name)


def drop_constraint(table: str, name: str) -> None:
    _alter("ALTER TABLE {table} DROP CONSTRAINT {name}", table, name)


def replace_key(table: str, name: str, columns: Iterable[str]) -> None:
    """The primary key, under its name; and a plain index on the id, for looks that do not know the trader."""
    _run(
        "ALTER TABLE {table} DROP CONSTRAINT {name}, ADD CONSTRAINT {name} PRIMARY KEY ({columns})",
        table=composed.Identifier(table),
        name=composed.Identifier(name),
        columns=composed.SQL(", ").join(map(composed.Identifier, columns)),
    )
    _alter("CREATE INDEX {name} ON {table} (id)", table, f"idx_{table}_id")


def add_rule(rule: RowRule) -> None:
    """The trigger's rule as a constraint, which every server checks, whatever program writes."""
    is_aside = "exclusion_id IS NOT NULL OR " if rule.table != "version_results" else ""
    _run(
        f"ALTER TABLE {{table}} ADD CONSTRAINT {{name}} CHECK ({is_aside}NOT coalesce({{breaks}}, false))",
        table=composed.Identifier(rule.table),
        name=composed.Identifier(rule.name),
        breaks=composed.SQL(f"({rule.breaks})"),
    )


def spread(table: str, shards: int) -> None:
    if table == FIRST:
        sql.rows("SELECT create_distributed_table(%s, 'trader_id', shard_count := %s)", [table, shards])
    else:
        sql.rows("SELECT create_distributed_table(%s, 'trader_id', colocate_with := %s)", [table, FIRST])


def bind_messages() -> None:
    """Messages belong to a decision of their own trader: both are on one server."""
    _do(
        f"ALTER TABLE conversation_messages ADD CONSTRAINT {MESSAGES_KEY} FOREIGN KEY (trader_id, decision_id)"
        " REFERENCES decision_journal (trader_id, id) DEFERRABLE INITIALLY DEFERRED"
    )


def mark(shards: int, actor: str) -> None:
    """Last. The mark of a backup that was restored is of another cluster."""
    _do(f"DROP TABLE IF EXISTS {MARKER}")
    _do(_MARK)
    _do(f"INSERT INTO {MARKER} (shards, actor) VALUES (%s, %s)", [shards, actor])


def empty_local(table: str) -> None:
    """The rows that `spread` copied away are still in the first server's own table, where no statement sees them."""
    sql.rows("SELECT truncate_local_data_after_distributing_table(%s)", [table])


def _alter(statement: str, table: str, name: str) -> None:
    _run(statement, table=composed.Identifier(table), name=composed.Identifier(name))


def _run(statement: str, **parts: composed.Composable) -> None:
    _do(composed.SQL(statement).format(**parts))


def _do(statement: sql.Statement, parameters: sql.Parameters = None) -> None:
    sql.execute(statement, parameters)
