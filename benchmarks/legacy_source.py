"""A database of the former engine, with as many rows as asked for, on the server of the benchmarks."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from django.db import connection
from psycopg import sql
from psycopg.conninfo import make_conninfo

# As its migrations made it; of its other tables `adopt` takes nothing where they are missing.
_TABLES = """
CREATE TABLE models (
    id text PRIMARY KEY, display_name text NOT NULL, description text, metadata jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE symbols (
    symbol text PRIMARY KEY, base_asset text, quote_asset text, base_precision int, quote_precision int,
    tick_size float8, metadata jsonb NOT NULL DEFAULT '{}', created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE price_ticks (
    id bigserial PRIMARY KEY, provider text NOT NULL, symbol text NOT NULL, price float8 NOT NULL,
    ts_ms bigint NOT NULL, volume float8, raw jsonb, created_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE account_equity_snapshots (
    id bigserial PRIMARY KEY, model_id text NOT NULL, ts_ms bigint NOT NULL, dollar_equity float8 NOT NULL,
    realized_pnl float8 NOT NULL DEFAULT 0, total_unrealized_pnl float8 NOT NULL DEFAULT 0, cum_pnl_pct float8,
    sharpe_ratio float8, since_inception_hourly_marker int, since_inception_minute_marker int,
    metadata jsonb NOT NULL DEFAULT '{}', created_at timestamptz NOT NULL DEFAULT now(), UNIQUE (model_id, ts_ms));
CREATE TABLE conversations (
    id bigserial PRIMARY KEY, model_id text NOT NULL, topic text, created_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE conversation_messages (
    id bigserial PRIMARY KEY, conversation_id bigint NOT NULL REFERENCES conversations ON DELETE CASCADE,
    role text NOT NULL, content text NOT NULL, ts_ms bigint, metadata jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE decision_cycles (
    id bigserial PRIMARY KEY, model_id text NOT NULL, cycle_number int, prompt_digest text, cot_trace text,
    decisions jsonb, success boolean NOT NULL DEFAULT false, error_message text,
    executed_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE trader_state (
    trader_id text PRIMARY KEY, exchange_provider text NOT NULL, market_provider text NOT NULL, allocation_pct float8,
    cooldown jsonb NOT NULL DEFAULT '{}', risk_guards jsonb NOT NULL DEFAULT '{}', last_decision_at timestamptz,
    pause_until timestamptz, updated_at timestamptz NOT NULL DEFAULT now(),
    created_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE positions (
    id text PRIMARY KEY, model_id text NOT NULL, exchange_provider text NOT NULL, symbol text NOT NULL,
    side text NOT NULL DEFAULT 'long', status text NOT NULL DEFAULT 'open', entry_oid bigint, risk_usd float8,
    confidence float8, index_col jsonb, exit_plan jsonb, entry_time_ms bigint NOT NULL, entry_price float8 NOT NULL,
    tp_oid bigint, margin float8, wait_for_fill boolean NOT NULL DEFAULT false, sl_oid bigint, current_price float8,
    closed_pnl float8, liquidation_price float8, commission float8, leverage float8, slippage float8,
    quantity float8 NOT NULL, unrealized_pnl float8, updated_at timestamptz NOT NULL DEFAULT now(),
    created_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE trades (
    id text PRIMARY KEY, model_id text NOT NULL, exchange_provider text NOT NULL, symbol text NOT NULL,
    side text NOT NULL, trade_type text, trade_id text, quantity float8, leverage float8, confidence float8,
    entry_price float8, entry_ts_ms bigint NOT NULL, entry_human_time text, entry_sz float8, entry_tid bigint,
    entry_oid bigint, entry_crossed boolean NOT NULL DEFAULT false, entry_liquidation jsonb,
    entry_commission_dollars float8, entry_closed_pnl float8, exit_price float8, exit_ts_ms bigint,
    exit_human_time text, exit_sz float8, exit_tid bigint, exit_oid bigint, exit_crossed boolean,
    exit_liquidation jsonb, exit_commission_dollars float8, exit_closed_pnl float8, exit_plan jsonb,
    realized_gross_pnl float8, realized_net_pnl float8, total_commission_dollars float8,
    created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX ON trades (exit_oid);
CREATE INDEX ON trades (model_id, entry_ts_ms DESC)
"""
# Of forty traders, a trade closed every minute; as the engine writes it, with the identifiers of its orders.
_TRADES = """
INSERT INTO trades (id, model_id, exchange_provider, symbol, side, trade_type, quantity, leverage, confidence,
                    entry_price, entry_ts_ms, entry_sz, entry_oid, exit_price, exit_ts_ms, exit_sz, exit_oid,
                    realized_gross_pnl, realized_net_pnl, created_at)
SELECT t.trader || '|' || t.symbol || '|' || t.closed || lpad((t.n %% 1000000)::text, 6, '0'), t.trader,
       'hyperliquid_testnet', t.symbol, CASE WHEN t.n %% 3 = 0 THEN 'short' ELSE 'long' END, 'close', t.size, 10,
       60 + t.n %% 36, t.price, t.closed - 3600000, t.size, 200000000000 + 2 * t.n, t.price + t.moved, t.closed,
       t.size, 200000000001 + 2 * t.n, t.net, t.net, to_timestamp((t.closed + 150) / 1000.0)
  FROM (SELECT n, 'trader_' || n %% 40 AS trader,
               (ARRAY['BTC', 'ETH', 'SOL', 'BNB', 'DOGE', 'XRP'])[1 + n %% 6] AS symbol,
               1700000000000 + n::bigint * 60000 AS closed, (1 + n %% 977) / 1000.0::float8 AS size,
               40000 + n %% 9973 + 0.5::float8 AS price, (n %% 2001 - 1000) / 10.0::float8 AS moved,
               (n %% 2001 - 1000) / 100.0::float8 AS net
          FROM generate_series(1, %s) AS n) t
"""
# Two providers and six symbols, each once a minute, as the engine read its market; the day of a symbol is one row here.
_TICKS = """
INSERT INTO price_ticks (provider, symbol, price, ts_ms, raw)
SELECT (ARRAY['hyperliquid', 'hyperliquid_testnet'])[1 + n %% 2],
       (ARRAY['BTC', 'ETH', 'SOL', 'BNB', 'DOGE', 'XRP'])[1 + n / 2 %% 6], p.price,
       1700006400000 + (n / 12)::bigint * 60000,
       jsonb_build_object('Symbol', 'BTC', 'Price', jsonb_build_object('Last', p.price))
  FROM generate_series(0, %s - 1) AS n,
       LATERAL (SELECT round((40000 + n %% 9973 + random())::numeric, 1)::float8 AS price) p
"""


@contextmanager
def legacy_source(trades: int, ticks: int) -> Iterator[str]:
    """Its DSN. The database is dropped afterwards."""
    given = connection.get_connection_params()
    server = {name: str(given[name]) for name in ("host", "port", "user", "password") if given.get(name)}
    name = f"bench_legacy_{os.getpid()}"
    _on_server(server, sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        dsn = make_conninfo(dbname=name, **server)
        with psycopg.connect(dsn) as made:
            made.execute(_TABLES)
            made.execute(_TRADES, [trades])
            made.execute(_TICKS, [ticks])
            made.execute("INSERT INTO models (id, display_name) SELECT DISTINCT model_id, model_id FROM trades")
        yield dsn
    finally:
        _on_server(server, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _on_server(server: dict[str, str], statement: sql.Composed) -> None:
    with psycopg.connect(make_conninfo(dbname="postgres", **server), autocommit=True) as opened:
        opened.execute(statement)
