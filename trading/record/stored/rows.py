"""Rows of the trading tables -> the classes of `trading.schema`.

The functions for one row raise NotReadable. The functions for many rows leave out an unreadable row and note it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from traders.schema.messages import _
from trading.models import DecisionJournal
from trading.models import Position as PositionRow
from trading.models import Trade as TradeRow
from trading.record.stored.unreadable import readable
from trading.schema.common import Side
from trading.schema.decision import DecisionDetail, JournalEntry, RecordedDecision
from trading.schema.message import MessageRecord, MessageRole
from trading.schema.position import PositionDetail, PositionRecord, PositionStatus
from trading.schema.tolerant import DetailReading, UnreadableLeaf, read
from trading.schema.trade import TradeDetail, TradeRecord
from trading.schema.unreadable import EARLIEST, LATEST, NO_MOMENT

# The generated columns and the times of writing are not read.
POSITIONS = PositionRow.objects.get_queryset().only("id", "trader_id", "symbol", "side", "status", "detail")
TRADES = TradeRow.objects.get_queryset().only("id", "trader_id", "symbol", "side", "close_ts_ms", "detail")
DECISIONS = DecisionJournal.objects.get_queryset().only(
    "id", "trader_id", "config_version", "cycle_number", "decided_at", "success", "detail"
)


def position_detail(row: Any) -> DetailReading[PositionDetail]:
    """`row` is a models.Position."""
    return read(PositionDetail, row.detail)


def trade_detail(row: Any) -> DetailReading[TradeDetail]:
    """`row` is a models.Trade."""
    found = read(TradeDetail, row.detail)
    if found.detail.time.close_ts_ms != row.close_ts_ms:
        raise UnreadableLeaf("detail.time.close_ts_ms", _("must be close_ts_ms, %(ms)s", ms=row.close_ts_ms))
    return found


def decision_detail(row: Any) -> DetailReading[DecisionDetail]:
    """`row` is a models.DecisionJournal."""
    if not EARLIEST <= row.decided_at <= LATEST:
        raise UnreadableLeaf("decided_at", NO_MOMENT)
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
        raise UnreadableLeaf("sent_at", NO_MOMENT)
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
