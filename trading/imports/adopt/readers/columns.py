"""Where each column of the earlier programs' tables lands, or why it is left behind. `*` stands for all columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from traders.schema.messages import TranslatableText, _
from trading.imports.adopt.generations import DETAIL, LEGACY, SQUASHED, Generation


@dataclass(frozen=True, slots=True)
class Home:
    """`place`: table and column, or leaf, here."""

    place: str


@dataclass(frozen=True, slots=True)
class LeftBehind:
    reason: TranslatableText


Columns = Mapping[str, Home | LeftBehind]

_NUMBER = LeftBehind(_("a number that the other database gave the row"))
_NEVER = LeftBehind(_("no program ever wrote it"))
_DERIVED = LeftBehind(_("computed again from the records"))
_NOW = LeftBehind(_("a value of the moment: the market gives a new one"))
_LISTED = LeftBehind(_("the exchange lists it; it is read there again"))
_ACCOUNT = LeftBehind(_("describes an exchange account, which is declared in exchange.yaml"))
_TOUCHED = LeftBehind(_("says when the row was last written; a record here never changes"))
_WRITTEN = LeftBehind(_("says when the row was written; the moment that it is about is kept"))
_REPORTED = LeftBehind(_("what an engine reports of itself: the next engine reports again"))
_PAUSED = LeftBehind(_("pauses of a symbol that the earlier engine decided: they end by themselves"))
_SETTINGS = LeftBehind(_("settings come from manager.yaml"))
_LIST = LeftBehind(_("the other program's list of its own migrations"))
_CANDLES = LeftBehind(_("candles, which the exchange still serves"))

_FILL = ("price", "sz", "tid", "oid", "crossed", "liquidation", "commission_dollars", "closed_pnl")
_FILL_LEAF = {
    "price": "price",
    "sz": "quantity",
    "tid": "fill_id",
    "oid": "order_id",
    "crossed": "is_crossed",
    "liquidation": "liquidation",
    "commission_dollars": "commission",
    "closed_pnl": "closed_pnl",
}


def _homes(table: str, **places: str) -> dict[str, Home | LeftBehind]:
    return {column: Home(f"{table}.{place}") for column, place in places.items()}


_TRADES: Columns = {
    **_homes(
        "trades",
        id="detail.origin.id",
        model_id="trader_id",
        exchange_provider="detail.exchange.provider",
        symbol="symbol",
        side="side",
        trade_type="detail.origin.fields",
        trade_id="detail.origin.fields",
        quantity="detail.quantity.total",
        leverage="detail.risk.leverage",
        confidence="detail.risk.confidence",
        entry_ts_ms="detail.time.open_ts_ms",
        exit_ts_ms="close_ts_ms",
        entry_human_time="detail.origin.fields",
        exit_human_time="detail.origin.fields",
        exit_plan="detail.exit_plan",
        realized_gross_pnl="detail.pnl.gross",
        realized_net_pnl="detail.pnl.net",
        total_commission_dollars="detail.pnl.commission",
        created_at="created_at",
    ),
    **{
        f"{end}_{name}": Home(f"trades.detail.fills[{end}].{_FILL_LEAF[name]}")
        for end in ("entry", "exit")
        for name in _FILL
    },
    "updated_at": _TOUCHED,
}
_POSITIONS: Columns = {
    **_homes(
        "positions",
        id="detail.origin.id",
        model_id="trader_id",
        exchange_provider="detail.exchange.provider",
        symbol="symbol",
        side="side",
        status="status",
        entry_oid="detail.orders.entry_oid",
        tp_oid="detail.orders.tp_oid",
        sl_oid="detail.orders.sl_oid",
        risk_usd="detail.risk.risk_usd",
        confidence="detail.risk.confidence",
        index_col="detail.origin.fields",
        exit_plan="detail.exit_plan",
        entry_time_ms="detail.entry.time_ms",
        entry_price="detail.entry.price",
        quantity="detail.entry.quantity",
        leverage="detail.entry.leverage",
        wait_for_fill="detail.origin.fields",
        current_price="detail.close.price, of an open position detail.reported.current_price",
        closed_pnl="detail.close.pnl, of an open position detail.reported.closed_pnl",
        margin="detail.reported.margin",
        liquidation_price="detail.reported.liquidation_price",
        commission="detail.reported.commission",
        slippage="detail.reported.slippage",
        unrealized_pnl="detail.reported.unrealized_pnl",
        updated_at="detail.close.time_ms, of an open position detail.reported.at_ms",
        created_at="created_at",
    )
}
_EQUITY: Columns = {
    "id": _NUMBER,
    **_homes(
        "equity_snapshots",
        model_id="trader_id",
        ts_ms="ts_ms",
        dollar_equity="equity_usd",
        realized_pnl="realized_pnl_usd",
        total_unrealized_pnl="unrealized_pnl_usd",
        metadata="available_usd",
    ),
    "cum_pnl_pct": _DERIVED,
    "sharpe_ratio": _DERIVED,
    "since_inception_hourly_marker": _DERIVED,
    "since_inception_minute_marker": _DERIVED,
    "created_at": _WRITTEN,
}
_CYCLES: Columns = _homes(
    "decision_journal",
    id="detail.origin.id",
    model_id="trader_id",
    cycle_number="detail.engine.cycle",
    prompt_digest="detail.prompt.digest",
    cot_trace="detail.answer.reasoning",
    decisions="detail.decisions",
    success="success",
    error_message="detail.error",
    executed_at="decided_at",
    config_version="config_version",
)
_CONVERSATIONS: Columns = {
    **_homes("conversation_messages", id="conversation", model_id="trader_id"),
    "topic": Home("decision_journal.detail.origin.fields"),
    "created_at": _WRITTEN,
}
_MESSAGES: Columns = {
    "id": Home("conversation_messages.sequence"),
    **_homes("conversation_messages", conversation_id="conversation", role="role", content="content", ts_ms="sent_at"),
    "metadata": Home("decision_journal.detail.answer.model, detail.usage"),
    "created_at": Home("conversation_messages.sent_at, where ts_ms is missing"),
}
_PRICE_TICKS: Columns = {
    "id": _NUMBER,
    **_homes(
        "price_history",
        provider="provider",
        symbol="symbol",
        price="prices",
        ts_ms="moments",
        volume="volumes",
        raw="raw",
    ),
    "created_at": _WRITTEN,
}
_MODELS: Columns = {
    **_homes("trader_config", id="id", display_name="detail.display_name", description="detail.description"),
    "metadata": _NEVER,
    "created_at": Home("trader_config.detail.description"),
    "updated_at": _TOUCHED,
}
_SYMBOLS: Columns = {"symbol": Home("symbols.symbol"), "*": _LISTED}
_ASSETS: Columns = {"symbol": Home("symbols.symbol"), "*": _LISTED}
# Of the tool that ran the migrations of every generation.
_MIGRATIONS: Mapping[str, Columns] = {"schema_migrations": {"*": _LIST}}
_BOTH: Mapping[str, Columns] = {
    **_MIGRATIONS,
    "models": _MODELS,
    "symbols": _SYMBOLS,
    "price_ticks": _PRICE_TICKS,
    "price_latest": {"*": _NOW},
    "accounts": {"*": _ACCOUNT},
    "account_equity_snapshots": _EQUITY,
    "model_analytics": {"*": _DERIVED},
    "conversations": _CONVERSATIONS,
    "conversation_messages": _MESSAGES,
    "decision_cycles": _CYCLES,
    "market_assets": _ASSETS,
    "market_asset_ctx": {"*": _NOW},
    "trader_state": {
        **dict.fromkeys(("cooldown", "risk_guards"), _NEVER),
        **dict.fromkeys(("last_decision_at", "pause_until"), _REPORTED),
        "*": _SETTINGS,
    },
}
_CONFIG: Columns = {
    **_homes(
        "trader_config",
        id="id",
        version="version",
        exchange_provider="exchange_provider",
        market_provider="market_provider",
        allocation_pct="allocation_pct",
        detail="detail",
        created_at="created_at",
        created_by="created_by",
    ),
    "updated_at": Home("trader_config_versions.history_date"),
    "detail_checksum": _DERIVED,
}
_DETAIL: Mapping[str, Columns] = {
    **_BOTH,
    "positions": {
        **{name: _POSITIONS[name] for name in ("id", "symbol", "side", "status", "updated_at", "created_at")},
        **_homes("positions", trader_id="trader_id", detail="detail"),
    },
    "trades": {
        **{name: _TRADES[name] for name in ("id", "symbol", "side", "created_at")},
        **_homes("trades", trader_id="trader_id", close_ts_ms="close_ts_ms", detail="detail"),
    },
    "trader_config": _CONFIG,
    "trader_config_history": {
        "id": _NUMBER,
        **_homes(
            "trader_config_versions",
            trader_id="id",
            version="version",
            config_snapshot="detail",
            changed_fields="changed_fields",
            change_reason="history_change_reason",
            changed_by="history_user_id",
            changed_at="history_date",
        ),
    },
    "trader_runtime_state": {"*": _REPORTED},
    "trader_symbol_cooldowns": {"*": _PAUSED},
}
_SQUASHED: Mapping[str, Columns] = {
    **_MIGRATIONS,
    "accounts": {"*": _ACCOUNT},
    "account_snapshots": {
        "id": _NUMBER,
        **_homes("equity_snapshots", provider="trader_id", detail="equity_usd", event_at="ts_ms"),
        "*": _WRITTEN,
    },
    "symbols": _SYMBOLS,
    "price_ticks": {
        "id": _NUMBER,
        **_homes(
            "price_history", exchange_provider="provider", symbol="symbol", detail="prices, volumes", event_at="moments"
        ),
        "*": _WRITTEN,
    },
    "market_metrics": {"*": _NOW},
    "klines": {"*": _CANDLES},
    "models": {"*": LeftBehind(_("names of models, which llm.yaml declares; no trader"))},
    "conversation_messages": {
        "id": Home("conversation_messages.sequence"),
        **_homes(
            "conversation_messages",
            trader_id="trader_id",
            conversation_id="conversation",
            role="role",
            detail="content",
            event_at="sent_at",
        ),
        "model_id": Home("decision_journal.detail.answer.model"),
        "*": _WRITTEN,
    },
    "decision_cycles": {
        **_homes(
            "decision_journal",
            id="detail.origin.id",
            trader_id="trader_id",
            cycle_number="detail.engine.cycle",
            error_message="detail.error",
            detail="detail",
            executed_at="decided_at",
        ),
        "*": _WRITTEN,
    },
    "trader_config": {**_CONFIG, "updated_at": Home("trader_config_versions.history_date")},
    "positions": {
        **_DETAIL["positions"],
        "exchange_provider": Home("positions.detail.exchange.provider"),
        "symbol_id": _NUMBER,
        "event_at": _WRITTEN,
    },
    "trades": {
        **{name: _DETAIL["trades"][name] for name in ("id", "trader_id", "symbol", "side", "detail", "created_at")},
        "exchange_provider": Home("trades.detail.exchange.provider"),
        "event_at": Home("trades.close_ts_ms"),
        "symbol_id": _NUMBER,
        "updated_at": _TOUCHED,
    },
}
COLUMNS: Mapping[str, Mapping[str, Columns]] = {
    LEGACY.code: {**_BOTH, "positions": _POSITIONS, "trades": _TRADES},
    DETAIL.code: _DETAIL,
    SQUASHED.code: _SQUASHED,
}
_UNKNOWN = LeftBehind(_("no table of the earlier program: nothing here knows what it means"))
_ADDED = LeftBehind(_("no column of the earlier program: nothing here knows what it means"))


def fate_of(generation: Generation, table: str, column: str) -> Home | LeftBehind:
    """Columns that the earlier program's own migrations did not make are kept with positions and trades, and left
    behind elsewhere."""
    known = COLUMNS[generation.code].get(table)
    if known is None:
        return _UNKNOWN
    found = known.get(column) or known.get("*")
    if found is None and table in ("positions", "trades"):
        return Home(f"{table}.detail.origin.fields")
    return found or _ADDED
