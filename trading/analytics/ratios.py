"""The usual ratios. Each is None where it is undefined: too few values, or a divisor of zero."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal

from trading.analytics.stats import exact_sum, finite, known, mean, percent, ratio, stdev
from trading.schema.facts import TradeFact

# Crypto trades every day, so a year has 365 of them, not the 252 of stock exchanges.
DAYS_PER_YEAR = 365
# Returns that differ by rounding alone have no dispersion; dividing by it would make ratios of 10^15.
_ROUNDING = 1e-12


def sharpe(returns: Sequence[float]) -> float | None:
    """mean / sample deviation of daily returns * sqrt(365), with a risk-free rate of zero.

    W. F. Sharpe, "The Sharpe Ratio", Journal of Portfolio Management 21 (1994).
    """
    average, deviation = mean(returns), stdev(returns)
    if average is None or deviation is None or deviation <= _ROUNDING * max(map(abs, returns)):
        return None
    return finite(average / deviation * math.sqrt(DAYS_PER_YEAR))


def sortino(returns: Sequence[float]) -> float | None:
    """mean / sqrt(mean of min(return, 0)^2 over *all* days) * sqrt(365), with a target of zero.

    F. A. Sortino & L. N. Price, "Performance Measurement in a Downside Risk Framework", Journal of Investing 3 (1994).
    """
    average = mean(returns)
    below = mean([min(value, 0.0) * value for value in returns])
    if average is None or not below or len(returns) < 2:
        return None
    return finite(average / math.sqrt(below) * math.sqrt(DAYS_PER_YEAR))


def annual_return(first: Decimal, last: Decimal, days: int) -> float | None:
    """(last / first)^(365 / days) - 1, as a fraction; None of no day or of equity at or below zero."""
    if days < 1 or first <= 0 or last <= 0:
        return None
    growth = ratio(last, first)
    try:
        return None if growth is None else finite(growth ** (DAYS_PER_YEAR / days) - 1)
    except OverflowError:  # a good day, taken 365 times
        return None


def calmar(yearly: float | None, drawdown_pct: float) -> float | None:
    """annual return / max drawdown, both as fractions, over the whole period rather than the last 36 months.

    T. W. Young, "Calmar Ratio: A Smoother Tool", Futures 20 (1991).
    """
    return None if yearly is None else ratio(yearly, drawdown_pct / 100)


def profit_factor(trades: Sequence[TradeFact]) -> float | None:
    """sum of net wins / |sum of net losses|, as trading platforms report it; None without a loss."""
    won = exact_sum(trade.net for trade in trades if trade.net > 0)
    lost = exact_sum(trade.net for trade in trades if trade.net < 0)
    return ratio(won, -lost)


def expectancy_usd(trades: Sequence[TradeFact]) -> float | None:
    """share of wins * mean win - share of losses * |mean loss|, which is the mean net P&L of a trade.

    V. K. Tharp, "Trade Your Way to Financial Freedom" (1998), there in multiples of the risk, here in USD.
    """
    return mean(known(trade.net for trade in trades))


def win_rate_pct(trades: Sequence[TradeFact]) -> float | None:
    """Trades with a positive net P&L in percent of all."""
    return percent(sum(1 for trade in trades if trade.net > 0), len(trades))
