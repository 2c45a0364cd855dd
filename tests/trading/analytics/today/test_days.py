"""The site's own day, what was lost in it, and what is held by underlying."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.analytics.today.days import DayLoss, day_loss, day_of
from trading.analytics.today.exposure import Exposure, MarkedPosition, exposures
from trading.schema.common import Side

HOUR = 3_600_000
BERLIN, SHANGHAI = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    ("day", "zone", "hours"),
    [
        ("2025-03-30", BERLIN, 23),
        ("2025-10-26", BERLIN, 25),
        ("2025-10-27", BERLIN, 24),
        ("2025-10-26", ZoneInfo("UTC"), 24),
    ],
)
def test_a_day_is_from_local_midnight_to_the_next(day: str, zone: ZoneInfo, hours: int) -> None:
    found = day_of(datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=zone), zone)

    assert found.ms == hours * HOUR
    assert datetime.fromtimestamp(found.from_ms / 1000, zone).isoformat()[:16] == f"{day}T00:00"


def test_today_is_that_of_the_site_and_not_of_utc() -> None:
    found = day_of(datetime(2025, 10, 9, 20, tzinfo=UTC), SHANGHAI)
    assert datetime.fromtimestamp(found.from_ms / 1000, UTC) == datetime(2025, 10, 9, 16, tzinfo=UTC)


@given(st.integers(1_420_000_000, 2_200_000_000).map(lambda second: datetime.fromtimestamp(second, UTC)))
def test_every_moment_lies_in_its_day_and_days_meet(moment: datetime) -> None:
    for zone in (BERLIN, SHANGHAI):
        found = day_of(moment, zone)
        assert found.from_ms <= moment.timestamp() * 1000 < found.to_ms
        assert day_of(datetime.fromtimestamp(found.to_ms / 1000, UTC), zone).from_ms == found.to_ms


def test_a_withdrawal_is_no_loss_and_shrinks_what_can_be_lost() -> None:
    """10,000; withdraw 2,000; now 7,700: 300 USD, 3.75 %."""
    found = day_loss(Decimal(10_000), Decimal(-2_000), Decimal(7_700))
    assert found == DayLoss(Decimal(300), Decimal(8_000))
    assert found.pct == Decimal("3.75")


def test_a_deposit_hides_no_loss() -> None:
    found = day_loss(Decimal(10_000), Decimal(10_000), Decimal(19_000))
    assert found == DayLoss(Decimal(1_000), Decimal(10_000))
    assert found.pct == 10
    assert day_loss(Decimal(0), Decimal(500), Decimal(400)).pct is None


def test_names_of_one_underlying_are_one_exposure() -> None:
    """Long 2 BTC at 50,000, short 0.5 of its perpetual at 50,100: gross 125,050, net 74,950."""
    held = [
        MarkedPosition("BTC", Side.LONG, Decimal(2), Decimal(50_000)),
        MarkedPosition("BTC", Side.SHORT, Decimal("0.5"), Decimal(50_100)),
        MarkedPosition("ETH", Side.SHORT, Decimal(1), None),
    ]

    assert exposures(held) == [
        Exposure("BTC", Decimal(125_050), Decimal(74_950), 2, 2),
        Exposure("ETH", Decimal(0), Decimal(0), 0, 1),
    ]
