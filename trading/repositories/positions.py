"""Positions: opened, changed, and closed together with their trade."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, connection, transaction

from traders.schema import jsonio
from trading.models import Position as PositionRow
from trading.repositories import rows, trades, versions
from trading.repositories.constraints import checked
from trading.repositories.decisions import version_of
from trading.rules.errors import AlreadyOpen, ConcurrentRecord, InvalidRecord, NoOpenPosition, RecordConflict
from trading.schema.common import NANOSECONDS_PER_MS, Side, Versions
from trading.schema.ids import closed_position_id, open_position_id, trade_id
from trading.schema.position import Close, Position, PositionDetail, Status
from trading.schema.trade import (
    MS_PER_SECOND,
    Fill,
    Pnl,
    Prices,
    Quantity,
    Time,
    Trade,
    TradeDetail,
    TradeRisk,
)

_INSERT = """
INSERT INTO positions (id, trader_id, symbol, side, status, detail)
VALUES (%s, %s, %s, %s, %s, %s::jsonb)
"""
_UPDATE = "UPDATE positions SET status = %s, detail = %s::jsonb, updated_at = clock_timestamp() WHERE id = %s"
# The literal, not a parameter: a generic plan could not use the partial index.
_OPEN_OF_TRADER = """
SELECT symbol, side, quantity, entry_price, leverage
  FROM positions WHERE trader_id = %s AND status = 'open' ORDER BY symbol
"""
_OPEN_IN_SYMBOL = "SELECT id, trader_id, side, quantity FROM positions WHERE symbol = %s AND status = 'open'"


def open_position(
    *, trader_id: str, symbol: str, side: Side, detail: PositionDetail, decision_id: int | None = None
) -> Position:
    """Records an entry. The version that opened it is the decision's, else the one valid at the entry's time.

    The same position again changes nothing. Raises AlreadyOpen when another one is open, RecordConflict when this one
    was closed already, UnknownTrader, ConcurrentRecord.
    """
    entry_version = _version(trader_id, detail.entry.time_ms, decision_id)
    whole = detail.model_copy(update={"versions": Versions(entry=entry_version)})
    new = Position(open_position_id(trader_id, symbol), trader_id, symbol, side, Status.OPEN, whole)
    try:
        with transaction.atomic(), checked(trader_id):
            found = _locked(new.id)
            if found and found.is_open:
                if found != new:
                    raise AlreadyOpen(trader_id, symbol)
                return found
            if closed := _closed_before(new):
                raise RecordConflict("position", closed)
            if found:
                make_way(found)
            insert(new)
    except IntegrityError as error:
        raise ConcurrentRecord(f"{trader_id} opened {symbol} twice at the same moment") from error
    return new


def update_position(*, trader_id: str, symbol: str, **parts: Any) -> Position:
    """Replaces whole parts of an open position's detail: exit_plan, orders, risk, reported, exchange or entry.

    What is equal already is not written. Raises NoOpenPosition.
    """
    with transaction.atomic():
        found = _open(trader_id, symbol)
        changed = PositionDetail.model_validate({**dict(found.detail), **parts, "close": None})
        if changed == found.detail:
            return found
        return _write(found, Status.OPEN, changed)


def close_position(
    *,
    trader_id: str,
    symbol: str,
    price: Any,
    closed_at_ns: int,
    pnl: Pnl,
    fills: Sequence[Fill] = (),
    decision_id: int | None = None,
) -> Trade:
    """Closes the whole position and records its trade, both or neither.

    The same close again returns the trade it made, also when the symbol was opened again since. Raises NoOpenPosition,
    RecordConflict, and InvalidRecord for a close before the entry.
    """
    close_ms = closed_at_ns // NANOSECONDS_PER_MS
    with transaction.atomic():
        if made := trades.stored(trade_id(trader_id, symbol, closed_at_ns)):
            if (made.detail.pnl, made.detail.prices.avg_exit) != (pnl, price):
                raise RecordConflict("trade", made.id)
            return made
        found = _open(trader_id, symbol)
        if close_ms < found.detail.entry.time_ms:
            raise InvalidRecord("closed_at_ns", f"must not lie before the entry, {found.detail.entry.time_ms} ms")
        entry = found.detail.versions.entry if found.detail.versions else None
        closed = found.detail.model_copy(
            update={
                "close": Close(price=price, time_ms=close_ms, quantity=found.detail.entry.quantity, pnl=pnl.net),
                "versions": Versions(entry=entry, exit=_version(trader_id, close_ms, decision_id)),
            }
        )
        trade = _trade(found, closed, pnl, fills, closed_at_ns)
        _write(found, Status.CLOSED, closed)
        trades.insert(trade)
    return trade


def open_of_trader(trader_id: str) -> list[Any]:
    """(symbol, side, quantity, entry_price, leverage) of what the trader holds."""
    with connection.cursor() as cursor:
        cursor.execute(_OPEN_OF_TRADER, [trader_id])
        return list(cursor.fetchall())


def open_whole(trader_id: str, symbol: str | None = None) -> list[Position]:
    """What the trader holds, in this symbol or in all, with its detail, by symbol."""
    found = PositionRow.objects.filter(trader=trader_id, status="open").order_by("symbol")
    return [rows.position(row) for row in (found if symbol is None else found.filter(symbol=symbol))]


def open_in_symbol(symbol: str) -> list[Any]:
    """(id, trader_id, side, quantity) of who holds the symbol."""
    with connection.cursor() as cursor:
        cursor.execute(_OPEN_IN_SYMBOL, [symbol])
        return list(cursor.fetchall())


def insert(new: Position) -> None:
    """In the caller's transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            _INSERT, [new.id, new.trader_id, new.symbol, new.side, new.status, jsonio.dumps(new.detail.stored())]
        )


def _locked(position_id: str) -> Position | None:
    row = PositionRow.objects.select_for_update().filter(pk=position_id).first()
    return rows.position(row) if row else None


def _closed_before(new: Position) -> str | None:
    """The id under which this very position, known by its side and entry, was closed: its opening comes late."""
    same = PositionRow.objects.filter(trader=new.trader_id, status="closed", symbol=new.symbol, side=new.side)
    return same.filter(opened_ms=new.detail.entry.time_ms).values_list("pk", flat=True).first()


def _open(trader_id: str, symbol: str) -> Position:
    found = _locked(open_position_id(trader_id, symbol))
    if found is None or not found.is_open:
        raise NoOpenPosition(trader_id, symbol)
    return found


def make_way(closed: Position) -> None:
    """The plan's id is that of the open position: the closed one moves to an id of its own."""
    PositionRow.objects.filter(pk=closed.id).update(
        id=closed_position_id(closed.trader_id, closed.symbol, closed.detail)
    )


def _write(found: Position, status: Status, detail: PositionDetail) -> Position:
    with connection.cursor() as cursor:
        cursor.execute(_UPDATE, [status, jsonio.dumps(detail.stored()), found.id])
    return Position(found.id, found.trader_id, found.symbol, found.side, status, detail)


def _version(trader_id: str, ts_ms: int, decision_id: int | None) -> int | None:
    return versions.version_at(trader_id, ts_ms) if decision_id is None else version_of(decision_id)


def _trade(found: Position, closed: PositionDetail, pnl: Pnl, fills: Sequence[Fill], closed_at_ns: int) -> Trade:
    entry, close, risk = closed.entry, closed.close, closed.risk
    assert close is not None
    held = Decimal(close.time_ms - entry.time_ms) / MS_PER_SECOND
    detail = TradeDetail(
        time=Time(open_ts_ms=entry.time_ms, close_ts_ms=close.time_ms, duration_seconds=held),
        prices=Prices(avg_entry=entry.price, avg_exit=close.price),
        quantity=Quantity(total=close.quantity),
        pnl=pnl,
        risk=TradeRisk(leverage=entry.leverage, confidence=risk.confidence if risk else None),
        exchange=closed.exchange,
        fills=tuple(fills),
        exit_plan=closed.exit_plan,
        versions=closed.versions,
    )
    return Trade(
        trade_id(found.trader_id, found.symbol, closed_at_ns), found.trader_id, found.symbol, found.side, detail
    )
