"""Divides `equity_snapshots` by month, makes months, and takes them out. Each change is one transaction.

The parts take every moment between them at its end: a part is taken out of the table and put in again with other bounds
while no other session reads or writes it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import IntegrityError, transaction
from psycopg.sql import SQL, Composed, Identifier, Literal

from traders.database import sql
from trading.record.months.rules import BEFORE, LATER, TABLE, CannotDivide, EquityPart, Month

# The value that migration 0029 sets for the whole table. PostgreSQL takes it for parts only.
_STORAGE = "WITH (autovacuum_vacuum_insert_scale_factor = 0.01)"
_LOCK = "SELECT set_config('lock_timeout', %s, true)"
# Definitions of the table as it is, so that a rule of a later release comes along. PostgreSQL has no foreign key of a
# partitioned table that was not validated.
_CHECKS = """
SELECT conname AS name, pg_get_constraintdef(oid) AS definition FROM pg_constraint
 WHERE conrelid = %s::regclass AND contype = 'c' ORDER BY conname
"""
_KEYS = """
SELECT conname AS name, pg_get_constraintdef(oid) AS definition, convalidated AS is_valid FROM pg_constraint
 WHERE conrelid = %s::regclass AND contype = 'f' ORDER BY conname
"""
_INDEXES = """
SELECT c.relname AS name, pg_get_indexdef(c.oid) AS definition, x.indisprimary AS is_primary, x.indisunique AS is_unique
  FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid WHERE x.indrelid = %s::regclass ORDER BY c.relname
"""
_TRIGGERS = """
SELECT tgname AS name, pg_get_triggerdef(oid) AS definition FROM pg_trigger
 WHERE tgrelid = %s::regclass AND NOT tgisinternal ORDER BY tgname
"""
JUDGED = "equity_snapshots_judged"
# An index across parts must hold the moment, so a function holds what the unique index held. Its lock is per trader.
ONCE = "equity_snapshots_corrected_once"
_ONCE = f"""
CREATE OR REPLACE FUNCTION nof0_equity_corrected_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('{ONCE}'), hashtext(NEW.trader_id));
    IF EXISTS (SELECT FROM {TABLE} WHERE trader_id = NEW.trader_id AND corrects_ts_ms = NEW.corrects_ts_ms
                                     AND ts_ms <> NEW.ts_ms) THEN
        RAISE unique_violation USING CONSTRAINT = '{ONCE}', TABLE = '{TABLE}',
              MESSAGE = 'the point ' || NEW.trader_id || ' ' || NEW.corrects_ts_ms || ' was corrected before';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER {ONCE} BEFORE INSERT OR UPDATE OF trader_id, corrects_ts_ms ON {TABLE}
    FOR EACH ROW WHEN (NEW.corrects_ts_ms IS NOT NULL) EXECUTE FUNCTION nof0_equity_corrected_once();
CREATE INDEX {ONCE} ON {TABLE} (trader_id, corrects_ts_ms) WHERE corrects_ts_ms IS NOT NULL;
"""


@contextmanager
def alone(lock_seconds: float | None = None) -> Iterator[None]:
    """No other session reads or writes the table. Raises CannotDivide where a row breaks a rule that came after it."""
    try:
        with transaction.atomic():
            if lock_seconds is not None:
                sql.value(_LOCK, [f"{round(lock_seconds * 1000)}ms"])
            _run(f"LOCK TABLE {TABLE} IN ACCESS EXCLUSIVE MODE")
            yield
    except IntegrityError as error:
        raise CannotDivide(
            f"A row from before a rule breaks it: {str(error).splitlines()[0]}. `check_record --table {TABLE}` names "
            "such rows; set them aside first."
        ) from error


def divide(first: Month) -> None:
    """All points before the month become the part `before`, without being copied. Call it inside `alone`."""
    keys = sql.rows(_KEYS, [TABLE])
    if unsure := [key.name for key in keys if not key.is_valid]:
        raise CannotDivide(
            f"PostgreSQL has not looked at {', '.join(unsure)} yet: run `check_record --validate` first."
        )
    checks, triggers = (sql.rows(statement, [TABLE]) for statement in (_CHECKS, _TRIGGERS))
    if JUDGED not in [trigger.name for trigger in triggers]:
        raise CannotDivide("Its triggers are not those of this release: it is spread over servers, or was changed.")
    indexes = [index for index in sql.rows(_INDEXES, [TABLE]) if not index.is_unique or index.is_primary]
    _run(
        "SET CONSTRAINTS ALL IMMEDIATE",
        f"ALTER TABLE {TABLE} RENAME TO {BEFORE}",
        *(f'DROP TRIGGER "{trigger.name}" ON {BEFORE}' for trigger in triggers),
        f"DROP INDEX {ONCE}",
        *(f'ALTER INDEX "{index.name}" RENAME TO "{index.name}_before"' for index in indexes),
        f"CREATE TABLE {TABLE} (LIKE {BEFORE} INCLUDING DEFAULTS INCLUDING STORAGE) PARTITION BY RANGE (ts_ms)",
        *(f'ALTER TABLE {TABLE} ADD CONSTRAINT "{check.name}" {check.definition}' for check in checks),
        *(f'ALTER TABLE {TABLE} ADD CONSTRAINT "{key.name}" {key.definition}' for key in keys),
        *(
            f'ALTER TABLE {TABLE} ADD CONSTRAINT "{index.name}" PRIMARY KEY (trader_id, ts_ms)'
            if index.is_primary
            else index.definition
            for index in indexes
        ),
    )
    _new(LATER)
    _move(BEFORE, LATER, first.begins_ms, None)
    _attach(BEFORE, None, first.begins_ms)
    _attach(LATER, first.begins_ms, None)
    _run(*(trigger.definition for trigger in triggers), _ONCE)


def add_month(month: Month) -> None:
    """The next one behind the last, with what lay behind that. Call it inside `alone`."""
    _detach(LATER)
    _new(month.table)
    _move(LATER, month.table, month.begins_ms, month.next.begins_ms)
    _attach(month.table, month.begins_ms, month.next.begins_ms)
    _attach(LATER, month.next.begins_ms, None)


def take_out_of_before(month: Month) -> None:
    """The newest month of the part `before` becomes a part of its own; its points are copied. Inside `alone`."""
    _detach(BEFORE)
    _new(month.table)
    _move(BEFORE, month.table, month.begins_ms, month.next.begins_ms)
    _attach(month.table, month.begins_ms, month.next.begins_ms)
    _attach(BEFORE, None, month.begins_ms)


def detach(old: list[EquityPart], upto: Month) -> None:
    """The oldest parts, `before` among them, become tables of their own. Call it inside `alone`."""
    for part in old:
        _detach(part.table)
        name = part.month.detached_table if part.month else f"equity_detached_before_{upto.table[len(TABLE) + 1 :]}"
        _run(f"ALTER TABLE {part.table} RENAME TO {name}")
    _new(BEFORE)
    _attach(BEFORE, None, upto.next.begins_ms)


def look_again() -> None:
    """For the planner: PostgreSQL never looks at a divided table as a whole by itself."""
    _run(f"ANALYZE {TABLE}")


def _new(table: str) -> None:
    _run(
        f"CREATE TABLE {table} (LIKE {TABLE} INCLUDING DEFAULTS INCLUDING STORAGE INCLUDING CONSTRAINTS) {_STORAGE}",
    )


def _move(source: str, target: str, from_ms: int, to_ms: int | None) -> None:
    """Neither of the two is a part now, so no trigger judges or refuses the rows again."""
    until = SQL("") if to_ms is None else SQL(" AND ts_ms < {}").format(Literal(to_ms))
    moved = SQL("WITH gone AS (DELETE FROM {} WHERE ts_ms >= {}{} RETURNING *) INSERT INTO {} SELECT * FROM gone")
    _run(moved.format(Identifier(source), Literal(from_ms), until, Identifier(target)))


def _attach(table: str, from_ms: int | None, to_ms: int | None) -> None:
    bounds = (
        SQL("MINVALUE") if from_ms is None else Literal(from_ms),
        SQL("MAXVALUE") if to_ms is None else Literal(to_ms),
    )
    _run(
        SQL("ALTER TABLE {} ATTACH PARTITION {} FOR VALUES FROM ({}) TO ({})").format(
            Identifier(TABLE), Identifier(table), *bounds
        )
    )


def _detach(table: str) -> None:
    _run(f"ALTER TABLE {TABLE} DETACH PARTITION {table}")


def _run(*statements: str | Composed) -> None:
    for statement in statements:
        sql.execute(statement)
