"""What the database says of the record's form: extension, servers, tables, triggers, constraints. Reads only."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from psycopg import sql as composed

from traders.database import sql
from trading.record.distribution.rules import KEYS, ROW_FUNCTIONS, SUMS, TABLES, RowRule
from trading.record.stored.spread.form import MARKER

_EXTENSION = """
SELECT (SELECT extversion FROM pg_extension WHERE extname = 'citus') AS installed,
       (SELECT default_version FROM pg_available_extensions WHERE name = 'citus') AS available,
       current_database() AS database
"""
_NODES = """
SELECT nodename, nodeport, shouldhaveshards FROM pg_dist_node WHERE isactive AND noderole = 'primary' ORDER BY 1, 2
"""
_SPREAD = """
SELECT logicalrelid::regclass::text AS name, column_to_column_name(logicalrelid, partkey) AS column, colocationid
  FROM pg_dist_partition WHERE logicalrelid::regclass::text = ANY (%s) AND partmethod = 'h' ORDER BY 1
"""
_TRIGGERS = """
SELECT c.relname AS table, t.tgname AS name, pg_get_triggerdef(t.oid) AS text, p.proname AS function
  FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid
 WHERE NOT t.tgisinternal AND pg_table_is_visible(c.oid) AND c.relname = ANY (%s) ORDER BY 1, 2
"""
_FOREIGN = """
SELECT k.conrelid::regclass::text AS table, k.conname AS name, k.confrelid::regclass::text AS target
  FROM pg_constraint k WHERE k.contype = 'f' AND k.conrelid::regclass::text = ANY (%s) ORDER BY 1, 2
"""
_POINTED_AT = """
SELECT k.conrelid::regclass::text AS table, k.conname AS name, k.confrelid::regclass::text AS target
  FROM pg_constraint k
 WHERE k.contype = 'f' AND k.confrelid::regclass::text = ANY (%s) AND k.conrelid::regclass::text <> ALL (%s)
"""
_KEYS = """
SELECT k.conrelid::regclass::text AS table, k.conname AS name,
       ARRAY(SELECT attname::text FROM unnest(k.conkey) WITH ORDINALITY AS n (number, place)
               JOIN pg_attribute ON attrelid = k.conrelid AND attnum = number ORDER BY place) AS columns
  FROM pg_constraint k WHERE k.contype = 'p' AND k.conrelid::regclass::text = ANY (%s) ORDER BY 1
"""
_SIZES = "SELECT name, pg_relation_size(name::regclass) AS bytes FROM unnest(%s::text[]) AS t (name)"
_ESTIMATED = "SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass"
_DIVIDED = (
    "SELECT name FROM unnest(%s::text[]) AS t (name) JOIN pg_class c ON c.oid = name::regclass WHERE relkind = 'p'"
)
_MARKER = f"SELECT to_regclass('{MARKER}') IS NOT NULL"
_SAID = f"SELECT shards, at, actor FROM {MARKER}"
_CONDITION = re.compile(r" WHEN \((?P<when>.*)\) EXECUTE FUNCTION ", re.DOTALL)


def extension() -> Any:
    """(installed, available, database): versions of Citus, None where it is not there."""
    return sql.rows(_EXTENSION)[0]


def divided(tables: Sequence[str]) -> list[str]:
    """Those that are partitioned."""
    return sql.values(_DIVIDED, [list(tables)])


def nodes() -> list[Any]:
    """(nodename, nodeport, shouldhaveshards) of the cluster's servers. Needs the extension."""
    return sql.rows(_NODES)


def spread_tables() -> list[Any]:
    """(name, column, colocationid) of the record's tables that Citus spreads. Needs the extension."""
    return sql.rows(_SPREAD, [list(TABLES)])


def is_marked() -> bool:
    """Whether `manage.py distribute` ended here."""
    return bool(sql.value(_MARKER))


def said() -> Any:
    """(shards, at, actor) of the run that spread the record."""
    return sql.rows(_SAID)[0]


def triggers(tables: list[str]) -> list[Any]:
    """(table, name, text, function)."""
    return sql.rows(_TRIGGERS, [tables])


def row_rules(found: list[Any]) -> list[RowRule]:
    """Of these triggers, those that look at a new row alone and refuse it."""
    rules = []
    for trigger in found:
        when = _CONDITION.search(trigger.text)
        if trigger.function not in ROW_FUNCTIONS or when is None or "old." in when["when"]:
            continue
        breaks = when["when"].replace("new.", "").replace("(pg_trigger_depth() = 0) AND ", "")
        rules.append(RowRule(trigger.table, trigger.name.replace("positions_new_", "positions_"), trigger.name, breaks))
    return rules


def breaking(rule: RowRule, most: int = 5) -> list[str]:
    """Keys of rows that count and break the rule, at most so many."""
    counts = "exclusion_id IS NULL AND " if rule.table != "version_results" else ""
    statement = composed.SQL("SELECT concat_ws('|', {keys}) FROM {table} WHERE {counts}({breaks}) LIMIT {most}").format(
        keys=composed.SQL(", ").join(map(composed.Identifier, KEYS[rule.table])),
        table=composed.Identifier(rule.table),
        counts=composed.SQL(counts),
        breaks=composed.SQL(rule.breaks),
        most=composed.Literal(most),
    )
    return sql.values(statement)


def foreign_keys() -> list[Any]:
    """(table, name, target) of the record's foreign keys."""
    return sql.rows(_FOREIGN, [list(TABLES)])


def pointed_at() -> list[Any]:
    """(table, name, target) of foreign keys of other tables to the record's."""
    return sql.rows(_POINTED_AT, [list(TABLES), list(TABLES)])


def primary_keys() -> dict[str, Any]:
    """{table: (name, columns)}."""
    return {row.table: row for row in sql.rows(_KEYS, [list(TABLES)])}


def sizes() -> dict[str, int]:
    """{table: bytes on this server}."""
    return {row.name: row.bytes for row in sql.rows(_SIZES, [list(TABLES)])}


def estimated(table: str) -> int:
    """Rows as the planner knows them, at least 0."""
    return max(0, int(sql.value(_ESTIMATED, [table])))


def figures(table: str) -> tuple[str, ...]:
    """(rows, sums) as texts, which compare digit for digit."""
    sums = ", ".join(f"coalesce({one}, 0)::text AS sum_{place}" for place, one in enumerate(SUMS[table]))
    return tuple(sql.rows(f"SELECT count(*)::text AS total, {sums} FROM {table}")[0])
