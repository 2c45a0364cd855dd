"""Many trades at once, by COPY. Call it inside `copying.bulk_load`."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection

from traders.schema import jsonio
from trading.record.stored.copying import copy_rows
from trading.record.stored.outcome import Outcome, sorted_out
from trading.schema.trade import Trade

TRADE_COLUMNS = ("id", "trader_id", "symbol", "side", "close_ts_ms", "detail")
_STORED = "SELECT id, trader_id, symbol, side, close_ts_ms, detail::text, exclusion_id FROM trades WHERE id = ANY (%s)"


def copy_trades(batch: Sequence[Trade]) -> Outcome:
    """Adds those that are not recorded yet; a trade is compared whole, its attribution to versions aside, which may
    have become known since."""
    stored, aside = _stored([trade.id for trade in batch])
    new, outcome = sorted_out(batch, stored, key=_id, content=_content, name=_id)
    outcome.set_aside = sum(trade.id in aside and stored[trade.id] == _content(trade) for trade in batch)
    copy_rows("trades", TRADE_COLUMNS, map(trade_row, new))
    return outcome


def _id(trade: Trade) -> str:
    return trade.id


def _stored(ids: Sequence[str]) -> tuple[dict[str, str], set[str]]:
    """{id: content} of those that are recorded, and the ids of those set aside."""
    with connection.cursor() as cursor:
        cursor.execute(_STORED, [list(ids)])
        found = cursor.fetchall()
    stored = {
        trade_id: _stored_content(trader_id, symbol, side, close_ts_ms, detail)
        for trade_id, trader_id, symbol, side, close_ts_ms, detail, _exclusion in found
    }
    return stored, {trade_id for trade_id, *_, exclusion in found if exclusion is not None}


def _stored_content(trader_id: str, symbol: str, side: str, close_ts_ms: int, detail: str) -> str:
    """Of a detail that is no object, or nested too deep, its text, which equals no trade's content."""
    try:
        return _canonical(trader_id, symbol, side, close_ts_ms, jsonio.loads(detail))
    except (AttributeError, RecursionError):
        return detail


def _content(trade: Trade) -> str:
    return _canonical(trade.trader_id, trade.symbol, trade.side, trade.close_ts_ms, trade.stored())


def _canonical(trader_id: str, symbol: str, side: str, close_ts_ms: int, detail: jsonio.Json) -> str:
    recorded = {name: value for name, value in detail.items() if name != "versions"}
    return jsonio.canonical([trader_id, symbol, str(side), close_ts_ms, recorded])


def trade_row(trade: Trade) -> tuple[object, ...]:
    """Values of TRADE_COLUMNS."""
    detail = jsonio.dumps_finite(trade.stored())
    return trade.id, trade.trader_id, trade.symbol, trade.side, trade.close_ts_ms, detail
