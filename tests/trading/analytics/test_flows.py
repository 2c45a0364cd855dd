"""Returns and drawdown without the money that was moved in or out."""

from __future__ import annotations

from decimal import Decimal

import pytest

from trading.analytics.flows import EquityStart, indexed, since_start, start_of
from trading.analytics.risk import risk
from trading.schema.facts import EquityPoint, Flow

HOUR = 3_600_000
NOON = 12 * HOUR


def series(*points: tuple[int, object]) -> list[EquityPoint]:
    return [EquityPoint("a", ts_ms, Decimal(str(equity))) for ts_ms, equity in points]


def flow(ts_ms: int, amount: int, *, is_start: bool = False) -> Flow:
    return Flow("a", ts_ms, Decimal(amount), is_start)


def gained(points: list[EquityPoint], *flows: Flow) -> float | None:
    total = indexed(points, flows).total_return
    return None if total is None else round(float(total) * 100, 4)


def test_a_deposit_at_noon_counts_for_half_of_the_day() -> None:
    """400 / 15,000."""
    assert gained(series((0, 10_000), (24 * HOUR, 20_400)), flow(NOON, 10_000)) == 2.6667


def test_a_point_just_before_the_deposit_makes_it_exact() -> None:
    """1.01 x (20,400 / 20,100) - 1."""
    points = series((0, 10_000), (NOON - 1, 10_100), (24 * HOUR, 20_400))
    assert gained(points, flow(NOON, 10_000)) == 2.5075


def test_a_withdrawal_is_no_drawdown() -> None:
    """10,000 -> 12,000; withdraw 6,000; -> 5,400: 10.00 % and 600 USD, not 55 %."""
    day = 24 * HOUR
    points = series((0, 10_000), (day, 12_000), (day + 2, 6_000), (2 * day, 5_400))

    found = risk([], points, None, flows=[flow(day + 1, -6_000)]).max_drawdown

    assert found is not None
    assert round(found.depth_pct, 2) == 10.0
    assert found.depth_usd == 600


def test_a_point_at_the_moment_of_a_flow_contains_it() -> None:
    assert gained(series((0, 10_000), (NOON, 20_000)), flow(NOON, 10_000)) == 0
    assert gained(series((NOON, 20_000), (24 * HOUR, 20_400)), flow(NOON, 10_000)) == 2.0


def test_without_flows_the_series_is_its_own_index() -> None:
    points = series((0, 10_000), (HOUR, 4_000))
    assert indexed(points, []).index == tuple(points)
    assert indexed(points, [flow(0, 10_000), flow(2 * HOUR, 5)]).index == tuple(points)


def test_the_index_begins_at_ten_thousand() -> None:
    assert indexed(series((0, 50), (HOUR, 110)), [flow(1, 50)]).index[0].equity == 10_000


def test_with_nothing_to_earn_on_the_chain_begins_again_and_says_so() -> None:
    points = series((0, 100), (HOUR, 0), (2 * HOUR, 500), (3 * HOUR, 550))

    found = indexed(points, [flow(2 * HOUR, 500)])

    assert found.restarted_ms == 2 * HOUR
    assert found.total_return == Decimal("0.1")


def test_the_start_is_the_initial_transfer_else_the_first_equity_above_zero() -> None:
    points = series((HOUR, 0), (2 * HOUR, 4_000))
    assert start_of(points, [flow(0, 10_000, is_start=True)]) == EquityStart(0, Decimal(10_000))
    assert start_of(points, []) == EquityStart(2 * HOUR, Decimal(4_000))
    assert start_of([], []) is None


@pytest.mark.parametrize("start_ms", [0, HOUR])
def test_a_loss_before_the_first_point_shows_against_the_start(start_ms: int) -> None:
    own = since_start(series((HOUR, 4_000)), [flow(start_ms, 10_000, is_start=True)])
    assert gained(list(own)) == -60.0
