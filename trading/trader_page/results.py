"""How a trader does over a range: the curve of its equity, its drawdown, and the figures of `performance`."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from traders.database.apart import TookTooLong
from trading.analytics import ratios
from trading.analytics.chains import Chain
from trading.analytics.intervals import Period
from trading.analytics.returns import DAY_MS, equity_returns, tells_of_days
from trading.live.keys import ANALYTICS
from trading.live.redis import store
from trading.record.results import queries as results
from trading.record.stored import transfers
from trading.record.stored.equity import chains
from trading.record.stored.equity.chains import ChainedSeries
from trading.schema.facts import EquityPoint
from trading.schema.live_store.answers import FreshValue, StaleValue
from trading.schema.live_store.values import US_PER_MS
from trading.trader_page import queries
from trading.trader_page.queries import CurvePoint, TradeLedger, TradeSums

STEPS = 400
"""Points of a curve: about as many as a page is wide."""
_LEAST_STEP_MS = 60_000


class ResultRange(StrEnum):
    DAY = "1d"
    WEEK = "7d"
    MONTH = "30d"
    ALL = "all"

    @property
    def days(self) -> int | None:
        return {ResultRange.DAY: 1, ResultRange.WEEK: 7, ResultRange.MONTH: 30}.get(self)


@dataclass(frozen=True)
class Curve:
    """`is_whole`: every point was read, so that `fall_pct` is the deepest fall of each step; else it is that between
    the points shown. `falls` is None where the equity fell to zero, on which nothing can be earned."""

    points: Sequence[CurvePoint]
    falls: Sequence[float | None] | None
    is_whole: bool

    @property
    def deepest(self) -> float | None:
        known = [fall for fall in self.falls or () if fall is not None]
        return max(known) if known and self.is_whole and len(self.points) > 1 else None


@dataclass(frozen=True)
class DrawdownSinceStart:
    """Of the trader's whole life, as the live store has it, with the moment of the figure."""

    pct: float
    as_of_ms: int


@dataclass(frozen=True)
class ResultFigures:
    """What is not known is None. `trades` None: they could not be summed in time."""

    return_pct: Decimal | None
    last: EquityPoint | None
    sharpe: float | None
    sortino: float | None
    days: int
    trades: TradeSums | None
    ledger: TradeLedger | None

    @property
    def win_rate_pct(self) -> Decimal | None:
        return Decimal(100) * self.trades.wins / self.trades.trades if self.trades and self.trades.trades else None

    @property
    def per_trade(self) -> Decimal | None:
        return self.trades.net / self.trades.trades if self.trades and self.trades.trades else None

    @property
    def profit_factor(self) -> Decimal | None:
        return self.trades.won / -self.trades.lost if self.trades and self.trades.lost else None


@dataclass(frozen=True)
class TraderResults:
    """`curve` None: no equity was recorded. `since_start` None: the live store does not know it."""

    range: ResultRange
    period: Period
    curve: Curve | None
    figures: ResultFigures
    since_start: DrawdownSinceStart | None

    @property
    def deepest(self) -> Decimal | None:
        """The deepest drawdown in %: of the range, or of the whole life as the live store has it."""
        if self.curve is None:
            return None
        whole_life = self.since_start.pct if self.since_start and self.range is ResultRange.ALL else None
        return _figure(self.curve.deepest if self.curve.is_whole else whole_life)

    @property
    def sharpe(self) -> Decimal | None:
        return _figure(self.figures.sharpe)

    @property
    def sortino(self) -> Decimal | None:
        return _figure(self.figures.sortino)


def results_of(trader_id: str, asked: ResultRange) -> TraderResults:
    """A few statements, the same for a record of any length."""
    now_ms = int(time.time() * 1000)
    flows = transfers.flows([trader_id])
    series = chains.series_of(flows or {trader_id: ()}).get(trader_id)
    days = asked.days
    first_ms = _first_ms(series, now_ms)
    period = Period(first_ms if days is None else now_ms - days * DAY_MS, now_ms)
    return TraderResults(
        asked,
        period,
        _curve(trader_id, series, period) if series else None,
        _figures(trader_id, series, period, is_whole_life=days is None),
        _since_start(trader_id),
    )


def _first_ms(series: ChainedSeries | None, now_ms: int) -> int:
    if series is None:
        return 0
    return series.chain.start.ts_ms if series.chain else max(0, min(series.last.ts_ms, now_ms) - 365 * DAY_MS)


def _curve(trader_id: str, series: ChainedSeries, period: Period) -> Curve:
    step = max(_LEAST_STEP_MS, -(-period.ms // STEPS))
    source, chain = series.source, series.chain
    if chain is None:
        return Curve(queries.sampled(trader_id, source, period, step_ms=step), None, is_whole=False)
    try:
        points = queries.curve(trader_id, source, chain, period, step_ms=step)
    except TookTooLong:
        points = []
    if points:
        return Curve(points, [point.fall_pct for point in points], is_whole=True)
    points = queries.sampled(trader_id, source, period, step_ms=step)
    return Curve(points, _falls(points, chain), is_whole=not points)


def _falls(points: Sequence[CurvePoint], chain: Chain) -> list[float]:
    peak, falls = Decimal(0), []
    for point in points:
        index = chain.index(point.ts_ms, point.equity)
        peak = max(peak, index)
        falls.append(float(100 * (peak - index) / peak) if peak > 0 else 0.0)
    return falls


def _figures(trader_id: str, series: ChainedSeries | None, period: Period, *, is_whole_life: bool) -> ResultFigures:
    """Trades of the whole life come from the sums that the database keeps."""
    whole = Period(0, period.to_ms) if is_whole_life else period
    trades, ledger = None, None
    try:
        trades = queries.trade_sums(trader_id, whole)
        ledger = _whole_ledger(trader_id) if is_whole_life else queries.trade_ledger(trader_id, period)
    except TookTooLong:
        pass
    gained, ends = None, []
    if series and series.chain:
        ends = _day_ends(trader_id, series, series.chain, period)
        gained = _return(ends)
    days = equity_returns(ends) if len(ends) > 1 and tells_of_days(ends) else None
    return ResultFigures(
        return_pct=gained,
        last=series.last if series else None,
        sharpe=ratios.sharpe(days) if days else None,
        sortino=ratios.sortino(days) if days else None,
        days=len(days or ()),
        trades=trades,
        ledger=ledger,
    )


def _day_ends(trader_id: str, series: ChainedSeries, chain: Chain, period: Period) -> list[EquityPoint]:
    """The index at the beginning of the period, at the end of each UTC day of it, and now."""
    found = queries.day_ends(trader_id, series.source, period)
    points = [(point.ts_ms, point.equity) for point in found]
    before = max((point.ts_ms for point in found if point.ts_ms <= period.from_ms), default=None)
    if (before is None or before < chain.start.ts_ms) and chain.start.ts_ms >= period.from_ms:
        points = [(chain.start.ts_ms, chain.start.equity), *points]
    seen: Mapping[int, Decimal] = {ts_ms: equity for ts_ms, equity in points if ts_ms >= chain.start.ts_ms}
    return [EquityPoint(trader_id, ts_ms, chain.index(ts_ms, equity)) for ts_ms, equity in sorted(seen.items())]


def _return(ends: Sequence[EquityPoint]) -> Decimal | None:
    if len(ends) < 2 or ends[0].equity <= 0:
        return None
    return 100 * (ends[-1].equity / ends[0].equity - 1)


def _whole_ledger(trader_id: str) -> TradeLedger:
    found = results.of_trader(trader_id).values()
    return TradeLedger(
        sum((one.commission for one in found), Decimal(0)), sum((one.funding for one in found), Decimal(0))
    )


def _since_start(trader_id: str) -> DrawdownSinceStart | None:
    """Never worked out here: it needs every point of the trader's life."""
    answer = store.read_one(ANALYTICS, trader_id)
    if not isinstance(answer, FreshValue | StaleValue) or answer.value.max_drawdown_pct is None:
        return None
    return DrawdownSinceStart(answer.value.max_drawdown_pct, answer.value.as_of // US_PER_MS)


def _figure(value: float | None) -> Decimal | None:
    return None if value is None else Decimal(f"{value:.4f}")
