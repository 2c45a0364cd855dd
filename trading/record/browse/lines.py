"""What one line of each list of the record shows, read without the whole `detail`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from traders.schema import jsonio
from trading.record.browse import queries as browse
from trading.record.browse.queries import Page, Place, RecordFilter, Table
from trading.record.browse.tables import CLOSED_PNL, DECISIONS, POSITIONS, TRADES
from trading.record.stored.safe_sql import items, moment_ms, number, version, whole
from trading.record.stored.unreadable import note
from trading.schema.decision import DecisionDetail
from trading.schema.leaf import Part
from trading.schema.position import PositionDetail
from trading.schema.tolerant import NotReadable, read
from trading.schema.trade import TradeDetail
from trading.schema.unreadable import EARLIEST, LATEST, NO_MOMENT, Unreadable

PER_PAGE = 50

# The last column is the detail that the row is judged by; without the long texts, which a line does not show.
_TRADE = f"""r.trader_id, r.symbol, r.side, {moment_ms("r.detail", "time.open_ts_ms")} AS open_ts_ms, r.quantity,
 {number("r.detail", "prices.avg_entry")} AS entry_price, {number("r.detail", "prices.avg_exit")} AS exit_price,
 r.leverage, r.confidence, {number("r.detail", "pnl.commission")} AS commission, r.net_pnl, r.entry_version,
 {version("r.detail", "versions.exit")} AS exit_version, r.exclusion_id, r.detail::text AS detail"""
_POSITION = f"""r.trader_id, r.symbol, r.side, r.status, r.quantity, r.entry_price, r.leverage,
 {number("r.detail", "exit_plan.sl_price")} AS stop_loss, {number("r.detail", "exit_plan.tp_price")} AS take_profit,
 {moment_ms("r.detail", "close.time_ms")} AS closed_ms, {number("r.detail", "close.price")} AS exit_price,
 {CLOSED_PNL} AS net_pnl, r.entry_version, r.exclusion_id, r.detail::text AS detail"""
_DECISION = f"""r.trader_id, r.cycle_number, r.config_version, r.success, r.detail #>> '{{answer,model}}' AS model,
 (SELECT coalesce(jsonb_agg(jsonb_build_array(d ->> 'action', d ->> 'symbol')), '[]')::text
    FROM jsonb_array_elements({items("r.detail", "decisions")}) AS d) AS asked,
 jsonb_path_exists(r.detail, '$.actions[*].refused_by[*]') AS is_refused,
 jsonb_array_length({items("r.detail", "positions")}) AS held,
 {number("r.detail", "account.equity_usd")} AS equity_usd,
 {whole("r.detail", "usage.prompt_tokens")} AS prompt_tokens,
 {whole("r.detail", "usage.completion_tokens")} AS completion_tokens,
 left(r.detail ->> 'error', 200) AS error, r.exclusion_id,
 (CASE WHEN jsonb_typeof(r.detail) = 'object' THEN r.detail - 'prompt' - 'answer' ELSE r.detail END)::text AS detail"""


@dataclass(frozen=True, slots=True)
class UnreadableLine:
    """A row that cannot be read: where it stands in the list, and no figure of it."""

    at: Any
    id: Any
    trader_id: str
    path: str
    reason: str
    exclusion_id: int | None = None
    is_unreadable: bool = True


@dataclass(frozen=True, slots=True)
class TradeLine:
    """P&L and prices in USD; `entry_version` None: before the trader's first version; `exclusion_id` None: counts."""

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
    exclusion_id: int | None

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
    exclusion_id: int | None


@dataclass(frozen=True, slots=True)
class DecisionLine:
    """`asked` are (action, symbol); `is_refused` tells that a rule held back at least one action."""

    decided_at: datetime
    id: int
    trader_id: str
    cycle_number: int
    config_version: int | None
    success: bool
    model: str | None
    asked: list[tuple[str, str]]
    is_refused: bool
    held: int
    equity_usd: Decimal | None
    prompt_tokens: int | None
    completion_tokens: int | None
    error: str | None
    exclusion_id: int | None

    @property
    def orders(self) -> list[tuple[str, str]]:
        """(action, symbol) of what changes a position."""
        return [pair for pair in self.asked if pair[0] not in ("hold", "wait")]


def trades(where: RecordFilter, *, older_than: Place | None = None, newer_than: Place | None = None) -> Page:
    found = browse.page(TRADES, _TRADE, where, older_than=older_than, newer_than=newer_than, size=PER_PAGE)
    return Page([_line(TRADES, TradeDetail, TradeLine, row) for row in found.rows], found.newer, found.older)


def positions(where: RecordFilter, *, older_than: Place | None = None, newer_than: Place | None = None) -> Page:
    found = browse.page(POSITIONS, _POSITION, where, older_than=older_than, newer_than=newer_than, size=PER_PAGE)
    return Page([_line(POSITIONS, PositionDetail, PositionLine, row) for row in found.rows], found.newer, found.older)


def decisions(where: RecordFilter, *, older_than: Place | None = None, newer_than: Place | None = None) -> Page:
    found = browse.page(DECISIONS, _DECISION, where, older_than=older_than, newer_than=newer_than, size=PER_PAGE)
    return Page([_line(DECISIONS, DecisionDetail, _decision, row) for row in found.rows], found.newer, found.older)


def _line(table: Table, kind: type[Part], make: Callable[..., Any], row: Any) -> Any:
    shown = row._asdict()
    detail, at = shown.pop("detail"), shown[table.at]
    try:
        if isinstance(at, datetime) and not EARLIEST <= at <= LATEST:
            raise NotReadable(table.at, NO_MOMENT)
        read(kind, jsonio.loads_stored(detail))
    except NotReadable as error:
        note(Unreadable(table.name, str(row.id), error.path, error.reason))
        return UnreadableLine(at, row.id, row.trader_id, error.path, error.reason, row.exclusion_id)
    return make(**shown)


def _decision(*, asked: str, **shown: Any) -> DecisionLine:
    return DecisionLine(asked=[(action, symbol) for action, symbol in jsonio.loads(asked)], **shown)
