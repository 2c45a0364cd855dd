"""The figures of guards, by the cases that were computed by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.analytics.drawdown import max_drawdown
from trading.analytics.flows import indexed
from trading.guards.rules.days import SiteDay
from trading.guards.rules.equity import began, continued
from trading.guards.rules.streaks import Outcome, errors_in_a_row, losses_in_a_row
from trading.schema.facts import EquityPoint, Flow

HOUR = 3_600_000


def points(*equities: float | str, step: int = HOUR) -> list[EquityPoint]:
    return [EquityPoint("a", number * step, Decimal(str(equity))) for number, equity in enumerate(equities)]


@pytest.mark.parametrize(
    ("zone", "moment", "name", "hours"),
    [
        ("UTC", datetime(2026, 3, 29, 12, tzinfo=UTC), "2026-03-29", 24),
        ("Asia/Shanghai", datetime(2026, 3, 28, 16, 30, tzinfo=UTC), "2026-03-29", 24),
        ("Europe/Berlin", datetime(2026, 10, 25, 12, tzinfo=UTC), "2026-10-25", 25),
    ],
)
def test_the_sites_day_has_the_name_and_the_hours_of_its_zone(
    zone: str, moment: datetime, name: str, hours: int
) -> None:
    day = SiteDay.of(moment, ZoneInfo(zone))

    assert day.name == name
    assert day.end_ms - day.start_ms == hours * HOUR
    assert day.start <= moment < day.end


def test_a_withdrawal_is_no_drawdown() -> None:
    """10,000 -> 12,000; withdraw 6,000; -> 5,400: 10 %, not 55 %."""
    first, *later = points(10_000, 12_000, 6_000, 5_400)
    flows = [Flow("a", 2 * HOUR, Decimal(-6_000))]

    peak = continued(began(first), later, flows)

    assert round(peak.fall_pct, 10) == 10
    assert peak.peak_ms == HOUR
    assert peak.before_pct == 0


amounts = st.decimals(min_value=Decimal("0.01"), max_value=10**6, places=2)


@given(st.lists(amounts, min_size=2, max_size=30), st.data())
def test_a_peak_that_is_continued_is_that_of_the_whole_series(equities: list[Decimal], data: st.DataObject) -> None:
    series = [EquityPoint("a", number * HOUR, equity) for number, equity in enumerate(equities)]
    cut = data.draw(st.integers(1, len(series)))
    moments = st.integers(1, len(series) * HOUR)
    flows = [Flow("a", data.draw(moments), data.draw(amounts)) for _ in range(data.draw(st.integers(0, 3)))]

    whole = continued(began(series[0]), series[1:], flows)
    in_two = continued(continued(began(series[0]), series[1:cut], flows), series[cut:], flows)

    assert in_two == whole
    deepest = max_drawdown(indexed(series, flows).index)
    if deepest is not None and indexed(series, flows).restarted_ms is None:
        assert float(whole.fall_pct) <= deepest.depth_pct + 1e-6


@pytest.mark.parametrize(
    ("nets", "count"),
    [
        ([-1, -2, 3, -4], 2),
        ([-1, 0, -2, 1], 2),
        ([0, 0, -1], 1),
        ([1, -1, -1], 0),
        ([None, -1], 1),
        ([], 0),
    ],
)
def test_losses_in_a_row_end_at_a_gain_and_pass_over_nothing(nets: list[int | None], count: int) -> None:
    assert losses_in_a_row(None if net is None else Decimal(net) for net in nets) == count


def test_refused_checks_are_no_errors() -> None:
    error, refused, done = Outcome.ERROR, Outcome.REFUSED, Outcome.DONE

    assert errors_in_a_row([error, refused, error, done, error]) == 2
    assert errors_in_a_row([refused, refused]) == 0
    assert errors_in_a_row([done, error]) == 0
