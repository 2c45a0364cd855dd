"""What symbols cost in the past: the prices for which positions in them were closed. There are no other prices."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from traders.database import sql
from traders.schema.moments import LATEST_MS
from trading.analytics.intervals import Period
from trading.analytics.returns import DAY_MS
from trading.models import Symbol
from trading.record.stored.safe_sql import is_moment_ms, number
from trading.record.stored.spread.form import was_spread
from trading.schema.published import PricePoint

BTC = "BTC"
"""The underlying that results are compared with."""
# A price stands for a moment if it is not older than this share of the period, from one minute to one day: between two
# prices that are nearly one, or are both old, a return would say nothing of the period.
_AGE_SHARE, _LEAST_AGE_MS = 10, 60_000

_EXIT = number("detail", "prices.avg_exit")
_IS_PRICED = f"exclusion_id IS NULL AND {_EXIT} > 0 AND {is_moment_ms('close_ts_ms')}"
# One probe of an index a symbol, and one for its price.
_LAST = f"""
WITH RECURSIVE s AS (
    (SELECT symbol FROM trades ORDER BY symbol LIMIT 1)
    UNION ALL
    SELECT (SELECT symbol FROM trades WHERE symbol > s.symbol ORDER BY symbol LIMIT 1) FROM s WHERE symbol IS NOT NULL)
SELECT s.symbol, t.close_ts_ms AS ts_ms, t.price
  FROM s CROSS JOIN LATERAL (
       SELECT close_ts_ms, {_EXIT} AS price FROM trades
        WHERE symbol = s.symbol AND {_IS_PRICED} ORDER BY close_ts_ms DESC LIMIT 1) t
"""
# Of traders on all servers, where `_LAST` is refused: a look at an index of each for one step of it.
_NEXT_SYMBOL = "SELECT symbol FROM trades WHERE symbol > %s ORDER BY symbol LIMIT 1"
# One symbol and moment, of traders on all servers.
_ONE = f"""
SELECT close_ts_ms AS ts_ms, {_EXIT} AS price FROM trades
 WHERE symbol = %(symbol)s AND close_ts_ms >= %(from)s AND close_ts_ms <= %(until)s AND {_IS_PRICED}
 ORDER BY close_ts_ms DESC LIMIT 1
"""
_AT = f"""
SELECT DISTINCT t.close_ts_ms AS ts_ms, t.price
  FROM unnest(%s::bigint[]) AS moment CROSS JOIN LATERAL (
       SELECT close_ts_ms, {_EXIT} AS price FROM trades
        WHERE symbol = %s AND close_ts_ms <= moment AND {_IS_PRICED} ORDER BY close_ts_ms DESC LIMIT 1) t
 ORDER BY ts_ms
"""


def _latest(moment: str) -> str:
    return f"""
       SELECT close_ts_ms AS ts_ms, {_EXIT} AS price FROM trades
        WHERE symbol = s.symbol AND close_ts_ms <= {moment} AND close_ts_ms >= {moment} - p.age AND {_IS_PRICED}
        ORDER BY close_ts_ms DESC LIMIT 1"""


# Two prices, of one symbol: names of one underlying may be quoted in other money, or in thousands. Of several names
# the one whose prices are nearest to the period's ends.
_RETURNS = f"""
SELECT DISTINCT ON (p.place) p.place, s.symbol, a.ts_ms AS from_ms, a.price AS from_price,
       b.ts_ms AS until_ms, b.price AS until_price
  FROM unnest(%(from)s::bigint[], %(until)s::bigint[], %(ages)s::bigint[]) WITH ORDINALITY
       AS p (from_ms, until_ms, age, place)
 CROSS JOIN (SELECT symbol FROM symbols WHERE base_asset = %(underlying)s UNION SELECT %(underlying)s) s
 CROSS JOIN LATERAL ({_latest("p.from_ms")}) a
 CROSS JOIN LATERAL ({_latest("p.until_ms")}) b
 WHERE p.from_ms < p.until_ms AND a.ts_ms < b.ts_ms
 ORDER BY p.place, p.from_ms - a.ts_ms + p.until_ms - b.ts_ms, s.symbol
"""


@dataclass(frozen=True, slots=True)
class ReferenceReturn:
    """What holding `symbol` over a period would have returned, without commission or funding. Prices in USD, each with
    the moment (milliseconds since 1970) at which a position was closed for it: at or shortly before the period's end of
    the same name."""

    symbol: str
    from_ms: int
    from_price: Decimal
    until_ms: int
    until_price: Decimal

    @property
    def pct(self) -> Decimal:
        return 100 * (self.until_price / self.from_price - 1)


def last_prices() -> dict[str, PricePoint]:
    """Of each symbol what it was last sold for."""
    if was_spread():
        found = ((name, _price_of(name, 0, LATEST_MS)) for name in _sold_symbols())
        return {name: price for name, price in found if price is not None}
    return {row.symbol: PricePoint(row.ts_ms, row.price) for row in sql.rows(_LAST)}


def prices_at(symbol: str, moments_ms: Collection[int]) -> list[PricePoint]:
    """What the symbol was last sold for before each of these moments, ascending; only those before some trade."""
    if was_spread():
        found = (_price_of(symbol, 0, moment) for moment in sorted(set(moments_ms)))
        return sorted({price for price in found if price is not None}, key=lambda price: price.ts_ms)
    return sql.rows_as(PricePoint, _AT, [list(moments_ms), symbol])


def allowed_age_ms(period: Period) -> int:
    """How old a price at an end of the period may be."""
    return min(max(period.ms // _AGE_SHARE, _LEAST_AGE_MS), DAY_MS)


def reference_returns(periods: Sequence[Period], underlying: str = BTC) -> list[ReferenceReturn | None]:
    """Of each period, in the given order. None where the record has no price near the start or near the end: not
    older than a tenth of the period, from a minute to a day. One statement for all periods."""
    found: list[ReferenceReturn | None] = [None] * len(periods)
    if not periods:
        return found
    asked = {
        "from": [period.from_ms for period in periods],
        "until": [period.to_ms for period in periods],
        "ages": [allowed_age_ms(period) for period in periods],
        "underlying": underlying,
    }
    if was_spread():
        return [_reference_return(period, underlying) for period in periods]
    for row in sql.rows(_RETURNS, asked):
        found[row.place - 1] = ReferenceReturn(row.symbol, row.from_ms, row.from_price, row.until_ms, row.until_price)
    return found


def _sold_symbols() -> Iterator[str]:
    """In order. Not every program that wrote a trade has told its symbol to the table of symbols."""
    names = sql.values(_NEXT_SYMBOL, [""])
    while names:
        yield names[0]
        names = sql.values(_NEXT_SYMBOL, names)


def _price_of(symbol: str, from_ms: int, until_ms: int) -> PricePoint | None:
    found = sql.rows_as(PricePoint, _ONE, {"symbol": symbol, "from": from_ms, "until": until_ms})
    return found[0] if found else None


def _reference_return(period: Period, underlying: str) -> ReferenceReturn | None:
    """As `_RETURNS`, of one period."""
    age, best = allowed_age_ms(period), list[tuple[int, str, ReferenceReturn]]()
    for symbol in {underlying, *Symbol.objects.filter(base_asset=underlying).values_list("pk", flat=True)}:
        a = _price_of(symbol, period.from_ms - age, period.from_ms)
        b = _price_of(symbol, period.to_ms - age, period.to_ms)
        if a and b and a.ts_ms < b.ts_ms:
            distance = period.from_ms - a.ts_ms + period.to_ms - b.ts_ms
            best.append((distance, symbol, ReferenceReturn(symbol, a.ts_ms, a.price, b.ts_ms, b.price)))
    return min(best, key=lambda one: one[:2])[2] if best else None
