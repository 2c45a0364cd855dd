"""The ratios, by hand."""

from __future__ import annotations

from decimal import Decimal
from math import sqrt

import pytest

from tests.trading.analytics.records import DAY, FIVE, MINUTE, point, trade
from trading.analytics.intervals import OpenPosition, Period, exposure_pct
from trading.analytics.ratios import (
    annual_return,
    calmar,
    expectancy_usd,
    profit_factor,
    sharpe,
    sortino,
    win_rate_pct,
)
from trading.analytics.returns import equity_returns, pnl_returns
from trading.analytics.tables.holding import holding_times

HOUR = 60 * MINUTE
RETURNS = [0.1, -0.1, 0.0, 0.2]


def test_equity_is_compared_at_the_ends_of_days_and_a_day_without_a_point_stands_still() -> None:
    series = [
        point(0, "100"),
        point(9 * HOUR, "90"),
        point(18 * HOUR, "110"),
        point(DAY, "99"),
        point(3 * DAY, "118.8"),
    ]

    assert equity_returns(series) == pytest.approx(RETURNS)


def test_the_first_point_is_the_base_and_a_day_of_its_own_only_with_another_point() -> None:
    assert equity_returns([point(0, "100"), point(DAY, "110")]) == pytest.approx([0.1])
    assert equity_returns([point(0, "100")]) == []


def test_returns_on_nothing_are_undefined() -> None:
    assert equity_returns([point(0, "100"), point(DAY, "0"), point(2 * DAY, "50")]) is None
    assert pnl_returns(FIVE, Decimal(0)) is None


def test_pnl_returns_are_the_closes_of_each_day_over_the_start_capital() -> None:
    day = 24 * 60
    closes = [trade(net="19", closed=9), trade(net="-9", closed=10), trade(net="-20", closed=2 * day)]

    assert pnl_returns(closes, Decimal(1000)) == pytest.approx([0.01, 0, -0.02])
    assert pnl_returns(closes, Decimal(1000), Period(0, 4 * DAY)) == pytest.approx([0.01, 0, -0.02, 0])
    assert pnl_returns([], Decimal(1000)) == []


def test_sharpe() -> None:
    assert sharpe(RETURNS) == pytest.approx(0.05 / sqrt(0.05 / 3) * sqrt(365))


@pytest.mark.parametrize("returns", [[], [0.1], [0.0, 0.0], [0.1, 0.1 + 1e-17], [0.1, 0.1 + 1.4e-17, 0.1 - 1.4e-17]])
def test_sharpe_needs_two_returns_that_differ_by_more_than_rounding(returns: list[float]) -> None:
    assert sharpe(returns) is None


def test_sortino_divides_by_the_downside_over_all_days() -> None:
    assert sortino(RETURNS) == pytest.approx(0.05 / sqrt(0.01 / 4) * sqrt(365))


@pytest.mark.parametrize("returns", [[], [-0.1], [0.1, 0.2]])
def test_sortino_needs_two_returns_and_a_loss(returns: list[float]) -> None:
    assert sortino(returns) is None


def test_calmar_is_the_return_of_a_year_over_the_deepest_fall() -> None:
    yearly = annual_return(Decimal(100), Decimal(110), 73)

    assert yearly == pytest.approx(1.1**5 - 1)
    assert calmar(yearly, 10.0) == pytest.approx((1.1**5 - 1) / 0.1)
    assert calmar(yearly, 0.0) is None
    assert calmar(None, 10.0) is None


@pytest.mark.parametrize(
    ("first", "last", "days"), [(100, 110, 0), (0, 110, 9), (100, 0, 9), (100, -5, 9), (1, 999, 1)]
)
def test_a_return_of_a_year_is_undefined_without_days_without_equity_and_beyond_all_numbers(
    first: int, last: int, days: int
) -> None:
    assert annual_return(Decimal(first), Decimal(last), days) is None


def test_profit_factor_expectancy_and_win_rate() -> None:
    assert profit_factor(FIVE) == pytest.approx(26 / 46)
    assert expectancy_usd(FIVE) == pytest.approx(0.4 * 13 - 0.4 * 23)
    assert win_rate_pct(FIVE) == 40.0


def test_without_a_loss_the_profit_factor_is_undefined_and_without_trades_all_are() -> None:
    assert profit_factor([trade(net="5")]) is None
    assert profit_factor([trade(net="-5")]) == 0.0
    assert (profit_factor([]), expectancy_usd([]), win_rate_pct([])) == (None, None, None)


def test_exposure_counts_time_once_however_many_positions_were_held() -> None:
    assert exposure_pct(FIVE, Period(0, 400 * MINUTE)) == 75.0
    assert exposure_pct([FIVE[0], FIVE[2]], Period(30 * MINUTE, 130 * MINUTE)) == 60.0
    assert exposure_pct([OpenPosition("mei", "BTC", "long", 0, 50)], Period(0, 100)) == 50.0
    assert exposure_pct([], Period(0, 100)) == 0.0
    assert exposure_pct(FIVE, Period(5, 5)) is None
    assert exposure_pct(FIVE, None) is None


def test_holding_times() -> None:
    times = holding_times(FIVE)

    assert (times.avg_mins, times.median_mins, times.min_mins, times.max_mins) == (80, 90, 30, 120)
    assert times.std_mins == pytest.approx(sqrt(1250))
    assert holding_times([]).max_mins is None
