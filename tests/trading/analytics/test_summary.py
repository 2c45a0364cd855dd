"""Headline figures of five trades."""

from __future__ import annotations

from decimal import Decimal
from math import sqrt

import pytest

from tests.trading.analytics.records import DAY, DECISIONS, EQUITY, FIVE, MINUTE, SIGNALS, point, trade
from trading.analytics.intervals import Period
from trading.analytics.summary import SMALL_SAMPLE, performance
from trading.schema.facts import EquityPoint


def test_five_trades_over_a_start_capital() -> None:
    found = performance(FIVE, SIGNALS, DECISIONS, start_capital=Decimal(1000))

    assert (found.trades, found.wins, found.losses, found.flats, found.straddling) == (5, 2, 2, 1, 0)
    assert (found.net, found.gross, found.fees) == (Decimal(-20), Decimal(-11), Decimal(10))
    assert (found.win_rate_pct, found.expectancy_usd) == (40.0, -4.0)
    assert found.profit_factor == pytest.approx(26 / 46)
    assert found.period == Period(0, 300 * MINUTE)
    assert found.exposure_pct == 100.0
    assert (found.equity_series, found.days) == ("derived", 1)
    assert (found.sharpe, found.sortino) == (None, None)
    assert found.calmar == pytest.approx((0.98**365 - 1) / (39 / 1019))
    assert found.tables["signals_breakdown_table"]["total_signals"] == 4


def test_recorded_equity_is_preferred_to_derived() -> None:
    equity = [point(0, "100"), point(1, "110"), point(DAY, "99"), point(3 * DAY, "118.8")]

    found = performance(FIVE, equity=equity, start_capital=Decimal(1000))

    assert (found.equity_series, found.days) == ("engine", 4)
    assert found.sharpe == pytest.approx(0.05 / sqrt(0.05 / 3) * sqrt(365))
    assert found.sortino == pytest.approx(sqrt(365))
    assert found.calmar == pytest.approx((1.188 ** (365 / 4) - 1) / 0.1)
    assert found.max_drawdown is not None
    assert found.max_drawdown.series == "engine"


@pytest.mark.parametrize("equity", [[point(0, "1000")], [point(0, "1000"), point(9 * DAY, "1")]])
def test_recorded_equity_that_tells_nothing_of_days_is_only_the_start_capital(equity: list[EquityPoint]) -> None:
    found = performance(FIVE, equity=equity)

    assert found.equity_series == "derived"
    assert found.max_drawdown is not None
    assert found.max_drawdown.depth_pct == pytest.approx(100 * 39 / 1019)


def test_without_equity_and_capital_only_the_ratios_of_trades_are_known() -> None:
    found = performance(FIVE)

    assert (found.equity_series, found.sharpe, found.max_drawdown, found.calmar) == (None, None, None, None)
    assert found.profit_factor is not None


def test_fewer_than_thirty_trades_are_a_small_sample() -> None:
    many = [trade(str(number)) for number in range(SMALL_SAMPLE)]

    assert performance(many[1:]).is_small
    assert not performance(many).is_small


def test_money_adds_up_to_the_last_digit() -> None:
    net = performance([trade("a", "1e30"), trade("b", "0.000000000000000001"), trade("c", "-1e30")]).net

    assert net == Decimal("0.000000000000000001")


def test_a_record_of_nothing_has_no_period() -> None:
    found = performance([], equity=EQUITY[:1])

    assert (found.trades, found.net) == (0, Decimal(0))
    assert (found.period, found.exposure_pct, found.max_drawdown) == (None, None, None)
