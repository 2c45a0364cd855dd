"""Everything about how one set of trades did, headline figures and tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from trading.analytics import ratios
from trading.analytics.drawdown import Drawdown
from trading.analytics.equity import one_series
from trading.analytics.intervals import Held, OpenPosition, Period, exposure_pct, span
from trading.analytics.risk import risk
from trading.analytics.stats import Table, exact_sum
from trading.analytics.tables.all import tables
from trading.analytics.tables.holding import HoldingTimes, holding_times
from trading.analytics.tables.overall import LastEquity
from trading.schema.facts import DecisionFact, EquityPoint, Flow, SignalFact, TradeFact

# Below this the mean of trades says little: the usual rule of thumb for the central limit theorem.
SMALL_SAMPLE = 30


@dataclass(frozen=True, slots=True)
class Performance:
    """Money is in USD and exact; a ratio that is undefined is None. `equity_series` names what Sharpe, Sortino, Calmar
    and drawdown were taken from: None where there was neither equity nor a start capital. `days` is the number of
    daily returns. `straddling` counts trades that another version closed than opened, `funding_unknown` those whose
    P&L is without funding that was due."""

    trades: int
    wins: int
    losses: int
    flats: int
    straddling: int
    is_small: bool
    period: Period | None
    net: Decimal
    gross: Decimal
    fees: Decimal
    funding: Decimal
    funding_unknown: int
    win_rate_pct: float | None
    profit_factor: float | None
    expectancy_usd: float | None
    equity_series: str | None
    days: int
    return_pct: float | None
    sharpe: float | None
    sortino: float | None
    calmar: float | None
    max_drawdown: Drawdown | None
    exposure_pct: float | None
    holding: HoldingTimes
    tables: dict[str, Table]


def performance(
    trades: Sequence[TradeFact],
    signals: Sequence[SignalFact] = (),
    decisions: Sequence[DecisionFact] = (),
    equity: Sequence[EquityPoint] = (),
    *,
    start_capital: Decimal | None = None,
    open_positions: Sequence[OpenPosition] = (),
    period: Period | None = None,
    flows: Sequence[Flow] = (),
) -> Performance:
    """`flows` are transfers: no gain and no loss. `start_capital` is used where there is no equity or too little of it,
    by default the first equity. `period` is what exposure and days are counted over, by default from the first entry
    or decision to the last exit or decision; it selects nothing."""
    held: list[Held] = [*trades, *open_positions]
    series = one_series(equity, flows)
    return measure(trades, signals, decisions, equity, series, start_capital, held, period, flows)


def measure(
    trades: Sequence[TradeFact],
    signals: Sequence[SignalFact],
    decisions: Sequence[DecisionFact],
    equity: Sequence[EquityPoint] | LastEquity,
    series: Sequence[EquityPoint],
    start_capital: Decimal | None,
    held: Sequence[Held],
    period: Period | None,
    flows: Sequence[Flow] = (),
) -> Performance:
    """`performance` of a part: `equity` gives the size of trades, `series` the ratios, and `held` may know of more than
    the trades of this part."""
    risks = risk(trades, series, start_capital, period, flows)
    wins = sum(1 for trade in trades if trade.net > 0)
    losses = sum(1 for trade in trades if trade.net < 0)
    observed = period or span(held, decisions)
    return Performance(
        trades=len(trades),
        wins=wins,
        losses=losses,
        flats=len(trades) - wins - losses,
        straddling=sum(1 for trade in trades if trade.straddles_versions),
        is_small=len(trades) < SMALL_SAMPLE,
        period=observed,
        net=exact_sum(trade.net for trade in trades),
        gross=exact_sum(trade.gross for trade in trades),
        fees=exact_sum(trade.commission for trade in trades),
        funding=exact_sum(trade.funding for trade in trades if trade.funding is not None),
        funding_unknown=sum(1 for trade in trades if trade.is_funding_unknown),
        win_rate_pct=ratios.win_rate_pct(trades),
        profit_factor=ratios.profit_factor(trades),
        expectancy_usd=ratios.expectancy_usd(trades),
        equity_series=risks.series,
        days=risks.days,
        return_pct=risks.return_pct,
        sharpe=risks.sharpe,
        sortino=risks.sortino,
        calmar=risks.calmar,
        max_drawdown=risks.max_drawdown,
        exposure_pct=exposure_pct(held, observed),
        holding=holding_times(trades),
        tables=tables(trades, signals, decisions, equity, held=held, period=period),
    )
