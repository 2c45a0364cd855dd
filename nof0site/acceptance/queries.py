"""What PostgreSQL's catalogue says of our tables, and what the plans of queries say."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.db import connection, transaction

from nof0site.acceptance.served import Served
from nof0site.guards import contents
from traders.database import sql
from traders.database.apart import time_limit
from trading.record.stored.spread import reads
from trading.record.stored.spread.form import was_spread

_COLUMNS = """
SELECT c.relname::text AS relation, a.attname::text AS name, format_type(a.atttypid, a.atttypmod) AS type,
       a.attgenerated <> '' AS is_generated
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
 WHERE c.relname = ANY (%s) AND c.relkind IN ('r', 'p') AND pg_table_is_visible(c.oid)
   AND a.attnum > 0 AND NOT a.attisdropped
 ORDER BY c.relname, a.attnum
"""
_INDEXES = """
SELECT i.relname::text AS name, x.indisvalid AND x.indisready AS is_usable
  FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
 WHERE t.relname = ANY (%s) AND pg_table_is_visible(t.oid)
"""
# Indexes of one column over all rows; those for LIKE alone do not count.
_INDEXED = """
SELECT DISTINCT t.relname::text AS relation, a.attname::text AS name
  FROM pg_index x JOIN pg_class t ON t.oid = x.indrelid
  JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = x.indkey[0]
 WHERE t.relname = ANY (%s) AND pg_table_is_visible(t.oid)
   AND x.indnkeyatts = 1 AND x.indisvalid AND x.indisready AND x.indpred IS NULL
   AND NOT EXISTS (SELECT FROM pg_opclass o WHERE o.oid = x.indclass[0] AND o.opcname LIKE '%%pattern_ops')
"""
_PRIMARY_KEYS = """
SELECT t.relname::text FROM pg_index x JOIN pg_class t ON t.oid = x.indrelid
 WHERE t.relname = ANY (%s) AND pg_table_is_visible(t.oid) AND x.indisprimary AND x.indisvalid AND x.indisready
"""
# `on_delete`: a (no action) and r (restrict) keep the row that others name.
_INDEX_COLUMNS = """
SELECT i.relname::text AS name, array_agg(a.attname::text) AS columns
  FROM pg_class i JOIN pg_attribute a ON a.attrelid = i.oid
 WHERE i.relname = ANY (%s) AND i.relkind = 'i' AND pg_table_is_visible(i.oid)
 GROUP BY i.relname
"""
_FOREIGN_KEYS = """
SELECT t.relname::text AS relation, f.relname::text AS target, c.convalidated AS is_valid,
       c.confdeltype::text AS on_delete
  FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid JOIN pg_class f ON f.oid = c.confrelid
 WHERE c.contype = 'f' AND t.relname = ANY (%s) AND pg_table_is_visible(t.oid)
"""
_FUNCTIONS = "SELECT proname::text FROM pg_proc WHERE proname = ANY (%s) AND pg_function_is_visible(oid)"
# By the index of trader and version, so that no other decision is read.
_WITHOUT_VERSION = """
SELECT wanted.id AS trader_id, count(*) AS decisions, count(*) FILTER (WHERE v.history_date <= j.decided_at) AS late,
       min(j.cycle_number) FILTER (WHERE v.history_date <= j.decided_at) AS first_cycle
  FROM unnest(%(traders)s::text[]) AS wanted (id)
 CROSS JOIN LATERAL (SELECT cycle_number, decided_at FROM decision_journal
                      WHERE trader_id = wanted.id AND config_version IS NULL AND exclusion_id IS NULL) j
  LEFT JOIN trader_config_versions v ON v.id = wanted.id AND v.version = 1
 GROUP BY wanted.id ORDER BY wanted.id
"""
# The newest versions that decided something, with one decision of each. Citus refuses the limit for each of several
# versions: where the record is spread they are asked one by one, newest first.
_DECIDED = """
SELECT v.id AS trader_id, v.version, j.id AS decision_id
  FROM trader_config_versions v
 CROSS JOIN LATERAL (SELECT id FROM decision_journal
                      WHERE trader_id = v.id AND config_version = v.version AND exclusion_id IS NULL LIMIT 1) j
 ORDER BY v.history_id DESC LIMIT %s
"""
_NEWEST_VERSIONS = "SELECT id AS trader_id, version FROM trader_config_versions ORDER BY history_id DESC"
_DECIDED_UNDER = """
SELECT trader_id, config_version AS version, id AS decision_id FROM decision_journal
 WHERE trader_id = %s AND config_version = %s AND exclusion_id IS NULL LIMIT 1
"""
_RECENT_TRADES = """
SELECT count(*) AS trades, count(*) FILTER (WHERE jsonb_typeof(detail -> 'fills') = 'array'
                                              AND detail -> 'fills' <> '[]'::jsonb) AS with_fills
  FROM (SELECT detail FROM trades WHERE exclusion_id IS NULL ORDER BY close_ts_ms DESC LIMIT %s) t
"""
# Read often, and slow on average; a statement of maintenance is not read often.
_SLOW = """
SELECT left(regexp_replace(s.query, '\\s+', ' ', 'g'), 100) AS query, s.calls, s.mean_exec_time AS mean_ms
  FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid AND d.datname = current_database()
 WHERE s.query ILIKE 'select%%' AND s.calls >= %(calls)s AND s.mean_exec_time >= %(ms)s
 ORDER BY s.mean_exec_time DESC LIMIT 20
"""
_HAS_STATEMENTS = "SELECT count(*) FROM pg_extension WHERE extname = 'pg_stat_statements'"
# A small table is read whole, which says nothing about its index; so the plan is asked for without that way.
_WITHOUT_WAYS = "SELECT set_config(name, 'off', true) FROM unnest(%s::text[]) AS name"


@dataclass(frozen=True, slots=True)
class TableColumn:
    relation: str
    name: str
    type: str
    is_generated: bool

    def __str__(self) -> str:
        return f"{self.relation}.{self.name}"


@dataclass(frozen=True, slots=True)
class ForeignKey:
    relation: str
    target: str
    is_valid: bool
    on_delete: str


@dataclass(frozen=True, slots=True)
class QueryPlan:
    """`nodes` are the steps that read rows, as (type, index or table); `ms` is None for a plan that was not run."""

    nodes: tuple[tuple[str, str], ...]
    ms: float | None


@contextmanager
def only_reading(limit_ms: int) -> Iterator[None]:
    """A transaction that PostgreSQL allows nothing but reads, and that is rolled back. Each statement may take
    `limit_ms`. Raises TookTooLong."""
    with time_limit(limit_ms), transaction.atomic():
        sql.execute("SET TRANSACTION READ ONLY")
        yield
        transaction.set_rollback(True)


def relations() -> dict[str, str]:
    """{name: relkind} of every table, view and sequence."""
    return contents.relations(connection)


def column_names(names: Collection[str]) -> set[tuple[str, str]]:
    """{(table or view, column)}."""
    return contents.columns(connection, names)


def columns(tables: Collection[str]) -> list[TableColumn]:
    return sql.rows_as(TableColumn, _COLUMNS, [list(tables)])


def indexes(tables: Collection[str]) -> dict[str, bool]:
    """{name: whether queries can use it}."""
    return {row.name: row.is_usable for row in sql.rows(_INDEXES, [list(tables)])}


def indexed_columns(tables: Collection[str]) -> set[tuple[str, str]]:
    """(table, column) of the columns that have an index of their own, which queries can use."""
    return {(row.relation, row.name) for row in sql.rows(_INDEXED, [list(tables)])}


def with_primary_key(tables: Collection[str]) -> set[str]:
    return {str(name) for name in sql.values(_PRIMARY_KEYS, [list(tables)])}


def index_columns(names: Collection[str]) -> dict[str, set[str]]:
    """{index: the columns that it holds}, included ones too."""
    return {row.name: set(row.columns) for row in sql.rows(_INDEX_COLUMNS, [list(names)])}


def foreign_keys(tables: Collection[str]) -> list[ForeignKey]:
    return sql.rows_as(ForeignKey, _FOREIGN_KEYS, [list(tables)])


def functions(names: Collection[str]) -> list[str]:
    """Those of these that exist."""
    return [str(name) for name in sql.values(_FUNCTIONS, [list(names)])]


def without_version() -> list[Any]:
    """Of each trader that has some: its decisions without a version, those of them after its first version (`late`),
    and the first cycle of these."""
    return reads.rows(_WITHOUT_VERSION, {"traders": reads.FLEET})


def decided(limit: int) -> list[Any]:
    """(trader_id, version, decision_id): a decision of each of the newest versions that decided something."""
    if not was_spread():
        return sql.rows(_DECIDED, [limit])
    decisions = (one for version in sql.rows(_NEWEST_VERSIONS) for one in sql.rows(_DECIDED_UNDER, list(version)))
    return list(islice(decisions, limit))


def recent_trades(limit: int) -> Any:
    """(trades, with_fills) of the newest trades."""
    (row,) = sql.rows(_RECENT_TRADES, [limit])
    return row


def slow_statements(ms: float, calls: int) -> list[Any] | None:
    """(query, calls, mean_ms) of statements that read often and slowly. None where pg_stat_statements is not
    installed."""
    if not sql.value(_HAS_STATEMENTS):
        return None
    return sql.rows(_SLOW, {"ms": ms, "calls": calls})


def plan_without(query: Served, ways: Collection[str]) -> QueryPlan:
    """The plan without these ways to read a table (`enable_seqscan`, ...), not run."""
    with transaction.atomic():
        sql.values(_WITHOUT_WAYS, [list(ways)])
        found = _explained("EXPLAIN (FORMAT JSON)", query)
        transaction.set_rollback(True)
    return found


def plan_as_run(query: Served) -> QueryPlan:
    """The plan and its time on the server."""
    return _explained("EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON)", query)


def _explained(how: str, query: Served) -> QueryPlan:
    [explained] = sql.value(f"{how} {query.query}", query.parameters or None)
    nodes = tuple(
        (step["Node Type"], step.get("Index Name") or step.get("Relation Name") or "")
        for step in _steps(explained["Plan"])
        if "Index Name" in step or "Relation Name" in step
    )
    return QueryPlan(nodes, explained.get("Execution Time"))


def _steps(step: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield step
    for inner in step.get("Plans", []):
        yield from _steps(inner)
