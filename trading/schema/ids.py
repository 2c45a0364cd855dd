"""Ids of positions and trades. Each is a pure function of the record, so importing twice changes nothing."""

from __future__ import annotations

import hashlib
from typing import Any

from traders.schema.jsonio import canonical
from traders.schema.messages import _
from trading.schema.common import NANOSECONDS_PER_MS
from trading.schema.position import PositionDetail

DIGEST_DIGITS = 12


def open_position_id(trader_id: str, symbol: str) -> str:
    return f"{trader_id}|{symbol}"


def closed_position_id(trader_id: str, symbol: str, detail: PositionDetail) -> str:
    """Where a closed position goes when its symbol reopens. Raises ValueError for one that is not closed."""
    if detail.close is None:
        raise ValueError(_("the position is not closed"))
    order = detail.orders.entry_oid if detail.orders else None
    last = order if order is not None else short_digest(detail.stored())
    return f"{trader_id}|{symbol}|{detail.close.time_ms}|{last}"


def aside_position_id(trader_id: str, symbol: str, opened_ms: int, side: str) -> str:
    """Where an open position goes when it is set aside, so that its symbol can be opened again. The database builds
    the same text (`nof0_apply_exclusions`)."""
    return f"{trader_id}|{symbol}|{opened_ms}|{side}"


def trade_id(trader_id: str, symbol: str, closed_at_ns: int) -> str:
    """Of a trade that an engine records; it knows its close to the nanosecond."""
    return f"{trader_id}|{symbol}|{closed_at_ns}"


def imported_trade_id(
    trader_id: str, symbol: str, close_ts_ms: int, entry_fill_id: int | str | None, record: Any
) -> str:
    """In real data two trades of one trader and symbol close with the same fill at the same instant: the entry's
    fill tells them apart, and where there is none the record's digest."""
    last = entry_fill_id if entry_fill_id is not None else short_digest(record)
    return f"{trade_id(trader_id, symbol, close_ts_ms * NANOSECONDS_PER_MS)}|{last}"


def correction_id(trade_id: str, number: int) -> str:
    """Of the row that replaces a wrong one, or its last correction; they count from 1."""
    return f"{corrected_root(trade_id)}|c{number}"


def corrected_root(trade_id: str) -> str:
    """The id of the row that was wrong at first."""
    root, bar, last = trade_id.rpartition("|c")
    return root if bar and last.isdigit() else trade_id


def short_digest(record: Any) -> str:
    return hashlib.sha256(canonical(record).encode()).hexdigest()[:DIGEST_DIGITS]
