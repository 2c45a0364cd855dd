"""The ratios that need equity: from the recorded series, else from the trades over a start capital."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from trading.analytics.drawdown import Drawdown, max_drawdown
from trading.analytics.equity import derived_equity
from trading.analytics.flows import Indexed, indexed
from trading.analytics.intervals import Period
from trading.analytics.ratios import annual_return, calmar, sharpe, sortino
from trading.analytics.returns import equity_returns, pnl_returns, tells_of_days
from trading.analytics.stats import finite
from trading.schema.facts import EquityPoint, Flow, TradeFact


@dataclass(frozen=True, slots=True)
class RiskFigures:
    """`series` names the equity that all of it was taken from, None where there is none. `days` counts the returns.
    `return_pct` is time-weighted; of derived equity it is net P&L over the start capital."""

    series: str | None = None
    days: int = 0
    return_pct: float | None = None
    sharpe: float | None = None
    sortino: float | None = None
    calmar: float | None = None
    max_drawdown: Drawdown | None = None


def risk(
    trades: Sequence[TradeFact],
    series: Sequence[EquityPoint],
    start_capital: Decimal | None,
    period: Period | None = None,
    flows: Sequence[Flow] = (),
) -> RiskFigures:
    """`series` ascends; `flows` are the transfers of its traders. Where it is too thin, equity is derived and returns
    are daily net P&L over the start capital, by default the first equity of the series."""
    if tells_of_days(series):
        return _of_indexed(indexed(series, flows))
    if start_capital is None and series:
        start_capital = series[0].equity
    if not trades or start_capital is None:
        return RiskFigures()
    derived = Indexed(points := derived_equity(trades, start_capital), points)
    return _of(derived, pnl_returns(trades, start_capital, period))


def _of_indexed(found: Indexed) -> RiskFigures:
    """Percent and ratios are of the index; what a fall cost in USD is of equity without the transfers."""
    risks = _of(found, equity_returns(found.index))
    fall = risks.max_drawdown
    if found.index == found.net or fall is None or fall.from_ms is None or fall.to_ms is None:
        return risks
    level = {point.ts_ms: point.equity for point in found.net}
    return replace(risks, max_drawdown=replace(fall, depth_usd=level[fall.from_ms] - level[fall.to_ms]))


def _of(found: Indexed, returns: Sequence[float] | None) -> RiskFigures:
    series, returns, gained = found.index, returns or (), found.total_return
    fall = max_drawdown(series)
    yearly = annual_return(series[0].equity, series[-1].equity, len(returns))
    return RiskFigures(
        series=series[0].source,
        days=len(returns),
        return_pct=None if gained is None else finite(float(100 * gained)),
        sharpe=sharpe(returns),
        sortino=sortino(returns),
        calmar=calmar(yearly, fall.depth_pct) if fall else None,
        max_drawdown=fall,
    )
