"""The content of a database: relations, columns, row counts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from psycopg import sql

# More rows than this are not counted: the message need not wait for a table of a hundred million.
COUNTED_UP_TO = 1_000_000
# Of every schema on the search path, where an unqualified name in a migration would find it.
_RELATIONS = """
SELECT c.relname::text, c.relkind::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND pg_table_is_visible(c.oid)
   AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_%%'
"""
_COLUMNS = """
SELECT c.relname::text, a.attname::text
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
 WHERE c.relname = ANY (%s) AND pg_table_is_visible(c.oid) AND a.attnum > 0 AND NOT a.attisdropped
"""
_COLUMN = """
SELECT a.attgenerated <> '', pg_get_expr(d.adbin, d.adrelid)
  FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
 WHERE a.attrelid = to_regclass(quote_ident(%s)) AND a.attname = %s
"""
TABLE_KINDS = "rpf"


def relations(connection: Any) -> dict[str, str]:
    """{name: relkind} of every table, view and sequence that an unqualified name would find."""
    return dict(_rows(connection, _RELATIONS))


def columns(connection: Any, tables: Iterable[str]) -> set[tuple[str, str]]:
    """{(table, column)}."""
    return set(_rows(connection, _COLUMNS, [list(tables)]))


def row_counts(connection: Any, tables: Collection[str]) -> dict[str, int | None]:
    """{table: rows, at most COUNTED_UP_TO + 1; None where this user may not read it}."""
    counts: dict[str, int | None] = {}
    for table in sorted(tables):
        [[readable]] = _rows(connection, "SELECT has_table_privilege(to_regclass(quote_ident(%s)), 'SELECT')", [table])
        if not readable:
            counts[table] = None
            continue
        query = sql.SQL("SELECT count(*) FROM (SELECT 1 FROM {} LIMIT {}) AS counted")
        [[counts[table]]] = _rows(connection, query.format(sql.Identifier(table), sql.Literal(COUNTED_UP_TO + 1)))
    return counts


def written(count: int | None, unit: str = "rows") -> str:
    """`58 rows`, `1 row`, `more than 1,000,000 rows`."""
    if count is None:
        return f"{unit} that this user may not read"
    if count > COUNTED_UP_TO:
        return f"more than {COUNTED_UP_TO:,} {unit}"
    return f"{count:,} {unit if count != 1 else unit.removesuffix('s')}"


def values_in(connection: Any, table: str, column: str) -> int:
    """How many rows hold something in the column: neither NULL nor its constant default. 0 for a generated column,
    whose values are computed from other columns."""
    [[is_generated, default]] = _rows(connection, _COLUMN, [table, column])
    if is_generated:
        return 0
    # A call, such as now() or nextval(), is no constant.
    constant = default if default and "(" not in default else "NULL"
    query = sql.SQL("SELECT count(*) FROM {table} WHERE {column} IS NOT NULL AND {column} IS DISTINCT FROM {constant}")
    parts = {"table": sql.Identifier(table), "column": sql.Identifier(column), "constant": sql.SQL(constant)}
    [[count]] = _rows(connection, query.format(**parts))
    return int(count)


def _rows(connection: Any, statement: str | sql.Composable, parameters: Sequence[Any] | None = None) -> list[Any]:
    """Of any database, also one that is not of this site."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())
