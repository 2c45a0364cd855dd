"""Reads of one trader for its page: each costs the same however long the record is. Reads only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count, QuerySet, Sum

from traders.database import sql
from traders.database.apart import time_limit
from trading.analytics.chains import Chain
from trading.analytics.intervals import Period
from trading.analytics.returns import DAY_MS
from trading.models import COUNTED, DID_SOMETHING, DecisionJournal
from trading.record.stored.bounded import fetch
from trading.record.stored.prices import BTC, ReferenceReturn, allowed_age_ms
from trading.record.stored.safe_sql import (
    EQUITY_COUNTS,
    epoch_ms,
    has_own_capital,
    is_bounded,
    is_funding_unknown,
    items,
    number,
)
from trading.record.stored.spread import reads
from trading.templatetags.record import moment_of

MOST_READ = 50_000
"""Points of equity of which each is read: a month of one a minute. Of more, one for each step of the curve."""
LIMIT_MS = 1_000
QUOTES_TRIED = 3
"""Decisions before a moment in which a quote is looked for: each has to be read whole."""
MOST_DECISIONS = 20_000
"""Whose use of the model is summed for one page: each is a row that has to be read."""

_SERIES = f"e.trader_id = %(trader)s AND e.source = %(source)s AND {EQUITY_COUNTS}"
# The last point of each step, and how deep the index fell in it below its peak since the beginning. Nothing where the
# points are too many. A step that stays below the peak before it falls deepest at its lowest point, so that its points
# are only summed up. Those of a step with a new peak are looked at one by one: points below one peak fall deepest at
# the lowest, which takes a division and a binary fraction a peak, because the database makes one of a numeric by way
# of its text.
_CURVE = f"""
WITH counted AS MATERIALIZED (
    SELECT count(*) AS points FROM (SELECT 1 FROM equity_snapshots WHERE trader_id = %(trader)s AND ts_ms >= %(from)s
                                       AND ts_ms <= %(until)s LIMIT {MOST_READ + 1}) newest),
parts AS (
    SELECT s.factor, p.step, p.first_ms, p.last_ms, p.highest::float8 * s.factor AS highest,
           p.lowest::float8 * s.factor AS lowest
      FROM unnest(%(since)s::bigint[], %(ends)s::bigint[], %(factors)s::float8[]) AS s (since_ms, until_ms, factor)
     CROSS JOIN LATERAL (
           SELECT (ts_ms - %(from)s) / %(step)s AS step, min(ts_ms) AS first_ms, max(ts_ms) AS last_ms,
                  max(equity_usd) AS highest, min(equity_usd) AS lowest
             FROM equity_snapshots e
            WHERE {_SERIES} AND ts_ms >= greatest(s.since_ms, %(from)s)
              AND ts_ms < least(s.until_ms, %(until)s + 1)
            GROUP BY 1) p
     WHERE (SELECT points FROM counted) <= {MOST_READ}),
peaks AS (
    SELECT *, max(highest) OVER (ORDER BY last_ms ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS peak
      FROM parts),
falls AS (
    SELECT p.step, p.last_ms,
           CASE WHEN greatest(p.peak, p.highest) > 0
                THEN greatest(0, CASE WHEN p.peak > 0 THEN 100 * (p.peak - p.lowest) / p.peak END, own.fall_pct)
           END AS fall_pct
      FROM peaks p
     CROSS JOIN LATERAL (
           SELECT max(CASE WHEN highest > 0 THEN 100 * (highest - lowest) / highest END) AS fall_pct
             FROM (SELECT highest::float8 * p.factor AS highest, min(equity_usd)::float8 * p.factor AS lowest
                     FROM (SELECT equity_usd, max(equity_usd) OVER (ORDER BY ts_ms ROWS UNBOUNDED PRECEDING) AS highest
                             FROM equity_snapshots e
                            WHERE {_SERIES} AND ts_ms >= p.first_ms AND ts_ms <= p.last_ms
                              AND (p.peak IS NULL OR p.highest > p.peak)) points
                    WHERE equity_usd < highest GROUP BY highest) below) own),
steps AS (SELECT max(last_ms) AS ts_ms, max(fall_pct) AS fall_pct FROM falls GROUP BY step)
SELECT s.ts_ms, e.equity_usd AS equity, s.fall_pct
  FROM steps s CROSS JOIN LATERAL (SELECT equity_usd FROM equity_snapshots e
                                    WHERE e.trader_id = %(trader)s AND e.ts_ms = s.ts_ms OFFSET 0) e
 ORDER BY s.ts_ms
"""
# The last point in each step that has one: a probe of the index a step.
_SAMPLED = f"""
SELECT p.ts_ms, p.equity_usd AS equity, NULL::float8 AS fall_pct
  FROM generate_series(%(from)s::bigint, %(until)s::bigint, %(step)s::bigint) AS at
 CROSS JOIN LATERAL (SELECT ts_ms, equity_usd FROM equity_snapshots e
                      WHERE {_SERIES} AND ts_ms >= at AND ts_ms < at + %(step)s AND ts_ms <= %(until)s
                      ORDER BY ts_ms DESC LIMIT 1) p
 ORDER BY p.ts_ms
"""
_DAY_ENDS = f"""
(SELECT ts_ms, equity_usd AS equity, NULL::float8 AS fall_pct FROM equity_snapshots e
  WHERE {_SERIES} AND ts_ms <= %(begin)s ORDER BY ts_ms DESC LIMIT 1)
UNION ({_SAMPLED}) ORDER BY ts_ms
"""
# From two indexes alone, but for the commission of a bounded period.
_TRADES = f"""
SELECT count(*) AS trades, count(*) FILTER (WHERE net_pnl > 0) AS wins, count(*) FILTER (WHERE net_pnl < 0) AS losses,
       coalesce(sum(net_pnl), 0) AS net, coalesce(sum(net_pnl) FILTER (WHERE net_pnl > 0), 0) AS won,
       coalesce(sum(net_pnl) FILTER (WHERE net_pnl < 0), 0) AS lost,
       (SELECT count(*) FROM trades t
         WHERE t.trader_id = %(trader)s AND t.exclusion_id IS NULL AND t.close_ts_ms >= %(from)s
           AND t.close_ts_ms <= %(until)s AND {is_funding_unknown("t.detail")}) AS funding_unknown
  FROM trades
 WHERE trader_id = %(trader)s AND exclusion_id IS NULL AND close_ts_ms >= %(from)s AND close_ts_ms <= %(until)s
   AND {is_bounded("net_pnl")}
"""
_LEDGER = f"""
SELECT coalesce(sum({number("detail", "pnl.commission")}), 0) AS commission,
       coalesce(sum({number("detail", "pnl.funding")}), 0) AS funding
  FROM trades
 WHERE trader_id = %(trader)s AND exclusion_id IS NULL AND close_ts_ms >= %(from)s AND close_ts_ms <= %(until)s
   AND {is_bounded("net_pnl")}
"""
# Modified Dietz over each period, of the traders with equity before and in it. Paper variants are none of the fleet's.
_WITH_CAPITAL = reads.Those(f"SELECT id FROM trader_config c WHERE NOT {has_own_capital('c.detail')}")
_FLEET = f"""
WITH asked AS (
    SELECT * FROM unnest(%(from)s::bigint[], %(until)s::bigint[]) WITH ORDINALITY AS p (from_ms, until_ms, place)),
ends AS (
    SELECT p.*, wanted.id AS trader_id, a.ts_ms AS first_ms, a.equity_usd AS first, b.ts_ms AS last_ms,
           b.equity_usd AS last
      FROM asked p CROSS JOIN unnest(%(traders)s::text[]) AS wanted (id)
     CROSS JOIN LATERAL (SELECT ts_ms, equity_usd FROM equity_snapshots e
                          WHERE e.trader_id = wanted.id AND {EQUITY_COUNTS} AND ts_ms <= p.from_ms
                          ORDER BY ts_ms DESC LIMIT 1) a
     CROSS JOIN LATERAL (SELECT ts_ms, equity_usd FROM equity_snapshots e
                          WHERE e.trader_id = wanted.id AND {EQUITY_COUNTS} AND ts_ms > p.from_ms
                            AND ts_ms <= p.until_ms
                          ORDER BY ts_ms DESC LIMIT 1) b),
moved AS (
    SELECT e.place, sum(f.amount_usd) AS amount,
           sum(f.amount_usd * greatest(e.until_ms - f.ts_ms, 0) / greatest(e.until_ms - e.from_ms, 1)) AS weighted
      FROM ends e JOIN equity_transfers f
        ON f.trader_id = e.trader_id AND f.ts_ms > e.first_ms AND f.ts_ms <= e.last_ms AND f.kind <> 'initial'
     GROUP BY e.place)
SELECT e.place, count(*) AS traders, sum(e.first) + coalesce(max(m.weighted), 0) AS base,
       sum(e.last) - sum(e.first) - coalesce(max(m.amount), 0) AS gained
  FROM ends e LEFT JOIN moved m USING (place) GROUP BY e.place
"""


def _quoted(ended: str) -> str:
    """What the trader's model saw of a symbol last, in one of the few decisions before a moment."""
    return f"""
       SELECT decided_at, price FROM (
              SELECT decided_at, {number("quote", "price")} AS price
                FROM (SELECT decided_at, detail FROM decision_journal
                       WHERE trader_id = %(trader)s AND exclusion_id IS NULL AND decided_at <= p.{ended}
                         AND decided_at >= p.{ended} - p.age ORDER BY decided_at DESC LIMIT {QUOTES_TRIED}) j
               CROSS JOIN LATERAL jsonb_array_elements({items("j.detail", "market")}) AS quote
               WHERE quote ->> 'symbol' = s.symbol) quoted
        WHERE price > 0 ORDER BY decided_at DESC LIMIT 1"""


_QUOTED_RETURNS = f"""
SELECT DISTINCT ON (p.place) p.place, s.symbol, {epoch_ms("a.decided_at")} AS from_ms, a.price AS from_price,
       {epoch_ms("b.decided_at")} AS until_ms, b.price AS until_price
  FROM unnest(%(from)s::timestamptz[], %(until)s::timestamptz[], %(ages)s::interval[]) WITH ORDINALITY
       AS p (since, until, age, place)
 CROSS JOIN (SELECT symbol FROM symbols WHERE base_asset = %(underlying)s UNION SELECT %(underlying)s) s
 CROSS JOIN LATERAL ({_quoted("since")}) a
 CROSS JOIN LATERAL ({_quoted("until")}) b
 ORDER BY p.place, s.symbol
"""


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """The last equity of a step, in USD. `fall_pct`: the deepest fall within the step below the peak since the curve's
    beginning; None where the points between were not read."""

    ts_ms: int
    equity: Decimal
    fall_pct: float | None


@dataclass(frozen=True, slots=True)
class TradeSums:
    """In USD; `won` and `lost` are the sums of gains and of losses. `funding_unknown`: how many of the trades are
    without funding that was due."""

    trades: int
    wins: int
    losses: int
    net: Decimal
    won: Decimal
    lost: Decimal
    funding_unknown: int


@dataclass(frozen=True, slots=True)
class TradeLedger:
    commission: Decimal
    funding: Decimal


@dataclass(frozen=True, slots=True)
class FleetReturn:
    """`traders`: how many had equity before and in the period."""

    traders: int
    pct: Decimal


@dataclass(frozen=True, slots=True)
class VersionUse:
    """What a version's decisions used of its model; None where no decision says it."""

    version: int
    prompt_tokens: int | None
    completion_tokens: int | None
    cost_usd: Decimal | None


def curve(trader_id: str, source: str, chain: Chain, period: Period, *, step_ms: int) -> list[CurvePoint]:
    """From every point of the period; empty also where they are more than MOST_READ. Raises TookTooLong."""
    since, until, factors = zip(*chain.steps(), strict=True)
    asked = _asked(trader_id, source, period) | {"step": step_ms}
    asked |= {"since": list(since), "ends": list(until), "factors": list(map(float, factors))}
    return [CurvePoint(**row._asdict()) for row in fetch(_CURVE, asked, limit_ms=LIMIT_MS)]


def sampled(trader_id: str, source: str, period: Period, *, step_ms: int) -> list[CurvePoint]:
    """One point a step, whatever was between."""
    asked = _asked(trader_id, source, period) | {"step": step_ms}
    return sql.rows_as(CurvePoint, _SAMPLED, asked)


def day_ends(trader_id: str, source: str, period: Period) -> list[CurvePoint]:
    """The last point at or before the beginning of the period, and the last point of each UTC day of it."""
    days = Period(period.from_ms // DAY_MS * DAY_MS, period.to_ms)
    asked = _asked(trader_id, source, days) | {"step": DAY_MS, "begin": period.from_ms}
    return sql.rows_as(CurvePoint, _DAY_ENDS, asked)


def trade_sums(trader_id: str, period: Period) -> TradeSums:
    """Of trades that closed in the period. Raises TookTooLong."""
    (row,) = fetch(_TRADES, _of(trader_id, period), limit_ms=LIMIT_MS)
    return TradeSums(**row._asdict())


def trade_ledger(trader_id: str, period: Period) -> TradeLedger:
    """As `trade_sums`, from the trades themselves. Raises TookTooLong."""
    (row,) = fetch(_LEDGER, _of(trader_id, period), limit_ms=LIMIT_MS)
    return TradeLedger(**row._asdict())


def fleet_returns(periods: Sequence[Period]) -> list[FleetReturn | None]:
    """Of each period, in the given order: what the traders with equity before and in it returned together (Modified
    Dietz over the whole period). None where there was none. One statement. Raises TookTooLong."""
    found: list[FleetReturn | None] = [None] * len(periods)
    asked = {"from": [period.from_ms for period in periods], "until": [period.to_ms for period in periods]}
    if not periods:
        return found
    with time_limit(LIMIT_MS):
        rows = reads.rows(_FLEET, asked | {"traders": _WITH_CAPITAL})
    sums = dict[int, tuple[int, Decimal, Decimal]]()
    for row in rows:
        traders, base, gained = sums.get(row.place, (0, Decimal(0), Decimal(0)))
        sums[row.place] = traders + row.traders, base + row.base, gained + row.gained
    for place, (traders, base, gained) in sums.items():
        if base > 0:
            found[place - 1] = FleetReturn(traders, 100 * gained / base)
    return found


def quoted_returns(trader_id: str, periods: Sequence[Period]) -> list[ReferenceReturn | None]:
    """As `prices.reference_returns`, by the quotes that the trader's decisions saw."""
    found: list[ReferenceReturn | None] = [None] * len(periods)
    asked = {
        "trader": trader_id,
        "from": [moment_of(period.from_ms) for period in periods],
        "until": [moment_of(period.to_ms) for period in periods],
        "ages": [timedelta(milliseconds=allowed_age_ms(period)) for period in periods],
        "underlying": BTC,
    }
    for row in sql.rows(_QUOTED_RETURNS, asked) if periods else ():
        found[row.place - 1] = ReferenceReturn(row.symbol, row.from_ms, row.from_price, row.until_ms, row.until_price)
    return found


def decision_counts(trader_id: str, versions: Sequence[int]) -> dict[int, int]:
    """{version: its decisions that count}, from an index."""
    rows = DecisionJournal.objects.filter(COUNTED, trader=trader_id, config_version__in=versions)
    return dict(rows.order_by().values_list("config_version").annotate(Count("pk")))


def uses(trader_id: str, versions: Sequence[int]) -> dict[int, VersionUse]:
    """{version: what its decisions used}."""
    rows = DecisionJournal.objects.filter(COUNTED, trader=trader_id, config_version__in=versions).order_by()
    sums = {name: Sum(name) for name in ("prompt_tokens", "completion_tokens", "cost_usd")}
    found = [VersionUse(**_used(row)) for row in rows.values("config_version").annotate(**sums)]
    return {use.version: use for use in found}


def acted(trader_id: str) -> QuerySet[DecisionJournal]:
    """The decisions that made an order, had one refused, or failed; newest first."""
    rows = DecisionJournal.objects.filter(COUNTED, DID_SOMETHING, trader=trader_id)
    return rows.order_by("-decided_at", "-pk")


def _used(row: Mapping[str, Any]) -> dict[str, Any]:
    whole = {name: None if row[name] is None else int(row[name]) for name in ("prompt_tokens", "completion_tokens")}
    return {"version": row["config_version"], "cost_usd": row["cost_usd"], **whole}


def _asked(trader_id: str, source: str, period: Period) -> dict[str, object]:
    return _of(trader_id, period) | {"source": source}


def _of(trader_id: str, period: Period) -> dict[str, object]:
    return {"trader": trader_id, "from": period.from_ms, "until": period.to_ms}
