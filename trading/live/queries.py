"""The values of the live store as PostgreSQL has them for each trader. Reads only.

`as_of` is the moment before the statement's snapshot. A writer projects after its commit, so of two projections the
one with the later `as_of` knows at least as much: the store may keep the newer and drop the other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from traders.database import sql
from trading.analytics import inception
from trading.analytics.inception import EquityDay
from trading.analytics.returns import DAY_MS
from trading.analytics.stats import exact_sum
from trading.live.rows import conversation_of, decision_of, position_of, positions_of, trade_of
from trading.record.stored import transfers
from trading.record.stored.counted import MESSAGE_COUNTS
from trading.record.stored.equity import chains
from trading.record.stored.equity.chains import PREFERRED_SERIES
from trading.record.stored.safe_sql import (
    EQUITY_COUNTS,
    bounded,
    epoch_ms,
    has_own_capital,
    is_bounded,
    is_moment,
    is_moment_ms,
    items,
    moment_ms,
    number,
)
from trading.record.stored.spread import reads
from trading.schema.common import Realized
from trading.schema.facts import EquityPoint
from trading.schema.live_store import values as live
from trading.schema.live_store.limits import MOST_CONVERSATIONS, MOST_TRADES
from trading.schema.live_store.quotes import Providers

MOST_ERROR_CHARACTERS = 500
ZERO = Decimal(0)
_NOW = "(extract(epoch FROM statement_timestamp()) * 1000000)::bigint"
_WANTED = "%(all)s OR c.id = ANY (%(traders)s)"
_TRADERS = f"""
SELECT c.id, c.retired AS is_retired, {has_own_capital("c.detail")} AS is_on_paper
  FROM trader_config c WHERE {_WANTED} ORDER BY c.id
"""
# With the sums of its trades, which are NULL for a trader without any.
_RESULTS = f"""
SELECT {_NOW} AS as_of, c.id AS trader_id, c.retired AS is_retired,
       sum(r.trades)::bigint AS trades, sum(r.wins)::bigint AS wins, sum(r.losses)::bigint AS losses,
       coalesce(sum({bounded("r.net_pnl")}), 0) AS net, coalesce(sum({bounded("r.gross_pnl")}), 0) AS gross,
       coalesce(sum({bounded("r.commission")}), 0) AS fees, coalesce(sum({bounded("r.funding")}), 0) AS funding,
       min(CASE WHEN {is_moment_ms("r.first_close_ms")} THEN r.first_close_ms END) AS first_close_ms,
       max(CASE WHEN {is_moment_ms("r.last_close_ms")} THEN r.last_close_ms END) AS last_close_ms
  FROM trader_config c LEFT JOIN version_results r ON r.trader_id = c.id
 WHERE {_WANTED} GROUP BY c.id, c.retired ORDER BY c.id
"""
_PROVIDERS = f"SELECT c.id, c.exchange_provider, c.market_provider FROM trader_config c WHERE {_WANTED} ORDER BY c.id"
_PROVIDER_NAMES = """
SELECT unnest(ARRAY[exchange_provider, market_provider]) FROM (
       SELECT DISTINCT exchange_provider, market_provider FROM trader_config) p
"""
_VALUERS = f"""
SELECT c.id, c.exchange_provider, c.market_provider, ARRAY({_PROVIDER_NAMES}) AS names
  FROM trader_config c WHERE {_WANTED} ORDER BY c.id
"""
_POSITION_IS_READABLE = f"{is_bounded('quantity')} AND {is_bounded('entry_price')} AND {is_moment_ms('opened_ms')}"
_POSITIONS = f"""
SELECT trader_id, symbol, side, quantity, entry_price, {bounded("leverage")} AS leverage,
       {number("detail", "risk.confidence")} AS confidence, {number("detail", "risk.risk_usd")} AS risk_usd, opened_ms,
       coalesce({epoch_ms("updated_at")}, opened_ms) AS updated_ms, detail #>> '{{exchange,provider}}' AS exchange,
       {number("detail", "realized.gross")} AS gross,
       coalesce({number("detail", "realized.commission")}, {number("detail", "entry.commission")}) AS commission,
       {number("detail", "realized.funding")} AS funding
  FROM positions
 WHERE trader_id = ANY (%(traders)s) AND status = 'open' AND exclusion_id IS NULL AND {_POSITION_IS_READABLE}
 ORDER BY trader_id, symbol
"""
# What cannot be read is left out before the last ones are taken, so that it takes no other trade's place.
_TRADES = f"""
SELECT t.trader_id, t.symbol, t.side, t.quantity, t.entry AS entry_price, t.exit AS exit_price,
       t.net_pnl AS net_pnl_usd, t.close_ts_ms AS closed_ms, t.id, t.opened_ms, {bounded("t.leverage")} AS leverage,
       {bounded("t.confidence")} AS confidence, t.detail #>> '{{exchange,provider}}' AS exchange
  FROM unnest(%(traders)s::text[]) AS wanted (id)
 CROSS JOIN LATERAL (
       SELECT * FROM (
              SELECT *, {number("detail", "prices.avg_entry")} AS entry, {number("detail", "prices.avg_exit")} AS exit,
                     {moment_ms("detail", "time.open_ts_ms")} AS opened_ms
                FROM trades WHERE trader_id = wanted.id AND exclusion_id IS NULL) whole
        WHERE entry IS NOT NULL AND exit IS NOT NULL AND opened_ms IS NOT NULL AND {is_moment_ms("close_ts_ms")}
          AND {is_bounded("quantity")} AND {is_bounded("net_pnl")}
        ORDER BY close_ts_ms DESC, id DESC LIMIT %(most)s) t
 ORDER BY t.trader_id, t.close_ts_ms DESC, t.id DESC
"""
# Of each trader its preferred series (as the analytics choose it), one point a day and the very first and last. Points
# below one peak fall deepest at the lowest: a division a peak, not a point.
_EQUITY = f"""
WITH series AS MATERIALIZED ({PREFERRED_SERIES})
SELECT s.trader_id, d.first_ms, f.equity_usd AS first, l.equity_usd AS last, d.fall_pct, d.points
  FROM series s
 CROSS JOIN LATERAL (
       SELECT min(first_ms) AS first_ms, max(last_ms) AS last_ms, sum(points)::bigint AS points,
              max(CASE WHEN peak > 0 THEN least(100 * (peak - lowest) / peak, 100) END) AS fall_pct
         FROM (SELECT ts_ms / {DAY_MS} AS day, peak, min(ts_ms) AS first_ms, max(ts_ms) AS last_ms,
                      min(equity_usd) AS lowest, count(*) AS points, max(max(peak)) OVER () AS highest
                 FROM (SELECT ts_ms, equity_usd, max(equity_usd) OVER (ORDER BY ts_ms) AS peak
                         FROM equity_snapshots e
                        WHERE e.trader_id = s.trader_id AND e.source = s.source AND {EQUITY_COUNTS}) points
                GROUP BY 1, 2) peaks
        WHERE peak > 0 OR highest <= 0 GROUP BY day) d
  JOIN equity_snapshots f ON f.trader_id = s.trader_id AND f.ts_ms = d.first_ms
  JOIN equity_snapshots l ON l.trader_id = s.trader_id AND l.ts_ms = d.last_ms
 ORDER BY s.trader_id, d.first_ms
"""
_POINTS = f"""
WITH series AS MATERIALIZED ({PREFERRED_SERIES})
SELECT e.trader_id, e.ts_ms, e.equity_usd AS equity, e.source
  FROM equity_snapshots e JOIN series USING (trader_id, source) WHERE {EQUITY_COUNTS}
 ORDER BY e.trader_id, e.ts_ms
"""
# All less those set aside: two counts from indexes alone.
_DECISIONS = f"""
SELECT wanted.id AS trader_id, j.decided_ms, j.success, j.first ->> 'symbol' AS symbol, j.first ->> 'action' AS action,
       {number("j.first", "confidence")} AS confidence, left(j.error, {MOST_ERROR_CHARACTERS}) AS error,
       j.config_version, j.id, j.cycle_number, j.done, j.actions,
       (SELECT count(*) FROM decision_journal WHERE trader_id = wanted.id)
           - (SELECT count(*) FROM decision_journal WHERE trader_id = wanted.id AND exclusion_id IS NOT NULL)
           AS decisions
  FROM unnest(%(traders)s::text[]) AS wanted (id)
 CROSS JOIN LATERAL (
       SELECT id, {epoch_ms("decided_at")} AS decided_ms, success, config_version,
              cycle_number, detail #> '{{decisions,0}}' AS first, detail ->> 'error' AS error,
              (SELECT count(*) FROM jsonb_array_elements({items("detail", "actions")}) a
                WHERE a -> 'ok' = 'true'::jsonb) AS done,
              jsonb_array_length({items("detail", "actions")}) AS actions
         FROM decision_journal
        WHERE trader_id = wanted.id AND exclusion_id IS NULL AND jsonb_typeof(detail) = 'object'
          AND {is_moment("decided_at")}
        ORDER BY decided_at DESC, id DESC LIMIT 1) j
"""
_THAT_DECIDED = """
SELECT wanted.id FROM unnest(%(traders)s::text[]) AS wanted (id)
 WHERE EXISTS (SELECT 1 FROM decision_journal WHERE trader_id = wanted.id AND exclusion_id IS NULL)
"""
_CONVERSATIONS = f"""
SELECT wanted.id AS trader_id, c.conversation, c.messages, {epoch_ms("c.sent_at")} AS sent_ms
  FROM unnest(%(traders)s::text[]) AS wanted (id)
 CROSS JOIN LATERAL (
       SELECT conversation, count(*) AS messages, max(sent_at) FILTER (WHERE {is_moment("sent_at")}) AS sent_at
         FROM conversation_messages m WHERE trader_id = wanted.id AND {MESSAGE_COUNTS}
        GROUP BY conversation ORDER BY 3 DESC NULLS LAST, conversation DESC LIMIT %(most)s) c
 ORDER BY wanted.id, c.sent_at DESC NULLS LAST, c.conversation DESC
"""


@dataclass(frozen=True)
class FiguresProjection:
    """What the equity of some traders moves: a value of each kind for every one of them, empty values included."""

    as_of: int
    retired: dict[str, bool]
    analytics: dict[str, live.Analytics]
    inception: dict[str, live.SinceInception]

    @property
    def traders(self) -> list[str]:
        return list(self.retired)


@dataclass(frozen=True)
class FleetProjection(FiguresProjection):
    """All values; `decisions` and `conversations` only where there are any."""

    positions: dict[str, live.Positions]
    trades: dict[str, live.RecentTrades]
    decisions: dict[str, live.DecisionLast]
    conversations: dict[str, tuple[live.Conversation, ...]]


@dataclass(frozen=True)
class _FigureRows:
    """{trader: its rows}."""

    figures: FiguresProjection
    decided: dict[str, Any]
    held: dict[str, list[Any]]


def project(trader_ids: Collection[str] | None = None) -> FleetProjection:
    """Projects these traders, or the whole fleet; unknown traders are left out. Seven statements; eleven with
    transfers."""
    found = _figure_rows(trader_ids)
    figures, as_of = found.figures, found.figures.as_of
    asked = {"traders": figures.traders, "most": MOST_TRADES}
    traded = _grouped(reads.rows(_TRADES, asked))
    talked = _grouped(reads.rows(_CONVERSATIONS, asked | {"most": MOST_CONVERSATIONS}))
    return FleetProjection(
        as_of=as_of,
        retired=figures.retired,
        analytics=figures.analytics,
        inception=figures.inception,
        positions={name: positions_of(as_of, found.held.get(name, ())) for name in figures.retired},
        trades={name: live.RecentTrades(as_of, tuple(map(trade_of, traded.get(name, ())))) for name in figures.retired},
        decisions={name: decision_of(as_of, row) for name, row in found.decided.items()},
        conversations={name: tuple(conversation_of(as_of, row) for row in rows) for name, rows in talked.items()},
    )


def figures(trader_ids: Collection[str]) -> FiguresProjection:
    """As `project`, without what equity does not move. Five statements; nine with transfers."""
    return _figure_rows(trader_ids).figures


def _figure_rows(trader_ids: Collection[str] | None) -> _FigureRows:
    rows = sql.rows(_RESULTS, {"all": trader_ids is None, "traders": list(trader_ids or ())})
    as_of = int(rows[0].as_of if rows else sql.value(f"SELECT {_NOW}"))
    retired = {row.trader_id: row.is_retired for row in rows}
    results = {row.trader_id: row for row in rows if row.trades is not None}
    asked = {"traders": list(retired)}
    decided = _by_trader(reads.rows(_DECISIONS, asked))
    equity = _equity(list(retired))
    held = _grouped(sql.rows(_POSITIONS, asked))
    earned = {name: _earned(results.get(name), held.get(name, ())) for name in retired}
    made = FiguresProjection(
        as_of=as_of,
        retired=retired,
        analytics={
            name: _analytics(as_of, results.get(name), earned[name], equity.get(name), decided.get(name))
            for name in retired
        },
        inception={
            name: _inception(as_of, results.get(name), earned[name], equity.get(name), decided.get(name))
            for name in retired
        },
    )
    return _FigureRows(made, decided, held)


def _equity(trader_ids: list[str]) -> dict[str, inception.Equity]:
    """Equity by days, which the database sums up; for a trader whose chain of returns broke, from all its points."""
    flows = transfers.flows(trader_ids)
    plain = {"traders": [name for name in trader_ids if name not in flows]}
    found = {name: inception.equity_of(map(_day, days)) for name, days in _grouped(reads.rows(_EQUITY, plain)).items()}
    series = chains.series_of(flows)
    for name, days in chains.days_of(series).items():
        chain = series[name].chain
        assert chain is not None
        found[name] = inception.equity_of_chain(chain, days, series[name].last, flows[name])
    points = equity_points([name for name in flows if name not in found])
    return found | {name: inception.equity_with_transfers(points[name], flows[name]) for name in points}


def equity_points(trader_ids: Collection[str]) -> dict[str, list[EquityPoint]]:
    """{trader: its preferred series, ascending} of traders with equity."""
    found: dict[str, list[EquityPoint]] = {}
    for point in reads.rows_as(EquityPoint, _POINTS, {"traders": list(trader_ids)}) if trader_ids else ():
        found.setdefault(point.trader_id, []).append(point)
    return found


def holdings(trader_ids: Collection[str]) -> dict[str, dict[str, live.LivePosition]]:
    """{trader: {symbol: its open position}} of traders with open positions."""
    held = _grouped(sql.rows(_POSITIONS, {"traders": list(trader_ids)}))
    return {name: {row.symbol: position_of(row) for row in rows} for name, rows in held.items()}


@dataclass(frozen=True, slots=True)
class FleetMember:
    """`is_on_paper`: its capital is its own, and none of the fleet's."""

    id: str
    is_retired: bool
    is_on_paper: bool


def members() -> list[FleetMember]:
    """In order of id."""
    return sql.rows_as(FleetMember, _TRADERS, {"all": True, "traders": []})


def fleet() -> dict[str, bool]:
    """{trader id: whether it is retired}, in order of id."""
    return {one.id: one.is_retired for one in members()}


def deciding() -> frozenset[str]:
    """The traders with a decision that counts."""
    return frozenset(row.id for row in reads.rows(_THAT_DECIDED, {"traders": reads.FLEET}))


def providers(trader_ids: Collection[str] | None = None) -> dict[str, Providers]:
    """{trader id: where it trades and whose market data it reads}, of these or of the whole fleet."""
    asked = {"all": trader_ids is None, "traders": list(trader_ids or ())}
    return {row.id: Providers(row.exchange_provider, row.market_provider) for row in sql.rows(_PROVIDERS, asked)}


def valuers(trader_ids: Collection[str]) -> tuple[dict[str, Providers], frozenset[str]]:
    """`providers` of these traders and `provider_names`, in one statement; no names where there is no such trader."""
    found = sql.rows(_VALUERS, {"all": False, "traders": list(trader_ids)})
    owners = {row.id: Providers(row.exchange_provider, row.market_provider) for row in found}
    return owners, frozenset(found[0].names if found else ())


def provider_names() -> frozenset[str]:
    """The providers by which the fields of prices are read."""
    return frozenset(sql.values(_PROVIDER_NAMES))


def _day(row: Any) -> EquityDay:
    return EquityDay(row.first_ms, row.first, row.last, row.fall_pct, row.points)


def _earned(results: Any, held: Iterable[Any]) -> Realized:
    """P&L of closed trades and of the closed parts of open positions; commission of entries counts once it is paid."""
    rows = list(held)
    whole = Realized(gross=ZERO, commission=ZERO, funding=ZERO, net=ZERO)
    if results:
        whole = Realized(gross=results.gross, commission=results.fees, funding=results.funding, net=results.net)
    gross, fees, funding = (
        exact_sum(amount for row in rows if (amount := getattr(row, name)) is not None)
        for name in ("gross", "commission", "funding")
    )
    return Realized(
        gross=exact_sum([whole.gross, gross]),
        commission=exact_sum([whole.commission, fees]),
        funding=exact_sum([whole.funding, funding]),
        net=exact_sum([whole.net, gross, -fees, funding]),
    )


def _analytics(
    as_of: int, results: Any, earned: Realized, equity: inception.Equity | None, decided: Any
) -> live.Analytics:
    """`results`, `equity` and `decided` are None for a trader without trades, equity or decisions."""
    return live.Analytics(
        as_of=as_of,
        net_pnl_usd=earned.net,
        trades=results.trades if results else 0,
        wins=results.wins if results else 0,
        losses=results.losses if results else 0,
        win_rate_pct=100 * results.wins / results.trades if results and results.trades else None,
        gross_pnl_usd=earned.gross,
        fees_usd=earned.commission,
        funding_usd=earned.funding,
        return_pct=equity.return_pct if equity else None,
        sharpe=equity.sharpe if equity else None,
        max_drawdown_pct=equity.max_drawdown_pct if equity else None,
        last_close_ms=results.last_close_ms if results else None,
        executed_share=decided.done / decided.actions if decided and decided.actions else None,
        last_actions=decided.actions if decided else None,
    )


def _inception(
    as_of: int, results: Any, earned: Realized, equity: inception.Equity | None, decided: Any
) -> live.SinceInception:
    first_close_ms = results.first_close_ms if results else None
    return live.SinceInception(
        as_of=as_of,
        net_pnl_usd=equity.gained if equity else earned.net,
        return_pct=equity.return_pct if equity else None,
        sharpe=equity.sharpe if equity else None,
        start_equity_usd=equity.first if equity else None,
        equity_usd=equity.last if equity else None,
        inception_ms=equity.first_ms if equity else first_close_ms,
        decisions=decided.decisions if decided else 0,
    )


def _by_trader(rows: Iterable[Any]) -> dict[str, Any]:
    """{trader: its only row}."""
    return {row.trader_id: row for row in rows}


def _grouped(rows: Iterable[Any]) -> dict[str, list[Any]]:
    """{trader: its rows}."""
    found: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        found[row.trader_id].append(row)
    return found
