"""The index of returns of traders with transfers, read from the points beside the transfers. Reads only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trading.analytics.chains import Chain, IndexDay, TransferEdge, chain_of
from trading.analytics.flows import INDEX_START, EquityStart
from trading.analytics.returns import DAY_MS
from trading.record.stored.safe_sql import EQUITY_COUNTS
from trading.record.stored.spread import reads
from trading.schema.facts import EquityPoint, Flow

_FIRST_OF = f"""(SELECT source FROM equity_snapshots
                WHERE trader_id = wanted.id AND source = {{source}} AND {EQUITY_COUNTS} ORDER BY ts_ms LIMIT 1)"""
# Of each trader its preferred source, as the analytics choose it. Looks for a first row of each, where DISTINCT would
# read every point. Put it into a WITH as MATERIALIZED, or it is looked for again at each point.
PREFERRED_SERIES = f"""
SELECT trader_id, source FROM (
       SELECT wanted.id AS trader_id, coalesce({_FIRST_OF.format(source="'engine'")},
              {_FIRST_OF.format(source="'imported'")},
              (SELECT min(source) FROM equity_snapshots WHERE trader_id = wanted.id AND {EQUITY_COUNTS})) AS source
         FROM unnest(%(traders)s::text[]) AS wanted (id)) s WHERE source IS NOT NULL
"""
_OF_SERIES = f"e.trader_id = s.trader_id AND e.source = s.source AND {EQUITY_COUNTS}"
# Without an initial transfer a trader starts with its first equity above 0.
_ENDS = f"""
WITH preferred AS MATERIALIZED ({PREFERRED_SERIES}),
given AS (SELECT * FROM unnest(%(traders)s::text[], %(starts)s::bigint[]) AS g (trader_id, start_ms)),
s AS (SELECT trader_id, source, start_ms FROM preferred JOIN given USING (trader_id))
SELECT s.trader_id, s.source, f.ts_ms AS first_ms, f.equity_usd AS first, l.ts_ms AS last_ms, l.equity_usd AS last,
       (SELECT max(ts_ms) FROM equity_snapshots e WHERE {_OF_SERIES} AND equity_usd <= 0) AS zero_ms
  FROM s
 CROSS JOIN LATERAL (SELECT ts_ms, equity_usd FROM equity_snapshots e WHERE {_OF_SERIES}
                        AND CASE WHEN s.start_ms IS NULL THEN equity_usd > 0 ELSE e.ts_ms >= s.start_ms END
                      ORDER BY ts_ms LIMIT 1) f
 CROSS JOIN LATERAL (SELECT ts_ms, equity_usd FROM equity_snapshots e WHERE {_OF_SERIES}
                      ORDER BY ts_ms DESC LIMIT 1) l
"""
_EDGES = f"""
SELECT s.trader_id, b.ts_ms AS before_ms, b.equity_usd AS before, a.ts_ms AS after_ms, a.equity_usd AS after
  FROM unnest(%(traders)s::text[], %(sources)s::text[], %(moments)s::bigint[]) AS s (trader_id, source, at_ms)
 CROSS JOIN LATERAL (SELECT ts_ms, equity_usd FROM equity_snapshots e WHERE {_OF_SERIES} AND e.ts_ms < s.at_ms
                      ORDER BY ts_ms DESC LIMIT 1) b
 CROSS JOIN LATERAL (SELECT ts_ms, equity_usd FROM equity_snapshots e WHERE {_OF_SERIES} AND e.ts_ms >= s.at_ms
                      ORDER BY ts_ms LIMIT 1) a
 ORDER BY s.trader_id, s.at_ms
"""


# The peak of a day is never below the start of the index. Binary fractions, as all ratios; they are made of a step's
# peaks and of the lowest point below each, because the database makes one of a numeric by way of its text.
_DAYS = f"""
WITH falls AS (
    SELECT s.trader_id, p.day, p.last_ms, p.points, p.highest::float8 * s.factor AS highest,
           p.lowest::float8 * s.factor AS lowest
      FROM unnest(%(traders)s::text[], %(sources)s::text[], %(since)s::bigint[], %(until)s::bigint[],
                  %(factors)s::float8[]) AS s (trader_id, source, since_ms, until_ms, factor)
     CROSS JOIN LATERAL (
           SELECT ts_ms / {DAY_MS} AS day, highest, max(ts_ms) AS last_ms, min(equity_usd) AS lowest, count(*) AS points
             FROM (SELECT ts_ms, equity_usd, max(equity_usd) OVER (ORDER BY ts_ms) AS highest
                     FROM equity_snapshots e
                    WHERE {_OF_SERIES} AND e.ts_ms >= s.since_ms AND e.ts_ms < s.until_ms) step
            GROUP BY 1, 2) p),
peaks AS (
    SELECT *, greatest({INDEX_START}, max(highest) OVER (PARTITION BY trader_id ORDER BY last_ms)) AS peak FROM falls),
days AS (
    SELECT trader_id, max(last_ms) AS last_ms, max(100 * (peak - lowest) / peak) AS fall_pct,
           sum(points)::bigint AS points
      FROM peaks GROUP BY trader_id, day)
SELECT d.trader_id, d.last_ms, e.equity_usd AS last, d.fall_pct, d.points
  FROM days d JOIN equity_snapshots e ON e.trader_id = d.trader_id AND e.ts_ms = d.last_ms
 ORDER BY d.trader_id, d.last_ms
"""


@dataclass(frozen=True, slots=True)
class ChainedSeries:
    """The recorded equity of a trader with transfers since its start. `chain` None: the chain of returns broke, so that
    all its points are needed."""

    source: str
    last: EquityPoint
    chain: Chain | None


def series_of(flows: Mapping[str, Sequence[Flow]]) -> dict[str, ChainedSeries]:
    """{trader: its series} of those with equity at or after their start. Two statements, which read a few points for
    each transfer, however many are recorded."""
    if not flows:
        return {}
    starts = {name: next((flow for flow in flows[name] if flow.is_start), None) for name in flows}
    moments = [start.ts_ms if start else None for start in starts.values()]
    ends = reads.rows(_ENDS, {"traders": list(starts), "starts": moments}, beside=["starts"])
    firsts = {row.trader_id: EquityPoint(row.trader_id, row.first_ms, row.first, row.source) for row in ends}
    edges = _edges(flows, firsts)
    found = {}
    for row in ends:
        name, first, initial = row.trader_id, firsts[row.trader_id], starts[row.trader_id]
        start = EquityStart(initial.ts_ms, initial.amount) if initial else EquityStart(first.ts_ms, first.equity)
        is_broken = row.zero_ms is not None and row.zero_ms >= first.ts_ms
        chain = None if is_broken else chain_of(start, first, edges.get(name, ()), flows[name])
        found[name] = ChainedSeries(row.source, EquityPoint(name, row.last_ms, row.last, row.source), chain)
    return found


def days_of(series: Mapping[str, ChainedSeries]) -> dict[str, list[IndexDay]]:
    """{trader: the index day by day} of those with a chain. One statement."""
    steps = [
        (name, one.source, since_ms, until_ms, factor)
        for name, one in series.items()
        if one.chain
        for since_ms, until_ms, factor in one.chain.steps()
    ]
    if not steps:
        return {}
    names = ("traders", "sources", "since", "until", "factors")
    asked = {name: list(column) for name, column in zip(names, zip(*steps, strict=True), strict=True)}
    found: dict[str, list[IndexDay]] = {}
    for row in reads.rows(_DAYS, asked, beside=names[1:]):
        chain = series[row.trader_id].chain
        assert chain is not None
        last = chain.index(row.last_ms, row.last)
        found.setdefault(row.trader_id, []).append(IndexDay(row.last_ms, last, row.fall_pct, row.points))
    return found


def _edges(flows: Mapping[str, Sequence[Flow]], firsts: Mapping[str, EquityPoint]) -> dict[str, list[TransferEdge]]:
    moments = [
        (name, first.source, flow.ts_ms)
        for name, first in firsts.items()
        for flow in flows[name]
        if not flow.is_start and flow.ts_ms > first.ts_ms
    ]
    found: dict[str, list[TransferEdge]] = {}
    if not moments:
        return found
    traders, sources, times = map(list, zip(*moments, strict=True))
    asked = {"traders": traders, "sources": sources, "moments": times}
    for row in reads.rows(_EDGES, asked, beside=["sources", "moments"]):
        before = EquityPoint(row.trader_id, row.before_ms, row.before)
        after = EquityPoint(row.trader_id, row.after_ms, row.after)
        found.setdefault(row.trader_id, []).append(TransferEdge(before, after))
    return found
