"""A position that a source still calls open, though trades that are recorded have closed it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from trading.schema.common import Versions
from trading.schema.ids import closed_position_id
from trading.schema.position import Close, PositionRecord, PositionStatus
from trading.schema.trade import TradeRecord


def closed_by(position: PositionRecord, trades: Sequence[TradeRecord]) -> PositionRecord:
    """As it stood after these trades, which its entry order opened, in order of their closes: closed, at an id of its
    own, once they cover all of it."""
    closed = sum((trade.detail.quantity.total for trade in trades), Decimal(0))
    if not trades or closed < position.detail.entry.quantity:
        return position
    last = trades[-1]
    close = Close(
        price=last.detail.prices.avg_exit,
        time_ms=last.close_ts_ms,
        quantity=position.detail.entry.quantity,
        pnl=sum((trade.net_pnl for trade in trades), Decimal(0)),
    )
    versions = Versions(entry=_entry(position), exit=last.detail.versions.exit if last.detail.versions else None)
    detail = position.detail.model_copy(update={"close": close, "versions": versions})
    own_id = closed_position_id(position.trader_id, position.symbol, detail)
    return replace(position, id=own_id, status=PositionStatus.CLOSED, detail=detail)


def _entry(position: PositionRecord) -> int | None:
    return position.detail.versions.entry if position.detail.versions else None
