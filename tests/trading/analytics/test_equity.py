"""One equity series, and how deep it fell."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.trading.analytics.records import FIVE, MINUTE, point, trade
from trading.analytics.drawdown import Drawdown, max_drawdown
from trading.analytics.equity import derived_equity, one_series, within
from trading.analytics.intervals import Period
from trading.schema.facts import EquityPoint


def levels(series: tuple[EquityPoint, ...]) -> list[tuple[int, int]]:
    return [(one.ts_ms, int(one.equity)) for one in series]


def test_derived_equity_starts_with_the_capital_and_moves_at_closes() -> None:
    series = derived_equity(FIVE[::-1], Decimal(1000))

    minutes = [(0, 1000), (60, 1019), (120, 987), (130, 994), (240, 994), (300, 980)]
    assert levels(series) == [(minute * MINUTE, equity) for minute, equity in minutes]
    assert {(one.trader_id, one.source) for one in series} == {("mei", "derived")}
    assert derived_equity([], Decimal(1000)) == ()


def test_closes_of_one_instant_are_one_point() -> None:
    both = [trade("a", "-100"), trade("b", "100")]

    assert levels(derived_equity(both, Decimal(50))) == [(0, 50), (60 * MINUTE, 50)]


def test_the_start_lies_before_a_close_at_the_moment_of_entry() -> None:
    assert levels(derived_equity([trade(net="7", opened=1, closed=1)], Decimal(5))) == [(59_999, 5), (60_000, 12)]


def test_points_of_several_traders_belong_to_none() -> None:
    series = derived_equity([trade(), trade(trader_id="kim")], Decimal(5))

    assert {one.trader_id for one in series} == {""}


def test_the_engines_equity_is_preferred_and_sources_never_mix() -> None:
    points = [point(2, "7", source="imported"), point(3, "9"), point(1, "8"), point(4, "1", source="a")]

    assert one_series(points) == (point(1, "8"), point(3, "9"))
    assert one_series([point(1, "5", source="b"), point(1, "6", source="a")])[0].source == "a"
    assert one_series([]) == ()


def test_a_trader_that_joins_the_fleet_is_no_gain() -> None:
    points = [
        point(1, "100", trader_id="ann"),
        point(5, "110", trader_id="ann"),
        point(3, "50", trader_id="bob", source="imported"),
        point(5, "40", trader_id="bob", source="imported"),
    ]

    series = one_series(points)

    assert levels(series) == [(1, 150), (3, 150), (5, 150)]
    assert {one.source for one in series} == {"engine + imported"}


def test_a_period_begins_with_the_equity_before_it() -> None:
    series = (point(1, "10"), point(5, "11"), point(9, "12"), point(20, "13"))

    assert levels(within(series, Period(6, 20))) == [(5, 11), (9, 12)]
    assert levels(within(series, Period(0, 5))) == [(1, 10)]
    assert within(series, Period(6, 8)) == ()


def test_the_deepest_fall_is_relative_to_its_own_peak() -> None:
    found = max_drawdown(derived_equity(FIVE, Decimal(1000)))

    assert found is not None
    assert found.depth_pct == pytest.approx(100 * 39 / 1019)
    assert found == Drawdown(
        series="derived",
        depth_pct=found.depth_pct,
        depth_usd=Decimal(39),
        from_ms=60 * MINUTE,
        to_ms=300 * MINUTE,
        recovered_ms=None,
        duration_ms=240 * MINUTE,
    )


def test_a_fall_ends_where_the_peak_is_reached_again() -> None:
    series = [point(ts, equity) for ts, equity in enumerate(["100", "80", "90", "100", "120", "100", "130"])]

    assert max_drawdown(series) == Drawdown("engine", 20.0, Decimal(20), 0, 1, 3, 3)


def test_a_smaller_sum_can_be_the_deeper_fall_and_the_first_of_equals_counts() -> None:
    series = [point(ts, equity) for ts, equity in enumerate(["100", "50", "1000", "600", "1000", "500"])]

    found = max_drawdown(series)

    assert found is not None
    assert (found.depth_pct, found.depth_usd, found.from_ms) == (50.0, Decimal(50), 0)


def test_equity_below_zero_has_lost_all() -> None:
    found = max_drawdown([point(0, "100"), point(1, "-20"), point(2, "-90")])

    assert found is not None
    assert (found.depth_pct, found.depth_usd, found.to_ms) == (100.0, Decimal(120), 1)


def test_a_series_that_only_rises_has_no_fall() -> None:
    assert max_drawdown([point(0, "1"), point(1, "2")]) == Drawdown("engine", 0.0, Decimal(0), None, None, None, 0)


def test_no_fall_is_told_of_a_single_point_or_a_start_without_equity() -> None:
    assert max_drawdown([point(0, "1")]) is None
    assert max_drawdown([point(0, "0"), point(1, "2")]) is None
