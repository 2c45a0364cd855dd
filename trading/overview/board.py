"""The leaderboard: how each trader stands, with a small curve of the period."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from django.conf import settings

from traders.controls.rules import equity_is_stale
from traders.database.apart import TookTooLong, time_limit
from traders.models import TraderConfig
from traders.runtime.rules import State
from traders.runtime.states import state_of_trader
from trading.analytics.intervals import Period
from trading.analytics.stats import exact_sum
from trading.analytics.today.days import day_of
from trading.live.unrealized import MarkedHolding
from trading.overview import queries
from trading.overview.curves import ENDLESS_MS, GainLine
from trading.overview.period_risk import PeriodRisk, risks
from trading.overview.queries import TraderEdges
from trading.overview.ranges import moments_of, thinned
from trading.templatetags.record import moment_of

PER_PAGE = 20
SPARK_POINTS, SPARK_WIDTH, SPARK_HEIGHT = 40, 96, 22
COST_LIMIT_MS = 1_000
OF_RISK = frozenset({"sharpe", "drawdown"})
"""Sorts that ask for the days of every trader; otherwise those of the shown ones are enough."""
OF_TRADES = frozenset({"pnl", "wins", "trades", "exposure"})
"""Sorts that ask for the trades and positions of every trader, in the same way."""


@dataclass(frozen=True, slots=True)
class BoardLine:
    """A trader. Amounts in USD, rates in %. None: not known. Of the period are `gained_usd`, `return_pct`
    (time-weighted), `sharpe` and `drawdown_pct`; closed trades count since the beginning. `is_fresh`: its newest equity
    is young enough; `spark` are the points of a small curve, as SVG writes them."""

    trader_id: str
    name: str
    state: State
    is_on_paper: bool
    equity_usd: Decimal | None = None
    equity_at: datetime | None = None
    is_fresh: bool = False
    gained_usd: Decimal | None = None
    return_pct: Decimal | None = None
    sharpe: Decimal | None = None
    drawdown_pct: Decimal | None = None
    pnl_usd: Decimal | None = None
    win_rate_pct: Decimal | None = None
    trades: int = 0
    exposure_usd: Decimal | None = None
    cost_usd: Decimal | None = None
    spark: str = ""


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """A page of the traders that are not retired. `unread`: so many of those that the page needs have days that are not
    read yet, so that their Sharpe and drawdown are missing; `has_costs` False: they took too long."""

    lines: Sequence[BoardLine]
    page: int
    pages: int
    sort: str
    unread: int = 0
    has_costs: bool = True


SORTS: Mapping[str, Callable[[BoardLine], Decimal | int | None]] = {
    "return": lambda line: line.return_pct,
    "gained": lambda line: line.gained_usd,
    "equity": lambda line: line.equity_usd,
    "pnl": lambda line: line.pnl_usd,
    "sharpe": lambda line: line.sharpe,
    "drawdown": lambda line: line.drawdown_pct,
    "wins": lambda line: line.win_rate_pct,
    "trades": lambda line: line.trades,
    "exposure": lambda line: line.exposure_usd,
}


def lines_of(
    traders: Sequence[TraderConfig],
    *,
    paper: Collection[str],
    edges: Mapping[str, TraderEdges],
    gains: Sequence[GainLine],
    now: datetime,
) -> list[BoardLine]:
    """Of the traders that are not retired, from PostgreSQL alone."""
    by_trader = {line.trader_id: line for line in gains}
    found = []
    for trader in traders:
        if trader.retired:
            continue
        name, edge, gain = trader.pk, edges.get(trader.pk), by_trader.get(trader.pk)
        at = moment_of(edge.last_ms) if edge else None
        found.append(
            BoardLine(
                name,
                trader.display_name or name,
                state_of_trader(trader, now),
                is_on_paper=name in paper,
                equity_usd=edge.last if edge else None,
                equity_at=at,
                is_fresh=at is not None and not _is_stale(at, trader, now),
                gained_usd=gain.gained_usd if gain else None,
                return_pct=gain.pct if gain else None,
            )
        )
    return found


def board_of(
    lines: Sequence[BoardLine],
    gains: Sequence[GainLine],
    held: Sequence[MarkedHolding] | None,
    *,
    period: Period,
    sort: str,
    page: int,
    now: datetime,
) -> Leaderboard:
    """`held` None: exposures are not known. The best first; what is not known comes last."""
    by_trader = {gain.trader_id: gain for gain in gains}
    known, unread = list(lines), 0
    if sort in OF_TRADES:
        known = _with_figures(known, queries.trade_sums(), held)
    if sort in OF_RISK:
        known, unread = _with_risks(known, by_trader, period)
    value = SORTS[sort]
    # Of falls the smallest is the best.
    known.sort(
        key=lambda line: (value(line) is None, -(value(line) or 0) * (-1 if sort == "drawdown" else 1), line.name)
    )
    pages = max(1, -(-len(known) // PER_PAGE))
    page = min(max(page, 1), pages)
    shown = known[(page - 1) * PER_PAGE : page * PER_PAGE]
    if sort not in OF_TRADES:
        shown = _with_figures(shown, queries.trade_sums([line.trader_id for line in shown]), held)
    if sort not in OF_RISK:
        shown, unread = _with_risks(shown, by_trader, period)
    costs = _costs([line.trader_id for line in shown], now)
    shown = [replace(line, cost_usd=(costs or {}).get(line.trader_id)) for line in shown]
    return Leaderboard(shown, page, pages, sort, unread, costs is not None)


def with_sparks(board: Leaderboard, edges: Mapping[str, TraderEdges], period: Period) -> Leaderboard:
    series = {
        line.trader_id: (edges[line.trader_id].source, ENDLESS_MS) for line in board.lines if line.trader_id in edges
    }
    moments = [*thinned(moments_of(period, SPARK_POINTS), SPARK_POINTS - 1), period.to_ms]
    curves = queries.curves_at(series, moments)
    return replace(board, lines=[replace(line, spark=_spark(curves.get(line.trader_id, ()))) for line in board.lines])


def _with_figures(
    lines: Sequence[BoardLine],
    sums: Mapping[str, queries.BoardTradeSums],
    held: Sequence[MarkedHolding] | None,
) -> list[BoardLine]:
    exposure: dict[str, list[Decimal]] = {line.trader_id: [] for line in lines}
    for one in held or ():
        if one.trader_id in exposure:
            exposure[one.trader_id].append(abs(one.notional or Decimal(0)))
    return [
        replace(
            line,
            pnl_usd=traded.net_usd if traded else None,
            trades=traded.trades if traded else 0,
            win_rate_pct=Decimal(100) * traded.wins / traded.trades if traded and traded.trades else None,
            exposure_usd=None if held is None else exact_sum(exposure[line.trader_id]),
        )
        for line in lines
        for traded in [sums.get(line.trader_id)]
    ]


def _with_risks(
    lines: Sequence[BoardLine], gains: Mapping[str, GainLine], period: Period
) -> tuple[list[BoardLine], int]:
    """(the lines, how many of them have days that are not read yet)."""
    asked = [gains[line.trader_id] for line in lines if line.trader_id in gains]
    found = risks(asked, period, queries.newest_exclusion())
    unread = sum(gain.base_index is not None and gain.trader_id not in found for gain in asked)
    nothing = PeriodRisk(None, None)
    return [
        replace(line, sharpe=_figure(risk.sharpe), drawdown_pct=_figure(risk.drawdown_pct))
        for line in lines
        for risk in [found.get(line.trader_id, nothing)]
    ], unread


def _costs(trader_ids: Sequence[str], now: datetime) -> dict[str, Decimal | None] | None:
    """Of the site's day; None where that took too long."""
    today = day_of(now, settings.DESK_TIMEZONE)
    try:
        with time_limit(COST_LIMIT_MS):
            return queries.costs(trader_ids, moment_of(today.from_ms))
    except TookTooLong:
        return None


def _is_stale(at: datetime, trader: TraderConfig, now: datetime) -> bool:
    return equity_is_stale(at, decision_interval_seconds=trader.decision_interval_seconds, now=now)


def _figure(value: float | None) -> Decimal | None:
    return None if value is None else Decimal(f"{value:.4f}")


def _spark(values: Sequence[float | None]) -> str:
    """Points of an SVG line, scaled to its own lowest and highest."""
    known = [(place, value) for place, value in enumerate(values) if value is not None]
    if len(known) < 2:
        return ""
    low, high = min(value for _, value in known), max(value for _, value in known)
    wide, tall = SPARK_WIDTH / (len(values) - 1), (SPARK_HEIGHT - 2) / (high - low) if high > low else 0.0
    middle = SPARK_HEIGHT / 2
    return " ".join(f"{place * wide:.1f},{1 + (high - value) * tall if tall else middle:.1f}" for place, value in known)
