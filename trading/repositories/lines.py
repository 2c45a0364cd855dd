"""What one line of each list of the record shows, read without the whole `detail`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from traders.schema import jsonio
from trading.repositories import browse
from trading.repositories.browse import Page, Place, RecordFilter
from trading.repositories.record_tables import CLOSED_PNL, DECISIONS, POSITIONS, TRADES

PER_PAGE = 50

_TRADE = """r.trader_id, r.symbol, r.side, (r.detail #>> '{time,open_ts_ms}')::bigint, r.quantity,
 (r.detail #>> '{prices,avg_entry}')::numeric, (r.detail #>> '{prices,avg_exit}')::numeric, r.leverage, r.confidence,
 (r.detail #>> '{pnl,commission}')::numeric, r.net_pnl, r.entry_version, (r.detail #>> '{versions,exit}')::int"""
_POSITION = f"""r.trader_id, r.symbol, r.side, r.status, r.quantity, r.entry_price, r.leverage,
 (r.detail #>> '{{exit_plan,sl_price}}')::numeric, (r.detail #>> '{{exit_plan,tp_price}}')::numeric,
 (r.detail #>> '{{close,time_ms}}')::bigint, (r.detail #>> '{{close,price}}')::numeric, {CLOSED_PNL},
 r.entry_version"""
_DECISION = """r.trader_id, r.cycle_number, r.config_version, r.success, r.detail #>> '{answer,model}',
 jsonb_path_query_array(r.detail, '$.decisions[*].symbol')::text,
 jsonb_path_query_array(r.detail, '$.decisions[*].action')::text,
 jsonb_path_exists(r.detail, '$.actions[*].refused_by[*]'),
 jsonb_array_length(coalesce(r.detail -> 'positions', '[]')), (r.detail #>> '{account,equity_usd}')::numeric,
 (r.detail #>> '{usage,prompt_tokens}')::bigint, (r.detail #>> '{usage,completion_tokens}')::bigint,
 left(r.detail ->> 'error', 200)"""


@dataclass(frozen=True, slots=True)
class TradeLine:
    """P&L and prices in USD; `entry_version` None: before the trader's first version."""

    close_ts_ms: int
    id: str
    trader_id: str
    symbol: str
    side: str
    open_ts_ms: int
    quantity: Decimal
    entry_price: Decimal
    exit_price: Decimal
    leverage: Decimal | None
    confidence: Decimal | None
    commission: Decimal
    net_pnl: Decimal
    entry_version: int | None
    exit_version: int | None

    @property
    def held_ms(self) -> int:
        return self.close_ts_ms - self.open_ts_ms


@dataclass(frozen=True, slots=True)
class PositionLine:
    opened_ms: int
    id: str
    trader_id: str
    symbol: str
    side: str
    status: str
    quantity: Decimal
    entry_price: Decimal
    leverage: Decimal | None
    stop_loss: Decimal | None
    take_profit: Decimal | None
    closed_ms: int | None
    exit_price: Decimal | None
    net_pnl: Decimal | None
    entry_version: int | None


@dataclass(frozen=True, slots=True)
class DecisionLine:
    """`symbols` and `actions` go together; `is_refused` tells that a rule held back at least one action."""

    decided_at: datetime
    id: int
    trader_id: str
    cycle_number: int
    config_version: int | None
    success: bool
    model: str | None
    symbols: list[str]
    actions: list[str]
    is_refused: bool
    held: int
    equity_usd: Decimal | None
    prompt_tokens: int | None
    completion_tokens: int | None
    error: str | None

    @property
    def orders(self) -> list[tuple[str, str]]:
        """(action, symbol) of what changes a position."""
        return [pair for pair in zip(self.actions, self.symbols, strict=True) if pair[0] not in ("hold", "wait")]


def trades(where: RecordFilter, *, older_than: Place | None = None, newer_than: Place | None = None) -> Page:
    found = browse.page(TRADES, _TRADE, where, older_than=older_than, newer_than=newer_than, size=PER_PAGE)
    return Page([TradeLine(*row) for row in found.rows], found.newer, found.older)


def positions(where: RecordFilter, *, older_than: Place | None = None, newer_than: Place | None = None) -> Page:
    found = browse.page(POSITIONS, _POSITION, where, older_than=older_than, newer_than=newer_than, size=PER_PAGE)
    return Page([PositionLine(*row) for row in found.rows], found.newer, found.older)


def decisions(where: RecordFilter, *, older_than: Place | None = None, newer_than: Place | None = None) -> Page:
    found = browse.page(DECISIONS, _DECISION, where, older_than=older_than, newer_than=newer_than, size=PER_PAGE)
    return Page([_decision(row) for row in found.rows], found.newer, found.older)


def _decision(row: Any) -> DecisionLine:
    lists = slice(7, 9)
    return DecisionLine(*row[: lists.start], *map(jsonio.loads, row[lists]), *row[lists.stop :])
