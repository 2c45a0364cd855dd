"""Many trades at once, by COPY. Call it inside `copying.bulk_load`."""

from __future__ import annotations

from collections.abc import Sequence

from traders.database import sql
from traders.schema import jsonio
from trading.record.rules.identity import Likeness, likeness
from trading.record.stored import rows
from trading.record.stored.copying import copy_rows
from trading.record.stored.outcome import WriteOutcome
from trading.record.writing.locks import lock_record
from trading.schema.trade import TradeRecord

TRADE_COLUMNS = ("id", "trader_id", "symbol", "side", "close_ts_ms", "detail")
_STORED = """
SELECT id, trader_id, symbol, side, close_ts_ms, detail::text, exclusion_id IS NOT NULL FROM trades WHERE id = ANY (%s)
"""
# What closed in the same milliseconds under other ids.
_BESIDE = """
SELECT t.id, t.exclusion_id IS NOT NULL FROM (
       SELECT DISTINCT * FROM unnest(%s::text[], %s::text[], %s::bigint[]) AS k (trader_id, symbol, close_ts_ms)) k
  JOIN trades t USING (trader_id, symbol, close_ts_ms)
 WHERE t.id <> ALL (%s)
"""

Close = tuple[str, str, int]
"""(trader, symbol, milliseconds of the close)."""


def copy_trades(batch: Sequence[TradeRecord]) -> WriteOutcome:
    """Adds those that are not recorded yet. One that came another way, under another id, is known; a trade of the same
    id is compared whole, its attribution to versions aside, which may have become known since."""
    lock_record(trade.trader_id for trade in batch)
    stored, aside = _stored([trade.id for trade in batch])
    beside, aside_beside = _beside([trade for trade in batch if trade.id not in stored])
    aside |= aside_beside
    outcome, new = WriteOutcome(), dict[str, TradeRecord]()
    for place, trade in enumerate(batch):
        taken = stored.get(trade.id) or (_content(new[trade.id]) if trade.id in new else None)
        if taken is not None:
            like, known_id = _like_of_one_id(taken, trade), trade.id
        else:
            like, known_id = _like_beside(beside.get(_close(trade), ()), trade)
        if like is Likeness.SAME:
            outcome.known += 1
            outcome.set_aside += known_id in aside
        elif like is Likeness.CONTRADICTION:
            outcome.conflicts.append(known_id)
            outcome.conflicts_at.append(place)
        else:
            new[trade.id] = trade
            beside.setdefault(_close(trade), []).append(trade)
    outcome.inserted = len(new)
    copy_rows("trades", TRADE_COLUMNS, map(trade_row, new.values()))
    return outcome


def _like_of_one_id(taken: str, trade: TradeRecord) -> Likeness:
    return Likeness.SAME if taken == _content(trade) else Likeness.CONTRADICTION


def _like_beside(found: Sequence[TradeRecord], trade: TradeRecord) -> tuple[Likeness, str]:
    """The same one, else one that contradicts, and its id: of a trade and its corrections one may say the same."""
    likes = [(likeness(known, trade), known.id) for known in found]
    for wanted in (Likeness.SAME, Likeness.CONTRADICTION):
        if any(like is wanted for like, _id in likes):
            return next(pair for pair in likes if pair[0] is wanted)
    return Likeness.OTHER, ""


def _close(trade: TradeRecord) -> Close:
    return trade.trader_id, trade.symbol, trade.close_ts_ms


def _beside(batch: Sequence[TradeRecord]) -> tuple[dict[Close, list[TradeRecord]], set[str]]:
    """What is recorded of the same closes under other ids, and the ids of those set aside. Those that cannot be read
    are left out."""
    closes = [_close(trade) for trade in batch]
    asked = [*([close[part] for close in closes] for part in range(3)), [trade.id for trade in batch]]
    found = dict(sql.rows(_BESIDE, asked))
    beside: dict[Close, list[TradeRecord]] = {}
    for known in rows.trades(rows.TRADES.filter(pk__in=found).order_by("pk")) if found else ():
        beside.setdefault(_close(known), []).append(known)
    return beside, {trade_id for trade_id, is_aside in found.items() if is_aside}


def _stored(ids: Sequence[str]) -> tuple[dict[str, str], set[str]]:
    """{id: content} of those that are recorded, and the ids of those set aside."""
    found = sql.rows(_STORED, [list(ids)])
    stored = {
        trade_id: _stored_content(trader_id, symbol, side, close_ts_ms, detail)
        for trade_id, trader_id, symbol, side, close_ts_ms, detail, _aside in found
    }
    return stored, {trade_id for trade_id, *_, is_aside in found if is_aside}


def _stored_content(trader_id: str, symbol: str, side: str, close_ts_ms: int, detail: str) -> str:
    """Of a detail that is no object, or nested too deep, its text, which equals no trade's content."""
    try:
        return _canonical(trader_id, symbol, side, close_ts_ms, jsonio.loads(detail))
    except (AttributeError, RecursionError):
        return detail


def _content(trade: TradeRecord) -> str:
    return _canonical(trade.trader_id, trade.symbol, trade.side, trade.close_ts_ms, trade.stored())


def _canonical(trader_id: str, symbol: str, side: str, close_ts_ms: int, detail: jsonio.Json) -> str:
    recorded = {name: value for name, value in detail.items() if name != "versions"}
    return jsonio.canonical([trader_id, symbol, str(side), close_ts_ms, recorded])


def trade_row(trade: TradeRecord) -> tuple[object, ...]:
    """Values of TRADE_COLUMNS."""
    detail = jsonio.dumps_finite(trade.stored())
    return trade.id, trade.trader_id, trade.symbol, trade.side, trade.close_ts_ms, detail
