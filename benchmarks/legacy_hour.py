"""An hour of the former engine: the tables that it wrote, with their indexes, and its statements."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

SCHEMA = "legacy"
PROVIDERS = ("hyperliquid", "hyperliquid_testnet")

TABLES = """
CREATE SCHEMA legacy;
CREATE TABLE legacy.price_ticks (
    id bigserial PRIMARY KEY, provider text NOT NULL, symbol text NOT NULL, price double precision NOT NULL,
    ts_ms bigint NOT NULL, volume double precision, raw jsonb, created_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX ON legacy.price_ticks (provider, symbol, ts_ms DESC);
CREATE INDEX ON legacy.price_ticks (symbol, ts_ms DESC);
CREATE TABLE legacy.price_latest (
    id bigserial PRIMARY KEY, provider text NOT NULL, symbol text NOT NULL, price double precision NOT NULL,
    ts_ms bigint NOT NULL, raw jsonb, updated_at timestamptz NOT NULL DEFAULT now(),
    created_at timestamptz NOT NULL DEFAULT now(), UNIQUE (provider, symbol));
CREATE INDEX ON legacy.price_latest (symbol);
CREATE TABLE legacy.market_asset_ctx (
    id bigserial PRIMARY KEY, provider text NOT NULL, symbol text NOT NULL, funding double precision,
    open_interest double precision, oracle_px double precision, mark_px double precision, mid_px double precision,
    impact_pxs jsonb, prev_day_px double precision, day_ntl_vlm double precision, day_base_vlm double precision,
    updated_at timestamptz NOT NULL DEFAULT now(), created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (provider, symbol));
CREATE TABLE legacy.account_equity_snapshots (
    id bigserial PRIMARY KEY, model_id text NOT NULL, ts_ms bigint NOT NULL, dollar_equity double precision NOT NULL,
    realized_pnl double precision NOT NULL DEFAULT 0, total_unrealized_pnl double precision NOT NULL DEFAULT 0,
    cum_pnl_pct double precision, sharpe_ratio double precision, since_inception_hourly_marker integer,
    since_inception_minute_marker integer, metadata jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(), UNIQUE (model_id, ts_ms));
CREATE INDEX ON legacy.account_equity_snapshots (model_id, ts_ms DESC);
CREATE TABLE legacy.model_analytics (
    model_id text PRIMARY KEY, payload jsonb NOT NULL, server_time_ms bigint NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(), metadata jsonb NOT NULL DEFAULT '{}');
CREATE TABLE legacy.conversations (
    id bigserial PRIMARY KEY, model_id text NOT NULL, topic text, created_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX ON legacy.conversations (model_id);
CREATE TABLE legacy.conversation_messages (
    id bigserial PRIMARY KEY, conversation_id bigint NOT NULL REFERENCES legacy.conversations ON DELETE CASCADE,
    role text NOT NULL CHECK (role IN ('system', 'user', 'assistant')), content text NOT NULL, ts_ms bigint,
    metadata jsonb NOT NULL DEFAULT '{}', created_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX ON legacy.conversation_messages (conversation_id, ts_ms);
CREATE TABLE legacy.decision_cycles (
    id bigserial PRIMARY KEY, model_id text NOT NULL, cycle_number integer, prompt_digest text, cot_trace text,
    decisions jsonb, success boolean NOT NULL DEFAULT false, error_message text,
    executed_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX ON legacy.decision_cycles (model_id, executed_at DESC);
CREATE TABLE legacy.positions (
    id text PRIMARY KEY, model_id text NOT NULL, exchange_provider text NOT NULL, symbol text NOT NULL,
    side text NOT NULL DEFAULT 'long', status text NOT NULL DEFAULT 'open', entry_oid bigint,
    risk_usd double precision, confidence double precision, index_col jsonb, exit_plan jsonb,
    entry_time_ms bigint NOT NULL, entry_price double precision NOT NULL, tp_oid bigint, margin double precision,
    wait_for_fill boolean NOT NULL DEFAULT false, sl_oid bigint, current_price double precision,
    closed_pnl double precision, liquidation_price double precision, commission double precision,
    leverage double precision, slippage double precision, quantity double precision NOT NULL,
    unrealized_pnl double precision, updated_at timestamptz NOT NULL DEFAULT now(),
    created_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX ON legacy.positions (model_id);
CREATE INDEX ON legacy.positions (model_id, symbol) WHERE status = 'open';
CREATE INDEX ON legacy.positions (status, model_id);
CREATE INDEX ON legacy.positions (symbol);
CREATE TABLE legacy.trades (
    id text PRIMARY KEY, model_id text NOT NULL, exchange_provider text NOT NULL, symbol text NOT NULL,
    side text NOT NULL, trade_type text, quantity double precision, leverage double precision,
    confidence double precision, entry_price double precision, entry_ts_ms bigint NOT NULL, entry_sz double precision,
    exit_oid bigint, exit_price double precision, exit_ts_ms bigint, exit_sz double precision,
    realized_gross_pnl double precision, realized_net_pnl double precision,
    created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX ON legacy.trades (exit_oid);
CREATE INDEX ON legacy.trades (model_id, entry_ts_ms DESC);
CREATE MATERIALIZED VIEW legacy.v_crypto_prices_latest AS
SELECT provider, symbol, price, ts_ms AS timestamp_ms, updated_at FROM legacy.price_latest;
CREATE UNIQUE INDEX ON legacy.v_crypto_prices_latest (provider, symbol);
CREATE MATERIALIZED VIEW legacy.v_leaderboard AS
SELECT s.model_id, s.dollar_equity AS equity, t.num_trades, t.num_wins, s.cum_pnl_pct AS return_pct
  FROM (SELECT DISTINCT ON (model_id) * FROM legacy.account_equity_snapshots ORDER BY model_id, ts_ms DESC) s
  LEFT JOIN (SELECT model_id, count(*) AS num_trades, count(*) FILTER (WHERE realized_net_pnl > 0) AS num_wins
               FROM legacy.trades GROUP BY 1) t USING (model_id);
CREATE UNIQUE INDEX ON legacy.v_leaderboard (model_id);
CREATE MATERIALIZED VIEW legacy.v_since_inception AS
SELECT s.model_id, s.ts_ms AS timestamp_ms, s.dollar_equity / nullif(f.dollar_equity, 0) AS nav_since_inception,
       f.ts_ms AS inception_ts_ms, c.num_invocations
  FROM legacy.account_equity_snapshots s
  JOIN (SELECT DISTINCT ON (model_id) * FROM legacy.account_equity_snapshots ORDER BY model_id, ts_ms) f
       USING (model_id)
  LEFT JOIN (SELECT model_id, count(*) AS num_invocations FROM legacy.decision_cycles GROUP BY 1) c USING (model_id);
CREATE INDEX ON legacy.v_since_inception (model_id, timestamp_ms DESC)
"""
VIEWS = ("v_crypto_prices_latest", "v_leaderboard", "v_since_inception")

Statement = tuple[str, Sequence[Any]]

_PRICE_TICK = "INSERT INTO legacy.price_ticks (provider, symbol, price, ts_ms, raw) VALUES (%s, %s, %s, %s, %s)"
_PRICE_LATEST = """
INSERT INTO legacy.price_latest (provider, symbol, price, ts_ms, raw) VALUES (%s, %s, %s, %s, %s)
    ON CONFLICT (provider, symbol) DO UPDATE
   SET price = excluded.price, ts_ms = excluded.ts_ms, raw = excluded.raw, updated_at = now()
"""
_CONTEXT = """
INSERT INTO legacy.market_asset_ctx (provider, symbol, funding, open_interest, mark_px) VALUES (%s, %s, %s, %s, %s)
    ON CONFLICT (provider, symbol) DO UPDATE
   SET funding = excluded.funding, open_interest = excluded.open_interest, mark_px = excluded.mark_px,
       updated_at = now()
"""
_EQUITY = """
INSERT INTO legacy.account_equity_snapshots (model_id, ts_ms, dollar_equity, total_unrealized_pnl, cum_pnl_pct,
                                             metadata)
VALUES (%s, %s, %s, %s, %s, %s)
"""
_ANALYTICS = """
INSERT INTO legacy.model_analytics (model_id, payload, server_time_ms, metadata) VALUES (%s, %s, %s, %s)
    ON CONFLICT (model_id) DO UPDATE SET payload = excluded.payload, server_time_ms = excluded.server_time_ms,
       metadata = excluded.metadata, updated_at = now()
"""
_CYCLE = """
INSERT INTO legacy.decision_cycles (model_id, cycle_number, prompt_digest, cot_trace, decisions, success)
VALUES (%s, %s, %s, %s, %s, true)
"""
_CONVERSATION = """
WITH made AS (INSERT INTO legacy.conversations (model_id, topic) VALUES (%s, 'decision') RETURNING id)
INSERT INTO legacy.conversation_messages (conversation_id, role, content, ts_ms, metadata)
SELECT id, said.role, said.content, %s, %s FROM made, unnest(%s::text[], %s::text[]) AS said (role, content)
"""
_OPEN = """
INSERT INTO legacy.positions (id, model_id, exchange_provider, symbol, entry_time_ms, entry_price, leverage, quantity,
                              confidence, risk_usd) VALUES (%s, %s, %s, %s, %s, %s, 10, 0.01, 85, 50)
    ON CONFLICT (id) DO UPDATE SET status = 'open', entry_time_ms = excluded.entry_time_ms, updated_at = now()
"""
_CLOSE = """
UPDATE legacy.positions SET status = 'closed', current_price = %s, closed_pnl = 4.5, updated_at = now() WHERE id = %s
"""
_TRADE = """
INSERT INTO legacy.trades (id, model_id, exchange_provider, symbol, side, trade_type, quantity, leverage, confidence,
                           entry_price, entry_ts_ms, entry_sz, exit_price, exit_ts_ms, exit_sz, realized_gross_pnl,
                           realized_net_pnl)
VALUES (%s, %s, %s, %s, 'long', 'close', 0.01, 10, 85, %s, %s, 0.01, %s, %s, 0.01, 4.5, 4.5)
"""


def of_minute(symbols: Sequence[str], ts_ms: int) -> Iterator[Statement]:
    """Prices and contexts of each provider and symbol."""
    for provider in PROVIDERS:
        for symbol in symbols:
            price = 45_000 + ts_ms % 977
            raw = json.dumps({"Symbol": symbol, "Price": {"Last": price}, "Change": {"OneHour": 0.1, "FourHour": 0.2}})
            yield _PRICE_TICK, [provider, symbol, price, ts_ms, raw]
            yield _PRICE_LATEST, [provider, symbol, price, ts_ms, raw]
            yield _CONTEXT, [provider, symbol, 0.0000125, 28_123.4, price]


def of_account(trader: str, ts_ms: int) -> Iterator[Statement]:
    """A sync of an account: its equity, and the analytics that follow."""
    equity = 10_000 + ts_ms % 311
    yield _EQUITY, [trader, ts_ms, equity, 12.5, 0.1, json.dumps({"available_balance_usd": 9_000.5})]
    payload = {
        "total_pnl_usd": 150.0,
        "total_pnl_pct": 1.5,
        "sharpe_ratio": 1.5,
        "win_rate": 0.5,
        "total_trades": 12,
        "max_drawdown_pct": 4.2,
        "updated_at_rfc3339": str(ts_ms),
    }
    yield _ANALYTICS, [trader, json.dumps(payload), ts_ms, json.dumps({"refresh_at": str(ts_ms)})]


def of_cycle(trader: str, number: int, ts_ms: int, prompt: str, answer: str, decisions: str) -> Iterator[Statement]:
    yield _CYCLE, [trader, number, f"{ts_ms:064x}", answer, decisions]
    usage = json.dumps({"model": "deepseek-chat", "prompt_tokens": 900, "total_tokens": 1_100})
    yield _CONVERSATION, [trader, ts_ms, usage, ["user", "assistant"], [prompt, answer]]


def of_position(trader: str, symbol: str, opened_ms: int) -> Iterator[Statement]:
    yield _OPEN, [f"{trader}|{symbol}", trader, PROVIDERS[1], symbol, opened_ms, 45_000.5]


def of_close(trader: str, symbol: str, opened_ms: int, closed_ms: int) -> Iterator[Statement]:
    yield _CLOSE, [45_500.0, f"{trader}|{symbol}"]
    trade = f"{trader}|{symbol}|{closed_ms}000000"
    yield _TRADE, [trade, trader, PROVIDERS[1], symbol, 45_000.5, opened_ms, 45_500.0, closed_ms]


def of_views() -> Iterator[Statement]:
    for view in VIEWS:
        yield f"REFRESH MATERIALIZED VIEW legacy.{view}", []
