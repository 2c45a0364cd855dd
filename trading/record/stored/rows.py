"""Rows of the trading tables -> what `trading.schema` declares, and back.

The functions of one row raise NotReadable; those of many leave out what cannot be read, and note it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from trading.models import DecisionJournal
from trading.models import Position as PositionRow
from trading.models import Trade as TradeRow
from trading.record.stored.unreadable import readable
from trading.schema.common import Side
from trading.schema.decision import DecisionDetail, JournalEntry, RecordedDecision
from trading.schema.message import MessageRecord, MessageRole
from trading.schema.position import PositionDetail, PositionRecord, PositionStatus
from trading.schema.tolerant import NotReadable, Reading, read
from trading.schema.trade import TradeDetail, TradeRecord
from trading.schema.unreadable import EARLIEST, LATEST, NO_MOMENT

# Generated columns and times of writing are not needed for a record.
POSITIONS = PositionRow.objects.only("id", "trader_id", "symbol", "side", "status", "detail")
TRADES = TradeRow.objects.only("id", "trader_id", "symbol", "side", "close_ts_ms", "detail")
DECISIONS = DecisionJournal.objects.only(
    "id", "trader_id", "config_version", "cycle_number", "decided_at", "success", "detail"
)


def position_detail(row: Any) -> Reading[PositionDetail]:
    """`row` is a models.Position."""
    return read(PositionDetail, row.detail)


def trade_detail(row: Any) -> Reading[TradeDetail]:
    """`row` is a models.Trade."""
    found = read(TradeDetail, row.detail)
    if found.detail.time.close_ts_ms != row.close_ts_ms:
        raise NotReadable("detail.time.close_ts_ms", f"must be close_ts_ms, {row.close_ts_ms}")
    return found


def decision_detail(row: Any) -> Reading[DecisionDetail]:
    """`row` is a models.DecisionJournal."""
    if not EARLIEST <= row.decided_at <= LATEST:
        raise NotReadable("decided_at", NO_MOMENT)
    return read(DecisionDetail, row.detail)


def position(row: Any) -> PositionRecord:
    detail = position_detail(row).detail
    return PositionRecord(row.id, row.trader_id, row.symbol, Side(row.side), PositionStatus(row.status), detail)


def trade(row: Any) -> TradeRecord:
    return TradeRecord(row.id, row.trader_id, row.symbol, Side(row.side), trade_detail(row).detail)


def decision(row: Any) -> RecordedDecision:
    found = decision_detail(row)
    entry = JournalEntry(row.trader_id, row.config_version, row.decided_at, row.success, found.detail)
    return RecordedDecision(row.id, row.cycle_number, entry, tuple(leaf.path for leaf in found.unknown))


def message(row: Any) -> MessageRecord:
    """`row` is a models.MessageRecord."""
    if row.sent_at is not None and not EARLIEST <= row.sent_at <= LATEST:
        raise NotReadable("sent_at", NO_MOMENT)
    return MessageRecord(row.trader_id, row.conversation, row.sequence, MessageRole(row.role), row.content, row.sent_at)


def positions(rows: Iterable[Any]) -> Iterator[PositionRecord]:
    return readable("positions", position, rows, _key)


def trades(rows: Iterable[Any]) -> Iterator[TradeRecord]:
    return readable("trades", trade, rows, _key)


def decisions(rows: Iterable[Any]) -> Iterator[RecordedDecision]:
    return readable("decision_journal", decision, rows, _key)


def messages(rows: Iterable[Any]) -> Iterator[MessageRecord]:
    return readable("conversation_messages", message, rows, _key)


def _key(row: Any) -> Any:
    return row.pk
