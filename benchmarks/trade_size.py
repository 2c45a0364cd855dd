"""What a trade takes on disk, beside the wide table that this record replaces."""

from __future__ import annotations

from django.db import connection, transaction

from benchmarks.report import Table

# As the former program's migrations made it, with its two indexes and its key.
_LEGACY = """
CREATE TABLE legacy_trades (
    id text PRIMARY KEY, model_id text NOT NULL, exchange_provider text NOT NULL, symbol text NOT NULL,
    side text NOT NULL, trade_type text, trade_id text, quantity double precision, leverage double precision,
    confidence double precision, entry_price double precision, entry_ts_ms bigint NOT NULL, entry_human_time text,
    entry_sz double precision, entry_tid bigint, entry_oid bigint, entry_crossed boolean NOT NULL DEFAULT false,
    entry_liquidation jsonb, entry_commission_dollars double precision, entry_closed_pnl double precision,
    exit_price double precision, exit_ts_ms bigint, exit_human_time text, exit_sz double precision, exit_tid bigint,
    exit_oid bigint, exit_crossed boolean, exit_liquidation jsonb, exit_commission_dollars double precision,
    exit_closed_pnl double precision, exit_plan jsonb, realized_gross_pnl double precision,
    realized_net_pnl double precision, total_commission_dollars double precision,
    created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now());
INSERT INTO legacy_trades
SELECT id, trader_id, detail #>> '{exchange,provider}', symbol, side, 'close', NULL, quantity, leverage, confidence,
       (detail #>> '{prices,avg_entry}')::float, (detail #>> '{time,open_ts_ms}')::bigint, NULL,
       (entry ->> 'quantity')::float, (entry ->> 'fill_id')::bigint, (entry ->> 'order_id')::bigint,
       (entry ->> 'is_crossed')::boolean, NULL, (entry ->> 'commission')::float, NULL,
       (detail #>> '{prices,avg_exit}')::float, close_ts_ms, NULL,
       (exit ->> 'quantity')::float, (exit ->> 'fill_id')::bigint, (exit ->> 'order_id')::bigint,
       (exit ->> 'is_crossed')::boolean, NULL, (exit ->> 'commission')::float, (exit ->> 'closed_pnl')::float,
       detail -> 'exit_plan', (detail #>> '{pnl,gross}')::float, net_pnl, (detail #>> '{pnl,commission}')::float,
       created_at, created_at
  FROM trades, LATERAL (SELECT detail #> '{fills,0}' AS entry, detail #> '{fills,1}' AS exit) f;
CREATE INDEX ON legacy_trades (exit_oid);
CREATE INDEX ON legacy_trades (model_id, entry_ts_ms DESC)
"""
_SIZES = """
SELECT c.relname, pg_relation_size(c.oid), NULL FROM pg_class c WHERE c.oid IN ('trades'::regclass,
       'legacy_trades'::regclass)
UNION ALL
SELECT i.indrelid::regclass::text, pg_relation_size(i.indexrelid), i.indexrelid::regclass::text FROM pg_index i
 WHERE i.indrelid IN ('trades'::regclass, 'legacy_trades'::regclass)
 ORDER BY 1, 3 NULLS FIRST
"""

_DETAIL = """
WITH sampled AS (SELECT detail FROM trades LIMIT 10000)
SELECT coalesce(part, 'all of it'), avg(size) FROM (
       SELECT NULL AS part, pg_column_size(detail) AS size FROM sampled
        UNION ALL SELECT e.key, pg_column_size(e.value) FROM sampled, jsonb_each(detail) e) parts
 GROUP BY part ORDER BY part IS NOT NULL, 2 DESC
"""
# The same fills without the names of their leaves, which programs that read SQL expect.
_ARRAYS = """
SELECT avg(pg_column_size(detail)) - avg(pg_column_size(jsonb_set(detail, '{fills}', (
       SELECT jsonb_agg(jsonb_build_array(f -> 'type', f -> 'order_id', f -> 'fill_id', f -> 'price', f -> 'quantity',
                                          f -> 'commission', f -> 'is_crossed', f -> 'closed_pnl', f -> 'ts_ms'))
         FROM jsonb_array_elements(detail -> 'fills') f)))),
       avg(pg_column_size(detail)) - avg(length(detail::text))
  FROM (SELECT detail FROM trades LIMIT 10000) t
"""


def tables() -> list[Table]:
    return [_table(), _detail_table()]


def _detail_table() -> Table:
    with connection.cursor() as cursor:
        cursor.execute(_DETAIL)
        parts = cursor.fetchall()
        cursor.execute(_ARRAYS)
        [(of_names, of_binary)] = cursor.fetchall()
    return Table(
        "Bytes of the `detail` of a trade",
        ("Part", "bytes"),
        [(name, f"{size:,.0f}") for name, size in parts],
        (
            f"As JSONB, of 10,000. Fills as arrays without names would take {of_names:,.0f} bytes less, and JSON as "
            f"text {of_binary:,.0f}; but `detail` is JSONB whose leaves engines read by name ([sql.md](sql.md)). "
            "PostgreSQL compresses no row of less than two kilobytes.",
        ),
    )


def _table() -> Table:
    """Makes the legacy table of all trades that are there, and drops it again."""
    with transaction.atomic(), connection.cursor() as cursor:
        # Five million rows take longer than a command's statement may.
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute(_LEGACY)
        cursor.execute("SELECT count(*) FROM trades")
        [count] = cursor.fetchone()
        cursor.execute(_SIZES)
        parts = [(table, index, size / count) for table, size, index in cursor.fetchall()]
        cursor.execute("DROP TABLE legacy_trades")
    rows = [(f"{table}: {index or 'the table'}", f"{size:,.0f}") for table, index, size in parts]
    rows += [
        (f"{name}: together", f"{sum(size for table, _, size in parts if table == name):,.0f}")
        for name in ("trades", "legacy_trades")
    ]
    return Table(
        f"Bytes a trade, of {count:,}",
        ("Part", "bytes"),
        rows,
        (
            "`legacy_trades` is the former table of 36 columns with the same facts, prices as binary floating point, "
            "no texts of times, and its three indexes. `trades` was filled trader by trader.",
        ),
    )
