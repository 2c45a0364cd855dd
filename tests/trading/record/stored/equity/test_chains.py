"""Time-weighted figures from a few points beside the transfers are those of all points."""

from __future__ import annotations

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import make_trader, sync_traders
from trading.analytics import inception
from trading.live import queries as projection
from trading.models import EquitySnapshot, EquityTransfer
from trading.record.stored import transfers
from trading.record.stored.equity import chains

pytestmark = pytest.mark.django_db
HOUR = 3_600_000
MS = 1_760_000_000_000 // (24 * HOUR) * 24 * HOUR
TRADER = "steady_long"

hours = st.integers(0, 200)
points = st.dictionaries(hours, st.integers(1, 20_000), min_size=1, max_size=25)
moves = st.lists(st.tuples(hours, st.integers(-3_000, 9_000).filter(bool), st.booleans()), min_size=1, max_size=6)
starts = st.none() | st.tuples(hours, st.integers(1, 10_000))


def equity(by_hour: dict[int, int], source: str = "engine") -> None:
    EquitySnapshot.objects.bulk_create(
        EquitySnapshot(trader_id=TRADER, ts_ms=MS + hour * HOUR, equity_usd=usd, source=source)
        for hour, usd in by_hour.items()
    )


def transfer(number: int, ms: int, usd: int, kind: str) -> None:
    EquityTransfer.objects.create(
        transfer_id=str(number), trader_id=TRADER, ts_ms=ms, amount_usd=usd, kind=kind, reason="r", actor="a"
    )


def of_all_points() -> inception.Equity | None:
    flows = transfers.flows([TRADER])[TRADER]
    found = projection.equity_points([TRADER])
    return inception.equity_with_transfers(found[TRADER], flows) if found else None


def near(one: float | None, other: float | None) -> bool:
    return one == other if None in (one, other) else one == pytest.approx(other, rel=1e-9, abs=1e-9)


@pytest.fixture(autouse=True)
def _trader() -> None:
    sync_traders(make_trader())


@given(points, moves, starts)
def test_they_are_the_same_for_any_record(
    by_hour: dict[int, int], moved: list[tuple[int, int, bool]], start: tuple[int, int] | None
) -> None:
    with transaction.atomic():
        equity(by_hour)
        for number, (hour, usd, is_between) in enumerate(moved):
            transfer(number, MS + hour * HOUR + (1 if is_between else 0), usd, "correction")
        if start:
            transfer(99, MS + start[0] * HOUR, start[1], "initial")

        expected = of_all_points()
        series = chains.series_of(transfers.flows([TRADER]))
        days = chains.days_of(series)
        found = projection._equity([TRADER]).get(TRADER)
        transaction.set_rollback(True)

    assert expected is not None
    assert found is not None
    for name in ("first_ms", "first", "last", "paid_in"):
        assert getattr(found, name) == getattr(expected, name), name
    for name in ("return_pct", "max_drawdown_pct", "sharpe"):
        assert near(getattr(found, name), getattr(expected, name)), name
    assert days or not series or not series[TRADER].chain


def test_equity_at_zero_breaks_the_chain() -> None:
    equity({0: 100, 1: 0, 2: 0, 3: 500, 4: 550})
    transfer(1, MS + 3 * HOUR, 500, "deposit")

    assert chains.series_of(transfers.flows([TRADER]))[TRADER].chain is None
    assert round(projection.project([TRADER]).inception[TRADER].return_pct or 0, 6) == 10.0


def test_only_the_preferred_series_counts() -> None:
    equity({1: 1, 3: 1}, source="imported")
    equity({0: 10_000, 24: 20_400})
    transfer(1, MS + 12 * HOUR, 10_000, "deposit")

    assert round(projection.project([TRADER]).inception[TRADER].return_pct or 0, 4) == 2.6667


def test_no_statement_gives_back_all_points() -> None:
    equity({hour: 10_000 + hour for hour in range(1_000)})
    transfer(1, MS + 12 * HOUR, 10_000, "deposit")

    with CaptureQueriesContext(connection) as captured:
        found = chains.days_of(chains.series_of(transfers.flows([TRADER])))

    assert len(captured) == 4
    assert len(found[TRADER]) == 42
    assert found[TRADER][-1].points == 16
