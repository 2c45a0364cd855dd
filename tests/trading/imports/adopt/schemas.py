"""The whole schemas of the three generations, as their own migrations leave them, without indexes and views."""

from __future__ import annotations

_BOTH = """
CREATE TABLE models (id text PRIMARY KEY, display_name text NOT NULL, description text,
    metadata jsonb NOT NULL DEFAULT '{}', created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE symbols (symbol text PRIMARY KEY, base_asset text, quote_asset text, base_precision int,
    quote_precision int, tick_size float8, metadata jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE price_ticks (id bigserial PRIMARY KEY, provider text NOT NULL, symbol text NOT NULL,
    price float8 NOT NULL, ts_ms bigint NOT NULL, volume float8, raw jsonb,
    created_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE accounts (model_id text PRIMARY KEY, exchange_provider text NOT NULL, account_tag text, margin_mode text,
    base_currency text, leverage_mode text, created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(), metadata jsonb NOT NULL DEFAULT '{}');
CREATE TABLE account_equity_snapshots (id bigserial PRIMARY KEY, model_id text NOT NULL, ts_ms bigint NOT NULL,
    dollar_equity float8 NOT NULL, realized_pnl float8 NOT NULL DEFAULT 0,
    total_unrealized_pnl float8 NOT NULL DEFAULT 0, cum_pnl_pct float8, sharpe_ratio float8,
    since_inception_hourly_marker int, since_inception_minute_marker int, metadata jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(), UNIQUE (model_id, ts_ms));
CREATE TABLE conversations (id bigserial PRIMARY KEY, model_id text NOT NULL, topic text,
    created_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE conversation_messages (id bigserial PRIMARY KEY,
    conversation_id bigint NOT NULL REFERENCES conversations ON DELETE CASCADE,
    role text NOT NULL CHECK (role IN ('system', 'user', 'assistant')), content text NOT NULL, ts_ms bigint,
    metadata jsonb NOT NULL DEFAULT '{}', created_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE decision_cycles (id bigserial PRIMARY KEY, model_id text NOT NULL, cycle_number int, prompt_digest text,
    cot_trace text, decisions jsonb, success boolean NOT NULL DEFAULT false, error_message text,
    executed_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE market_assets (id bigserial PRIMARY KEY, provider text NOT NULL, symbol text NOT NULL, name text,
    sz_decimals int, max_leverage float8, only_isolated boolean, margin_table_id int,
    is_delisted boolean NOT NULL DEFAULT false, updated_at timestamptz NOT NULL DEFAULT now(),
    created_at timestamptz NOT NULL DEFAULT now(), UNIQUE (provider, symbol));
CREATE TABLE trader_state (trader_id text PRIMARY KEY, exchange_provider text NOT NULL, market_provider text NOT NULL,
    allocation_pct float8, cooldown jsonb NOT NULL DEFAULT '{}', risk_guards jsonb NOT NULL DEFAULT '{}',
    last_decision_at timestamptz, pause_until timestamptz, updated_at timestamptz NOT NULL DEFAULT now(),
    created_at timestamptz NOT NULL DEFAULT now());
"""
LEGACY = (
    _BOTH
    + """
CREATE TABLE price_latest (id bigserial PRIMARY KEY, provider text NOT NULL, symbol text NOT NULL,
    price float8 NOT NULL, ts_ms bigint NOT NULL, raw jsonb, updated_at timestamptz NOT NULL DEFAULT now(),
    created_at timestamptz NOT NULL DEFAULT now(), UNIQUE (provider, symbol));
CREATE TABLE positions (id text PRIMARY KEY, model_id text NOT NULL, exchange_provider text NOT NULL,
    symbol text NOT NULL, side text NOT NULL DEFAULT 'long', status text NOT NULL DEFAULT 'open', entry_oid bigint,
    risk_usd float8, confidence float8, index_col jsonb, exit_plan jsonb, entry_time_ms bigint NOT NULL,
    entry_price float8 NOT NULL, tp_oid bigint, margin float8, wait_for_fill boolean NOT NULL DEFAULT false,
    sl_oid bigint, current_price float8, closed_pnl float8, liquidation_price float8, commission float8,
    leverage float8, slippage float8, quantity float8 NOT NULL, unrealized_pnl float8,
    updated_at timestamptz NOT NULL DEFAULT now(), created_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE trades (id text PRIMARY KEY, model_id text NOT NULL, exchange_provider text NOT NULL,
    symbol text NOT NULL, side text NOT NULL, trade_type text, trade_id text, quantity float8, leverage float8,
    confidence float8, entry_price float8, entry_ts_ms bigint NOT NULL, entry_human_time text, entry_sz float8,
    entry_tid bigint, entry_oid bigint, entry_crossed boolean NOT NULL DEFAULT false, entry_liquidation jsonb,
    entry_commission_dollars float8, entry_closed_pnl float8, exit_price float8, exit_ts_ms bigint,
    exit_human_time text, exit_sz float8, exit_tid bigint, exit_oid bigint, exit_crossed boolean,
    exit_liquidation jsonb, exit_commission_dollars float8, exit_closed_pnl float8, exit_plan jsonb,
    realized_gross_pnl float8, realized_net_pnl float8, total_commission_dollars float8,
    created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE model_analytics (model_id text PRIMARY KEY, payload jsonb NOT NULL, server_time_ms bigint NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(), metadata jsonb NOT NULL DEFAULT '{}');
CREATE TABLE market_asset_ctx (id bigserial PRIMARY KEY, provider text NOT NULL, symbol text NOT NULL,
    funding float8, open_interest float8, oracle_px float8, mark_px float8, mid_px float8, impact_pxs jsonb,
    prev_day_px float8, day_ntl_vlm float8, day_base_vlm float8, updated_at timestamptz NOT NULL DEFAULT now(),
    created_at timestamptz NOT NULL DEFAULT now(), UNIQUE (provider, symbol));
"""
)
DETAIL = (
    _BOTH
    + """
ALTER TABLE decision_cycles ADD COLUMN config_version int NOT NULL DEFAULT 1;
CREATE TABLE trader_config (id text PRIMARY KEY, version int NOT NULL DEFAULT 1, exchange_provider text NOT NULL,
    market_provider text NOT NULL, allocation_pct numeric(5,2) NOT NULL, detail jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(), created_by text);
CREATE TABLE trader_runtime_state (trader_id text PRIMARY KEY REFERENCES trader_config ON DELETE CASCADE,
    active_config_version int NOT NULL DEFAULT 1, is_running boolean NOT NULL DEFAULT false,
    detail jsonb NOT NULL DEFAULT '{}', updated_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE trader_symbol_cooldowns (trader_id text NOT NULL REFERENCES trader_config ON DELETE CASCADE,
    symbol text NOT NULL, cooldown_until timestamptz NOT NULL, detail jsonb NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (trader_id, symbol));
CREATE TABLE trader_config_history (id bigserial PRIMARY KEY,
    trader_id text NOT NULL REFERENCES trader_config ON DELETE CASCADE, version int NOT NULL,
    config_snapshot jsonb NOT NULL, changed_fields text[], change_reason text, changed_by text,
    changed_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE positions (id text PRIMARY KEY, trader_id text NOT NULL REFERENCES trader_config ON DELETE CASCADE,
    symbol text NOT NULL, side text NOT NULL CHECK (side IN ('long', 'short')),
    status text NOT NULL CHECK (status IN ('open', 'closed')), detail jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE trades (id text PRIMARY KEY, trader_id text NOT NULL REFERENCES trader_config ON DELETE CASCADE,
    symbol text NOT NULL, side text NOT NULL CHECK (side IN ('long', 'short')), close_ts_ms bigint NOT NULL,
    detail jsonb NOT NULL, created_at timestamptz NOT NULL DEFAULT now());
"""
)
_LATER = "created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now()"
_AT = f"event_at timestamptz NOT NULL DEFAULT now(), {_LATER}"
SQUASHED = f"""
CREATE TABLE accounts (provider text PRIMARY KEY, is_trader boolean NOT NULL DEFAULT false,
    detail jsonb NOT NULL DEFAULT '{{}}', {_LATER});
CREATE TABLE account_snapshots (id bigserial PRIMARY KEY, provider text, is_trader boolean NOT NULL DEFAULT false,
    detail jsonb NOT NULL DEFAULT '{{}}', {_AT}, UNIQUE (provider, event_at));
CREATE TABLE symbols (id text PRIMARY KEY, exchange_provider text NOT NULL, symbol text NOT NULL, base_asset text,
    quote_asset text, base_precision int, quote_precision int, tick_sz float8, sz_decimals int,
    is_delisted boolean NOT NULL DEFAULT false, detail jsonb NOT NULL DEFAULT '{{}}', {_LATER});
CREATE TABLE price_ticks (id bigserial PRIMARY KEY, symbol_id text NOT NULL, exchange_provider text NOT NULL,
    symbol text NOT NULL, detail jsonb NOT NULL DEFAULT '{{}}', {_AT});
CREATE TABLE market_metrics (id bigserial PRIMARY KEY, symbol_id text NOT NULL, exchange_provider text NOT NULL,
    symbol text NOT NULL, mark_price float8, detail jsonb NOT NULL DEFAULT '{{}}', {_AT});
CREATE TABLE klines (id bigserial PRIMARY KEY, symbol_id text NOT NULL, exchange_provider text NOT NULL,
    symbol text NOT NULL, interval text NOT NULL, open_time timestamptz NOT NULL, close_time timestamptz NOT NULL,
    close_price float8 NOT NULL, detail jsonb NOT NULL DEFAULT '{{}}', {_LATER});
CREATE TABLE models (id text PRIMARY KEY, provider text NOT NULL, name text NOT NULL,
    detail jsonb NOT NULL DEFAULT '{{}}', {_LATER});
CREATE TABLE conversation_messages (id bigserial PRIMARY KEY, trader_id text NOT NULL, model_id text NOT NULL,
    conversation_id text NOT NULL, role text NOT NULL, detail jsonb NOT NULL DEFAULT '{{}}', {_AT});
CREATE TABLE decision_cycles (id bigserial PRIMARY KEY, trader_id text NOT NULL, cycle_number int, error_message text,
    detail jsonb NOT NULL DEFAULT '{{}}', executed_at timestamptz NOT NULL DEFAULT now(), {_LATER});
CREATE TABLE trader_config (id text PRIMARY KEY, exchange_provider text NOT NULL, market_provider text NOT NULL,
    detail jsonb NOT NULL, detail_checksum int NOT NULL DEFAULT 1, {_LATER});
CREATE TABLE positions (id text PRIMARY KEY, trader_id text NOT NULL, symbol_id text NOT NULL, symbol text NOT NULL,
    exchange_provider text NOT NULL, side text NOT NULL, status text NOT NULL, detail jsonb NOT NULL, {_AT});
CREATE TABLE trades (id text PRIMARY KEY, trader_id text NOT NULL, symbol_id text NOT NULL, symbol text NOT NULL,
    exchange_provider text NOT NULL, side text NOT NULL, detail jsonb NOT NULL, {_AT});
"""
