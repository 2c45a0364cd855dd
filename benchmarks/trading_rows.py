"""Millions of trades made by the database itself, shaped like those of the sample. The tests of the indexes use them.

Every check and trigger of the tables holds. Times, prices and versions follow from the number of the trade.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from django.db import connection

from traders.schema import jsonio
from traders.schema.settings.trader import TraderDetail

VERSIONS = 10
SYMBOLS = ("BTC", "ETH", "SOL", "BNB", "DOGE", "XRP")
MS_A_TRADE = 600_000
MS_APART = 1_013
FIRST_MS = 1_700_000_000_000
CLOSED_POSITIONS = 200

CONFIG = TraderDetail.model_validate(
    {
        "display_name": "A trader of the benchmark",
        "prompts": {"system_template": "prompts/manager/steady.tmpl"},
        "risk": {
            "max_positions": VERSIONS,
            "max_position_size_usd": 500,
            "min_risk_reward_ratio": 3,
            "major_coin_leverage": 20,
            "altcoin_leverage": 10,
        },
    }
)

_TRADERS = """
WITH written AS (
    INSERT INTO trader_config (id, version, exchange_provider, market_provider, allocation_pct, detail)
    SELECT 'trader_' || lpad(t::text, greatest(3, length(t::text)), '0'), %(versions)s, 'paper_trading', 'hyperliquid',
           0, %(config)s::jsonb
      FROM generate_series(1, %(traders)s) AS t
    RETURNING *)
INSERT INTO trader_config_versions (id, version, exchange_provider, market_provider, allocation_pct, detail,
    created_at, updated_at, changed_fields, change_set, source,
    history_date, history_change_reason, history_type, history_user_id)
SELECT id, v, exchange_provider, market_provider, 0, jsonb_set(detail, '{risk,max_positions}', to_jsonb(v)),
       created_at, updated_at, '{detail.risk.max_positions}',
       nextval('config_change_set_seq'), 'bench',
       to_timestamp(%(first_ms)s / 1000) + (v - 1)::bigint * %(span)s * interval '1 ms', 'tuning', '~', 'bench'
  FROM written, generate_series(1, %(versions)s) AS v
"""
# One trader's; `n` counts them in order of time.
_TRADES = """
INSERT INTO trades (id, trader_id, symbol, side, close_ts_ms, detail)
SELECT trader || '|' || symbol || '|' || close_ms || lpad((n * 7919 %% 1000000)::text, 6, '0'),
       trader, symbol, side, close_ms, jsonb_build_object(
    'time', jsonb_build_object('open_ts_ms', open_ms, 'close_ts_ms', close_ms,
                               'duration_seconds', round((close_ms - open_ms) / 1000.0, 3)),
    'prices', jsonb_build_object('avg_entry', entry, 'avg_exit', exit),
    'quantity', jsonb_build_object('total', quantity),
    'pnl', jsonb_build_object('gross', gross, 'commission', fee_in + fee_out, 'net', gross - fee_in - fee_out),
    'risk', jsonb_build_object('leverage', 1 + n %% 20, 'confidence', 50 + n %% 45),
    'exchange', jsonb_build_object('provider', 'paper_trading'),
    'fills', jsonb_build_array(
        jsonb_build_object('type', 'entry', 'order_id', open_ms * 100, 'fill_id', open_ms * 1000, 'price', entry,
            'quantity', quantity, 'commission', fee_in, 'is_crossed', true, 'ts_ms', open_ms),
        jsonb_build_object('type', 'exit', 'order_id', close_ms * 100, 'fill_id', close_ms * 1000, 'price', exit,
            'quantity', quantity, 'commission', fee_out, 'is_crossed', true, 'closed_pnl', gross, 'ts_ms', close_ms)),
    'exit_plan', jsonb_build_object('tp_price', round(entry * 1.04, 1), 'sl_price', round(entry * 0.98, 1),
        'invalidation_condition', 'An hour closes beyond ' || round(entry * 0.98, 1)),
    'versions', jsonb_build_object('entry', version, 'exit', least(%(versions)s, version + (n %% 50 = 0)::int)))
  FROM (SELECT *, (exit - entry) * quantity * CASE side WHEN 'long' THEN 1 ELSE -1 END AS gross,
               round(entry * quantity * 0.00045, 6) AS fee_in, round(exit * quantity * 0.00045, 6) AS fee_out
          FROM (SELECT n, %(trader)s AS trader, (%(symbols)s::text[])[1 + n %% 6] AS symbol,
                       CASE WHEN n * 31 %% 7 < 4 THEN 'long' ELSE 'short' END AS side,
                       close_ms, close_ms - 60000 - n * 97 %% 500000 AS open_ms,
                       round(40000 + n * 7919 %% 20000 + n %% 10 / 10.0, 1) AS entry,
                       round(40000 + n * 7919 %% 20000 + (n * 104729 %% 801 - 398) / 1.0, 1) AS exit,
                       round(0.001 + n %% 97 / 10000.0, 5) AS quantity,
                       (1 + (n - 1) * %(versions)s / %(trades)s)::int AS version
                  FROM generate_series(1::bigint, %(trades)s) AS n,
                       LATERAL (SELECT %(first_ms)s + n * %(pace)s + n * 13 %% 1000 + %(shift)s AS close_ms) c) p) q
"""
_POSITIONS = """
INSERT INTO positions (id, trader_id, symbol, side, status, detail)
SELECT c.id || '|' || symbol || CASE WHEN is_open THEN '' ELSE '|' || opened + 60000 || '|' || n END, c.id, symbol,
       CASE WHEN n %% 2 = 0 THEN 'long' ELSE 'short' END, CASE WHEN is_open THEN 'open' ELSE 'closed' END,
       jsonb_build_object('entry', jsonb_build_object('price', 40000 + n, 'quantity', 0.01, 'time_ms', opened,
           'leverage', 10)) || CASE WHEN is_open THEN '{}' ELSE jsonb_build_object('close', jsonb_build_object(
           'price', 40010 + n, 'time_ms', opened + 60000, 'quantity', 0.01,
           'pnl', (n * 7919 %% 997 - 400) / 10.0 + ascii(right(c.id, 1)) / 100.0)) END
  FROM trader_config c, generate_series(0, %(positions)s - 1) AS n,
       LATERAL (SELECT (%(symbols)s::text[])[1 + n %% 6] AS symbol, n < 6 AS is_open,
                       %(first_ms)s + n * 3600000 AS opened) s
"""

# One trader's cycles, newest last: of a hundred, ten made an order, two were refused, one failed. The prompt of four
# kilobytes is stored outside of the row, as those of engines are.
_DECISIONS = """
INSERT INTO decision_journal (trader_id, config_version, cycle_number, decided_at, success, detail)
SELECT %(trader)s, (1 + (n - 1) * %(versions)s / %(decisions)s)::int, n,
       to_timestamp(%(first_ms)s / 1000.0) + n * interval '3 minutes' + %(shift)s * interval '1 ms', kind <> 'failed',
       jsonb_build_object(
    'prompt', jsonb_build_object('user_text', text),
    'answer', jsonb_build_object('model', 'deepseek-chat', 'reasoning', left(text, 600)),
    'decisions', jsonb_build_array(jsonb_build_object('symbol', symbol, 'confidence', 60 + n %% 40, 'reasoning',
        'Higher lows on ' || symbol, 'action',
        CASE WHEN kind IN ('order', 'refused') THEN 'open_long' ELSE 'hold' END)),
    'actions', CASE kind
        WHEN 'order' THEN jsonb_build_array(jsonb_build_object('symbol', symbol, 'action', 'open_long', 'ok', true,
            'order_id', n))
        WHEN 'refused' THEN jsonb_build_array(jsonb_build_object('symbol', symbol, 'action', 'open_long', 'ok', false,
            'refused_by', '["max_positions"]'::jsonb))
        ELSE '[]'::jsonb END,
    'account', jsonb_build_object('equity_usd', 10000 + n %% 500), 'positions', '[]'::jsonb,
    'usage', jsonb_build_object('prompt_tokens', 1000 + n %% 300, 'completion_tokens', 100, 'cost_usd', 0.0021))
  FROM generate_series(1::bigint, %(decisions)s) AS n,
       LATERAL (SELECT CASE WHEN n %% 100 < 10 THEN 'order' WHEN n %% 100 < 12 THEN 'refused'
                            WHEN n %% 100 = 12 THEN 'failed' ELSE 'held' END AS kind,
                       (%(symbols)s::text[])[1 + n %% 6] AS symbol,
                       (SELECT string_agg(md5(n::text || %(trader)s || i::text), ' ')
                          FROM generate_series(1, 120) AS i) AS text) k
"""

_ALL_VISIBLE = """
SELECT bool_and(relallvisible >= relpages) FROM pg_class
 WHERE oid IN ('trades'::regclass, 'positions'::regclass, 'version_results'::regclass)
"""
_SESSIONS = """
SELECT pid, backend_type, state, xact_start, left(query, 80) FROM pg_stat_activity
 WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
TRIES = 60


def make_record(
    *,
    traders: int,
    trades: int,
    positions: int = CLOSED_POSITIONS,
    first_ms: int = FIRST_MS,
    pace_ms: int = MS_A_TRADE,
) -> None:
    """`trades` of all traders together, in versions that follow each other; each trader has six open positions. A
    trader closes a trade every `pace_ms`."""
    each = trades // traders
    values: dict[str, Any] = {
        "versions": VERSIONS,
        "traders": traders,
        "trades": each,
        "positions": positions,
        "symbols": list(SYMBOLS),
        "first_ms": first_ms,
        "pace": pace_ms,
        "config": jsonio.dumps(CONFIG.model_dump()),
        "span": each * pace_ms // VERSIONS,
    }
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO symbols (symbol) SELECT unnest(%(symbols)s::text[])", values)
        cursor.execute(_TRADERS, values)
        cursor.execute("SELECT id FROM trader_config ORDER BY id")
        for number, (trader,) in enumerate(cursor.fetchall()):
            cursor.execute(_TRADES, {**values, "trader": trader, "shift": number * MS_APART})
        cursor.execute(_POSITIONS, values)


def make_decisions(count: int, traders: Sequence[str] = ()) -> None:
    """`count` decisions of these traders together, or of all that `make_record` made."""
    values: dict[str, Any] = {"versions": VERSIONS, "symbols": list(SYMBOLS), "first_ms": FIRST_MS}
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM trader_config ORDER BY id")
        found = traders or [trader for (trader,) in cursor.fetchall()]
        for number, trader in enumerate(found):
            own = {"trader": trader, "shift": number * MS_APART, "decisions": count // len(found)}
            cursor.execute(_DECISIONS, values | own)
        cursor.execute("ANALYZE decision_journal")


def vacuum() -> None:
    """So that index-only scans need not look into the tables. Not inside a transaction.

    What an autovacuum still looks at is not all-visible yet, so it may take more than one; and a few rows that were
    rolled back would keep their pages from it, because a vacuum passes over the indexes of a few.
    """
    with connection.cursor() as cursor:
        for _ in range(TRIES):
            cursor.execute("VACUUM (ANALYZE, INDEX_CLEANUP ON) trades, positions, version_results")
            cursor.execute(_ALL_VISIBLE)
            if cursor.fetchone() == (True,):
                return
            time.sleep(0.5)
        cursor.execute(_SESSIONS)
        raise AssertionError(f"another transaction keeps old rows visible: {cursor.fetchall()}")
