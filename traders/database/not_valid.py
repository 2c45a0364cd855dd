"""Constraints that were added with NOT VALID: rows from before may break them, new rows cannot.

Each of them holds for what is written from now on. Rows that break one are listed here; once there is none left,
`validate` makes PostgreSQL look and mark the constraint as valid.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from psycopg import sql

_UNVALIDATED = """
SELECT c.relname::text, k.conname::text, k.contype::text, pg_get_expr(k.conbin, k.conrelid),
       f.relname::text,
       ARRAY(SELECT attname::text FROM unnest(k.conkey) WITH ORDINALITY AS n (number, place)
               JOIN pg_attribute ON attrelid = k.conrelid AND attnum = number ORDER BY place),
       ARRAY(SELECT attname::text FROM unnest(k.confkey) WITH ORDINALITY AS n (number, place)
               JOIN pg_attribute ON attrelid = k.confrelid AND attnum = number ORDER BY place),
       ARRAY(SELECT attname::text FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY (indkey)
              WHERE indrelid = k.conrelid AND indisprimary ORDER BY attnum)
  FROM pg_constraint k
  JOIN pg_class c ON c.oid = k.conrelid
  LEFT JOIN pg_class f ON f.oid = k.confrelid
 WHERE NOT k.convalidated AND k.contype IN ('c', 'f') AND pg_table_is_visible(c.oid)
   AND (%(tables)s::text[] IS NULL OR c.relname = ANY (%(tables)s))
 ORDER BY 1, 2
"""


@dataclass(frozen=True, slots=True)
class UnvalidatedConstraint:
    """`breaks` is SQL that is true of a row that breaks the constraint; `key` are the columns of the primary key."""

    table: str
    name: str
    breaks: sql.Composable
    key: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ViolatedConstraint:
    """`examples` are keys of rows that break the constraint, at most as many as were asked for."""

    table: str
    constraint: str
    rows: int
    examples: tuple[str, ...]

    def __str__(self) -> str:
        more = f" and {self.rows - len(self.examples):,} more" if self.rows > len(self.examples) else ""
        return f"{self.table}: {', '.join(self.examples)}{more} broke {self.constraint}"


def unvalidated_constraints(connection: Any, tables: Collection[str] | None = None) -> list[UnvalidatedConstraint]:
    """In these tables, or in all that an unqualified name finds."""
    found = _rows(connection, _UNVALIDATED, {"tables": None if tables is None else list(tables)})
    return [
        UnvalidatedConstraint(table, name, _breaks(kind, condition, other, own, others), tuple(key))
        for table, name, kind, condition, other, own, others, key in found
    ]


def violations_of(
    connection: Any, constraint: UnvalidatedConstraint, *, examples: int = 10
) -> ViolatedConstraint | None:
    """None where no row breaks it."""
    parts = {"table": sql.Identifier(constraint.table), "breaks": constraint.breaks}
    key = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(column)) for column in constraint.key)
    listed = sql.SQL("SELECT concat_ws(' ', {key}) FROM {table} AS t WHERE {breaks} ORDER BY 1 LIMIT {limit}")
    counted = sql.SQL("SELECT count(*) FROM {table} AS t WHERE {breaks}")
    [[count]] = _rows(connection, counted.format(**parts))
    if not count:
        return None
    named = _rows(connection, listed.format(key=key, limit=sql.Literal(examples), **parts))
    return ViolatedConstraint(constraint.table, constraint.name, count, tuple(name for (name,) in named))


def validate(connection: Any, constraint: UnvalidatedConstraint) -> None:
    """Readers and writers go on meanwhile. Raises IntegrityError where a row breaks it."""
    statement = sql.SQL("ALTER TABLE {} VALIDATE CONSTRAINT {}")
    _rows(connection, statement.format(sql.Identifier(constraint.table), sql.Identifier(constraint.name)))


def validate_what_holds(connection: Any, tables: Collection[str] | None = None) -> list[ViolatedConstraint]:
    """Validates every constraint that no row breaks, and returns the others with their rows."""
    found = []
    for constraint in unvalidated_constraints(connection, tables):
        if rows := violations_of(connection, constraint):
            found.append(rows)
        else:
            validate(connection, constraint)
    return found


def _rows(connection: Any, statement: str | sql.Composable, parameters: Any = None) -> list[tuple[Any, ...]]:
    """On the connection of a migration as on the site's. None of a statement that gives no rows."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall()) if cursor.description else []


def _breaks(kind: str, condition: str | None, other: str | None, own: list[str], others: list[str]) -> sql.Composable:
    if kind == "c":
        # A CHECK lets NULL through.
        return sql.SQL("NOT ({})").format(sql.SQL(condition or "true"))
    given = sql.SQL(" AND ").join(sql.SQL("t.{} IS NOT NULL").format(sql.Identifier(column)) for column in own)
    same = sql.SQL(" AND ").join(
        sql.SQL("o.{} = t.{}").format(sql.Identifier(theirs), sql.Identifier(ours))
        for theirs, ours in zip(others, own, strict=True)
    )
    missing = sql.SQL("{given} AND NOT EXISTS (SELECT FROM {other} AS o WHERE {same})")
    return missing.format(given=given, other=sql.Identifier(other or ""), same=same)
