"""Takes a sample fleet away again. The database itself refuses any row of another trader."""

from __future__ import annotations

from django.db import connection

from traders.repositories.lock import locked_fleet
from trading.repositories.copying import bulk_load

# What refers to others goes before what it refers to.
RECORDS = {
    "conversation_messages": "trader_id",
    "decision_journal": "trader_id",
    "trades": "trader_id",
    "positions": "trader_id",
    "equity_snapshots": "trader_id",
    "version_results": "trader_id",
}
CONFIGS = {
    "sync_conflicts": "config_id",
    "yaml_base": "trader_id",
    "trader_symbol_cooldowns": "trader_id",
    "trader_runtime_state": "trader_id",
    "trader_config_versions": "id",
    "trader_config": "id",
}
_DELETE = """
DELETE FROM {table} WHERE {column} IN (SELECT id FROM trader_config WHERE created_by = 'sample')
"""
# Texts that a real trader uses by now stay.
_PROMPTS = """
DELETE FROM prompt_texts t WHERE path LIKE 'prompts/sample/%' AND NOT EXISTS (
    SELECT FROM trader_config_versions
     WHERE t.sha256 IN (detail #>> '{prompts,system_sha256}', detail #>> '{prompts,executor_sha256}'))
"""


def remove() -> dict[str, int]:
    """{table: rows removed}, all of them or none; empty where there is no sample.

    Symbols stay: other records may name them. The fleet is locked for its configurations only.
    """
    with bulk_load(name="sample"):
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL nof0.removing_sample = 'yes'")
        removed = {table: _delete(table, column) for table, column in RECORDS.items()}
        with locked_fleet():
            removed |= {table: _delete(table, column) for table, column in CONFIGS.items()}
            removed["prompt_texts"] = _execute(_PROMPTS)
    return {table: rows for table, rows in removed.items() if rows}


def _delete(table: str, column: str) -> int:
    return _execute(_DELETE.format(table=table, column=column))


def _execute(statement: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return int(cursor.rowcount)
