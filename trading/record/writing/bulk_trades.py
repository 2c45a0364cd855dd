"""Many trades at once, by COPY. Call it inside `copying.bulk_load`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence

from traders.database import sql
from traders.schema import jsonio
from traders.schema.paths import same
from trading.record.rules.alike import AlikeRecords
from trading.record.rules.identity import Likeness
from trading.record.stored import rows
from trading.record.stored.copying import copy_rows, utc
from trading.record.stored.outcome import WriteOutcome
from trading.record.stored.spread import judging, results
from trading.record.stored.spread.form import is_spread
from trading.record.writing.against import marked_many
from trading.record.writing.locks import lock_record
from trading.record.writing.trades import moments_of
from trading.schema.trade import TradeRecord

TRADE_COLUMNS = ("id", "trader_id", "symbol", "side", "close_ts_ms", "detail", "created_at")
# Long lists come as JSON: psycopg writes the text of an array item by item in Python, which takes three times as long.
_STORED = """
SELECT id, trader_id, symbol, side, close_ts_ms, detail::text, exclusion_id IS NOT NULL AS is_aside
  FROM trades WHERE trader_id = ANY (%s) AND id = ANY (ARRAY (SELECT json_array_elements_text(%s)))
"""
# What closed in the same milliseconds.
_BESIDE = """
SELECT t.id, t.exclusion_id IS NOT NULL FROM (
       SELECT e ->> 0 AS trader_id, e ->> 1 AS symbol, (e ->> 2)::bigint AS close_ts_ms
         FROM json_array_elements(%s) AS e) k
  JOIN trades t USING (trader_id, symbol, close_ts_ms)
"""

Close = tuple[str, str, int]
"""(trader, symbol, milliseconds of the close)."""
Content = tuple[list[object], str]
"""([trader, symbol, side, milliseconds of the close], the detail as JSON text)."""


def copy_trades(batch: Sequence[TradeRecord]) -> WriteOutcome:
    """Adds the trades that are not recorded yet. A trade that came another way, under another id, is recognised. A
    trade with the same id is compared whole, except for its versions, which may have become known since."""
    lock_record(trade.trader_id for trade in batch)
    closes = [_close(trade) for trade in batch]
    stored, aside = _stored(batch)
    beside, aside_beside = _beside(
        {close for trade, close in zip(batch, closes, strict=True) if trade.id not in stored}
    )
    aside |= aside_beside
    outcome, new = WriteOutcome(), dict[str, TradeRecord]()
    for place, (trade, close) in enumerate(zip(batch, closes, strict=True)):
        taken = stored.get(trade.id) or (_content(new[trade.id]) if trade.id in new else None)
        if taken is not None:
            like, known_id = _like_of_one_id(taken, trade), trade.id
        elif close in beside:
            like, known_id = beside[close].like(trade)
        else:
            like, known_id = Likeness.OTHER, ""
        if like is Likeness.SAME:
            outcome.known += 1
            outcome.set_aside += known_id in aside
        elif like is Likeness.CONTRADICTION:
            outcome.conflicts.append(known_id)
            outcome.conflicts_at.append(place)
        else:
            new[trade.id] = trade
            beside[close].add(trade)
    outcome.inserted = len(new)
    copy_trade_rows(marked_many(list(new.values())))
    return outcome


def copy_trade_rows(trades: Sequence[TradeRecord]) -> None:
    """Adds trades that are not recorded, without a look."""
    copy_rows("trades", TRADE_COLUMNS, map(trade_row, trades))
    # Where triggers do this, gathering what it needs would take two microseconds a trade.
    if trades and is_spread():
        results.trades_added((trade.trader_id, trade.id) for trade in trades)
        judging.explained(moments_of(trades))


def _close(trade: TradeRecord) -> Close:
    return trade.trader_id, trade.symbol, trade.close_ts_ms


def _beside(closes: Collection[Close]) -> tuple[dict[Close, AlikeRecords], set[str]]:
    """Recorded trades with these closes, and the ids of those that were set aside. Unreadable trades are left out."""
    found = dict(sql.rows(_BESIDE, [jsonio.dumps_finite(list(closes))]))
    beside: dict[Close, AlikeRecords] = defaultdict(AlikeRecords)
    for known in rows.trades(rows.TRADES.named(found, {close[0] for close in closes}).order_by("pk")) if found else ():
        beside[_close(known)].add(known)
    return beside, {trade_id for trade_id, is_aside in found.items() if is_aside}


def _stored(batch: Sequence[TradeRecord]) -> tuple[dict[str, Content], set[str]]:
    """{id: content} of the recorded trades, and the ids of those that were set aside."""
    ids = jsonio.dumps_finite([trade.id for trade in batch])
    found = sql.rows(_STORED, [list({trade.trader_id for trade in batch}), ids])
    return {row.id: (list(row[1:5]), row.detail) for row in found}, {row.id for row in found if row.is_aside}


def _like_of_one_id(stored: Content, trade: TradeRecord) -> Likeness:
    """A stored detail that is no object, or is nested too deep, is no trade's."""
    columns, text = stored
    try:
        is_same = columns == _columns(trade) and same(_recorded(jsonio.loads(text)), _recorded(trade.stored()))
    except (AttributeError, RecursionError):
        is_same = False
    return Likeness.SAME if is_same else Likeness.CONTRADICTION


def _content(trade: TradeRecord) -> Content:
    return _columns(trade), jsonio.dumps_finite(trade.stored())


def _columns(trade: TradeRecord) -> list[object]:
    return [trade.trader_id, trade.symbol, trade.side, trade.close_ts_ms]


def _recorded(detail: jsonio.Json) -> jsonio.Json:
    """Without what the record itself says of it: versions may have become known since."""
    return {name: value for name, value in detail.items() if name not in ("versions", "against_control")}


def trade_row(trade: TradeRecord) -> tuple[object, ...]:
    """Values of TRADE_COLUMNS. `created_at` is the source's, else the moment of the close: not that of the import."""
    detail = jsonio.dumps_finite(trade.stored())
    at = trade.created_at or utc(trade.close_ts_ms)
    return trade.id, trade.trader_id, trade.symbol, trade.side, trade.close_ts_ms, detail, at
