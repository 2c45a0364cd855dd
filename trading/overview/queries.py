"""What the fleet page reads of the record. Reads only; the number of statements does not grow with the traders."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from django.db.models import BooleanField, Max, QuerySet, Sum
from django.db.models.expressions import RawSQL

from traders.database import sql
from traders.database.among import among
from traders.models import TraderConfig, TraderConfigVersion
from trading.manager_models import ManagerCycle
from trading.models import RecordExclusion, VersionResult
from trading.record.stored.equity.chains import PREFERRED_SERIES
from trading.record.stored.safe_sql import EQUITY_COUNTS, has_own_capital, is_moment, items, number
from trading.record.stored.spread import reads
from trading.schema.ids import decision_name

_OF_SERIES = f"e.trader_id = s.trader_id AND e.source = s.source AND {EQUITY_COUNTS}"
# Of a trader that began within the period its first point takes the place of the one before.
_EDGES = f"""
WITH s AS MATERIALIZED ({PREFERRED_SERIES})
SELECT s.trader_id, s.source, a.ts_ms AS before_ms, a.equity_usd AS before, f.ts_ms AS first_ms, f.equity_usd AS first,
       l.ts_ms AS last_ms, l.equity_usd AS last
  FROM s
 CROSS JOIN LATERAL (SELECT ts_ms, equity_usd FROM equity_snapshots e WHERE {_OF_SERIES} AND e.ts_ms <= %(to_ms)s
                      ORDER BY ts_ms DESC LIMIT 1) l
  LEFT JOIN LATERAL (SELECT ts_ms, equity_usd FROM equity_snapshots e WHERE {_OF_SERIES} AND e.ts_ms <= %(from_ms)s
                      ORDER BY ts_ms DESC LIMIT 1) a ON true
  LEFT JOIN LATERAL (SELECT ts_ms, equity_usd FROM equity_snapshots e
                      WHERE a.ts_ms IS NULL AND {_OF_SERIES} AND e.ts_ms > %(from_ms)s
                      ORDER BY ts_ms LIMIT 1) f ON true
 ORDER BY s.trader_id
"""
# One probe of the primary key for each trader and moment, however many points lie between them.
_AT = f"""
  FROM unnest(%(moments)s::bigint[]) WITH ORDINALITY AS m (at, place)
 CROSS JOIN unnest(%(traders)s::text[], %(sources)s::text[], %(until)s::bigint[]) AS s (trader_id, source, until_ms)
  {{join}} JOIN LATERAL (SELECT equity_usd FROM equity_snapshots e WHERE {_OF_SERIES} AND e.ts_ms <= m.at
                          AND m.at <= s.until_ms ORDER BY ts_ms DESC LIMIT 1) e ON true
"""
_SUMS = f"SELECT m.at, sum(e.equity_usd) AS equity {_AT.format(join='')} GROUP BY m.at ORDER BY m.at"
_CURVES = f"""
SELECT s.trader_id, array_agg(e.equity_usd::float8 ORDER BY m.place) AS equity {_AT.format(join="LEFT")}
 GROUP BY s.trader_id
"""
_IS_ON_PAPER = has_own_capital('"trader_config"."detail"')
# Points below one peak fall deepest at the lowest: a division a peak, not a point.
_SPANS = f"""
SELECT s.place, p.highest, p.lowest, l.equity_usd AS last, coalesce(p.fall, 0)::float8 AS fall
  FROM unnest(%(traders)s::text[], %(sources)s::text[], %(since)s::bigint[], %(until)s::bigint[], %(places)s::int[])
       AS s (trader_id, source, since_ms, until_ms, place)
 CROSS JOIN LATERAL (
       SELECT max(peak) AS highest, min(lowest) AS lowest, max(last_ms) AS last_ms,
              max(CASE WHEN peak > 0 THEN 1 - lowest / peak END) AS fall
         FROM (SELECT peak, min(equity_usd) AS lowest, max(ts_ms) AS last_ms
                 FROM (SELECT ts_ms, equity_usd, max(equity_usd) OVER (ORDER BY ts_ms) AS peak
                         FROM equity_snapshots e
                        WHERE {_OF_SERIES} AND e.ts_ms >= s.since_ms AND e.ts_ms < s.until_ms) points
                GROUP BY peak) peaks) p
  JOIN equity_snapshots l ON l.trader_id = s.trader_id AND l.ts_ms = p.last_ms
"""
_FIRST = f"SELECT min(ts_ms) FROM (SELECT ts_ms FROM equity_snapshots WHERE {EQUITY_COUNTS} ORDER BY ts_ms LIMIT 1) e"
_COSTS = f"""
SELECT j.trader_id, sum({number("j.detail", "usage.cost_usd")}) AS cost
  FROM decision_journal j
 WHERE j.trader_id = ANY (%(traders)s) AND j.exclusion_id IS NULL AND j.decided_at >= %(since)s GROUP BY j.trader_id
"""
# The newest decisions are few and at hand; an order is what names one, or what a check or the exchange refused.
_ORDERED = f"""
SELECT j.id, j.trader_id, j.config_version, j.decided_at, a ->> 'symbol' AS symbol, a ->> 'action' AS action,
       a -> 'ok' = 'true'::jsonb AS is_done, {number("a", "position_size_usd")} AS size_usd, a ->> 'error' AS error
  FROM (SELECT id, trader_id, config_version, decided_at, detail FROM decision_journal
         WHERE exclusion_id IS NULL AND {is_moment("decided_at")} ORDER BY decided_at DESC, id DESC LIMIT %(among)s) j
 CROSS JOIN LATERAL jsonb_array_elements({items("j.detail", "actions")}) AS a
 WHERE a ->> 'action' NOT IN ('hold', 'wait') ORDER BY j.decided_at DESC, j.id DESC LIMIT %(most)s
"""
LOOKED_AT = 400


@dataclass(frozen=True, slots=True)
class TraderEdges:
    """Equity in USD of a trader's series: the last point at or before the beginning of the period, without one the
    first point within it, and the last point of the period."""

    trader_id: str
    source: str
    before_ms: int | None
    before: Decimal | None
    first_ms: int | None
    first: Decimal | None
    last_ms: int
    last: Decimal


class SpanAsked(NamedTuple):
    """A part of a trader's series, in milliseconds; the end is not part of it."""

    trader_id: str
    source: str
    since_ms: int
    until_ms: int


class EquitySpan(NamedTuple):
    """Equity in USD; `fall` is the deepest one below a peak of the span itself, as a fraction of it."""

    highest: Decimal
    lowest: Decimal
    last: Decimal
    fall: float


@dataclass(frozen=True, slots=True)
class OrderedDecision:
    """An order that a decision asked for. `size_usd` None: it names none."""

    id: int
    trader_id: str
    config_version: int | None
    decided_at: datetime
    symbol: str | None
    action: str
    is_done: bool | None
    size_usd: Decimal | None
    error: str | None

    @property
    def name(self) -> str:
        """As the decision's address has it."""
        return decision_name(self.trader_id, self.id)


@dataclass(frozen=True, slots=True)
class BoardTradeSums:
    """Of all trades of a trader: their number, those with a gain, and net P&L in USD."""

    trades: int
    wins: int
    net_usd: Decimal


@dataclass(frozen=True, slots=True)
class LastCycle:
    """The newest cycle of a manager, and the decision interval of its trader."""

    opened_at: datetime
    interval: timedelta


def last_cycle() -> LastCycle | None:
    """The table has a row a trader."""
    rows = ManagerCycle.objects.order_by("-opened_at").values_list("opened_at", "trader__decision_interval_seconds")
    found = rows.first()
    return LastCycle(found[0], timedelta(seconds=found[1] or 0)) if found else None


def traders() -> QuerySet[TraderConfig]:
    """With what engines reported, without the configurations. `is_on_paper`: a paper variant, whose capital is none of
    the fleet's."""
    found = TraderConfig.objects.select_related("runtime_state").defer("detail").order_by("pk")
    return found.annotate(is_on_paper=RawSQL(_IS_ON_PAPER, [], output_field=BooleanField()))


def first_equity_ms() -> int | None:
    found: int | None = sql.value(_FIRST)
    return found


def newest_exclusion() -> int:
    """Of the record: what was computed under another one is no longer so."""
    return int(RecordExclusion.objects.aggregate(newest=Max("pk"))["newest"] or 0)


def edges(trader_ids: Collection[str], from_ms: int, to_ms: int) -> dict[str, TraderEdges]:
    """{trader: its edges} of those with equity until the end of the period."""
    found = reads.rows_as(TraderEdges, _EDGES, {"traders": list(trader_ids), "from_ms": from_ms, "to_ms": to_ms})
    return {one.trader_id: one for one in found}


def sums_at(series: Mapping[str, tuple[str, int]], moments: Sequence[int]) -> dict[int, Decimal]:
    """{moment: the equity of all series together} of moments at which one of them had begun. `series` is {trader:
    (source, the last moment at which it counts)}; between two points the earlier one counts."""
    if not series or not moments:
        return {}
    sums = dict[int, Decimal]()
    for row in reads.rows(_SUMS, _asked(series, moments), beside=["sources", "until"]):
        sums[row.at] = sums.get(row.at, Decimal(0)) + row.equity
    return dict(sorted(sums.items()))


def curves_at(series: Mapping[str, tuple[str, int]], moments: Sequence[int]) -> dict[str, list[float | None]]:
    """{trader: its equity at each of the moments, None before its first point}. As `sums_at`."""
    if not series or not moments:
        return {}
    found = reads.rows(_CURVES, _asked(series, moments), beside=["sources", "until"])
    return {row.trader_id: row.equity for row in found}


def spans(asked: Sequence[SpanAsked]) -> dict[SpanAsked, EquitySpan]:
    """Of those in which there is a point. One statement."""
    if not asked:
        return {}
    traders, sources, since, until = map(list, zip(*asked, strict=True))
    places = list(range(len(asked)))
    given = {"traders": traders, "sources": sources, "since": since, "until": until, "places": places}
    rows = reads.rows(_SPANS, given, beside=["sources", "since", "until", "places"])
    return {asked[row.place]: EquitySpan(row.highest, row.lowest, row.last, row.fall) for row in rows}


def trade_sums(trader_ids: Collection[str] | None = None) -> dict[str, BoardTradeSums]:
    """Of those of these traders, or of all, that have trades, from the sums that the database keeps."""
    rows = VersionResult.objects.all()
    if trader_ids is not None:
        rows = rows.filter(among("trader", trader_ids))
    found = rows.values_list("trader_id").order_by("trader_id")
    sums = found.annotate(trades=Sum("trades"), wins=Sum("wins"), net=Sum("net_pnl"))
    return {trader_id: BoardTradeSums(*rest) for trader_id, *rest in sums}


def costs(trader_ids: Collection[str], since: datetime) -> dict[str, Decimal | None]:
    """{trader: what its decisions since cost, USD}; None where no decision names a cost."""
    rows = sql.rows(_COSTS, {"traders": list(trader_ids), "since": since})
    return {row.trader_id: row.cost for row in rows}


def ordered(most: int) -> list[OrderedDecision]:
    """The newest orders, of the newest LOOKED_AT decisions."""
    return sql.rows_as(OrderedDecision, _ORDERED, {"among": LOOKED_AT, "most": most})


def versions_between(trader_ids: Collection[str], since: datetime, until: datetime, most: int) -> list[Any]:
    """(id, version, history_date, history_user_id, history_change_reason, change_set), the newest first."""
    rows = TraderConfigVersion.objects.filter(
        among("id", trader_ids), version__gt=1, history_date__gte=since, history_date__lte=until
    )
    columns = ("id", "version", "history_date", "history_user_id", "history_change_reason", "change_set")
    return list(rows.order_by("-history_date").values_list(*columns, named=True)[:most])


def _asked(series: Mapping[str, tuple[str, int]], moments: Sequence[int]) -> dict[str, Any]:
    return {
        "moments": list(moments),
        "traders": list(series),
        "sources": [source for source, _until in series.values()],
        "until": [until for _source, until in series.values()],
    }
