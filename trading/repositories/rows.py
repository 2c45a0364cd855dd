"""Rows of the trading tables -> what `trading.schema` declares, and back."""

from __future__ import annotations

from typing import Any

from trading.schema.common import Side
from trading.schema.decision import DecisionDetail, JournalEntry, RecordedDecision
from trading.schema.position import Position, PositionDetail, Status
from trading.schema.trade import Trade, TradeDetail


def position(row: Any) -> Position:
    """`row` is a models.Position. Raises pydantic.ValidationError for a foreign shape."""
    return Position(
        row.id, row.trader_id, row.symbol, Side(row.side), Status(row.status), PositionDetail.model_validate(row.detail)
    )


def trade(row: Any) -> Trade:
    """`row` is a models.Trade."""
    return Trade(row.id, row.trader_id, row.symbol, Side(row.side), TradeDetail.model_validate(row.detail))


def decision(row: Any) -> RecordedDecision:
    """`row` is a models.DecisionJournal."""
    detail = DecisionDetail.model_validate(row.detail)
    entry = JournalEntry(row.trader_id, row.config_version, row.decided_at, row.success, detail)
    return RecordedDecision(row.id, row.cycle_number, entry)
