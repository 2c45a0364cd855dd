"""Small databases of other programs, as CREATE TABLE statements with a few rows."""

from __future__ import annotations

LEGACY = """
CREATE TABLE models (id text PRIMARY KEY, display_name text NOT NULL, metadata jsonb NOT NULL DEFAULT '{}');
CREATE TABLE symbols (symbol text PRIMARY KEY, base_asset text, tick_size double precision);
CREATE TABLE positions (id text PRIMARY KEY, model_id text NOT NULL, exchange_provider text NOT NULL,
    symbol text NOT NULL, side text NOT NULL DEFAULT 'long', status text NOT NULL DEFAULT 'open',
    entry_time_ms bigint NOT NULL, entry_price double precision NOT NULL, quantity double precision NOT NULL);
CREATE TABLE trades (id text PRIMARY KEY, model_id text NOT NULL, exchange_provider text NOT NULL,
    symbol text NOT NULL, side text NOT NULL, entry_ts_ms bigint NOT NULL, exit_ts_ms bigint);
CREATE TABLE conversations (id bigserial PRIMARY KEY, model_id text NOT NULL, topic text);
CREATE TABLE conversation_messages (id bigserial PRIMARY KEY, conversation_id bigint NOT NULL REFERENCES conversations,
    role text NOT NULL, content text NOT NULL, ts_ms bigint);
CREATE TABLE trader_state (trader_id text PRIMARY KEY, cooldown jsonb NOT NULL DEFAULT '{}');
INSERT INTO positions VALUES ('a|BTC', 'a', 'paper', 'BTC', 'long', 'open', 1760000000000, 64000, 0.5);
INSERT INTO trades SELECT 't' || n, 'a', 'paper', 'BTC', 'long', 1760000000000, 1760000060000
  FROM generate_series(1, 3) AS n;
"""
DETAIL = """
CREATE TABLE models (id text PRIMARY KEY, display_name text NOT NULL);
CREATE TABLE trader_state (trader_id text PRIMARY KEY);
CREATE TABLE trader_config (id text PRIMARY KEY, version int NOT NULL DEFAULT 1, exchange_provider text NOT NULL,
    market_provider text NOT NULL, allocation_pct numeric(5,2) NOT NULL, detail jsonb NOT NULL);
CREATE TABLE trader_config_history (id bigserial PRIMARY KEY, trader_id text NOT NULL, version int NOT NULL,
    config_snapshot jsonb NOT NULL);
CREATE TABLE trader_runtime_state (trader_id text PRIMARY KEY REFERENCES trader_config, active_config_version int);
CREATE TABLE trader_symbol_cooldowns (trader_id text, symbol text, cooldown_until timestamptz NOT NULL,
    PRIMARY KEY (trader_id, symbol));
CREATE TABLE positions (id text PRIMARY KEY, trader_id text NOT NULL, symbol text NOT NULL, side text NOT NULL,
    status text NOT NULL, detail jsonb NOT NULL);
CREATE TABLE trades (id text PRIMARY KEY, trader_id text NOT NULL, symbol text NOT NULL, side text NOT NULL,
    close_ts_ms bigint NOT NULL, detail jsonb NOT NULL);
INSERT INTO trader_config VALUES ('a', 1, 'paper', 'paper', 10, '{}');
"""
SQUASHED = """
CREATE TABLE accounts (model_id text PRIMARY KEY);
CREATE TABLE account_snapshots (id bigserial PRIMARY KEY, model_id text NOT NULL);
CREATE TABLE klines (id bigserial PRIMARY KEY, symbol text NOT NULL);
CREATE TABLE trader_config (id text PRIMARY KEY, detail jsonb NOT NULL, detail_checksum int);
CREATE TABLE positions (id text PRIMARY KEY, trader_id text NOT NULL, detail jsonb NOT NULL);
CREATE TABLE trades (id text PRIMARY KEY, trader_id text NOT NULL, event_at timestamptz NOT NULL, detail jsonb);
INSERT INTO trades VALUES ('t1', 'a', now(), '{}'), ('t2', 'a', now(), '{}');
"""
STRANGER = """
CREATE TABLE positions (id serial PRIMARY KEY, title text);
CREATE TABLE employees (id serial PRIMARY KEY, name text);
INSERT INTO employees (name) VALUES ('Ada');
"""
