"""The curve of a trader's page: the drawdown of its steps is that of all points."""

from __future__ import annotations

import pytest
from django.db import transaction
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.factories import make_trader, sync_traders
from trading.analytics.chains import Chain
from trading.analytics.intervals import Period
from trading.models import EquitySnapshot, EquityTransfer
from trading.record.stored import transfers
from trading.record.stored.equity import chains
from trading.trader_page import queries

pytestmark = pytest.mark.django_db
MINUTE, MS = 60_000, 1_760_000_000_000
TRADER = "steady_long"

minutes = st.integers(0, 60)
points = st.dictionaries(minutes, st.integers(1, 300), min_size=1, max_size=50)
deposits = st.dictionaries(minutes, st.integers(1, 500), max_size=3)


def plain(by_minute: dict[int, int], chain: Chain, period: Period, step: int) -> dict[int, tuple[int, float]]:
    """{last moment of a step: (its equity, the deepest fall in it below the peak so far)}, point by point."""
    peak, steps = 0.0, dict[int, tuple[int, int, float]]()
    for minute, usd in sorted(by_minute.items()):
        at = MS + minute * MINUTE
        if not max(period.from_ms, chain.since_ms[0]) <= at <= period.to_ms:
            continue
        index = float(usd) * next(float(factor) for since, until, factor in chain.steps() if since <= at < until)
        peak = max(peak, index)
        place = (at - period.from_ms) // step
        deepest = steps[place][2] if place in steps else 0.0
        steps[place] = at, usd, max(deepest, 100 * (peak - index) / peak)
    return {at: (usd, fall) for at, usd, fall in steps.values()}


@pytest.fixture(autouse=True)
def _trader() -> None:
    sync_traders(make_trader())


@given(points, deposits, minutes, st.integers(1, 60), st.integers(1, 20))
def test_the_fall_of_each_step_is_that_of_all_its_points(
    by_minute: dict[int, int], paid: dict[int, int], first: int, length: int, step: int
) -> None:
    with transaction.atomic():
        EquitySnapshot.objects.bulk_create(
            EquitySnapshot(trader_id=TRADER, ts_ms=MS + minute * MINUTE, equity_usd=usd, source="imported")
            for minute, usd in by_minute.items()
        )
        for minute, usd in paid.items():
            EquityTransfer.objects.create(
                transfer_id=str(minute),
                trader_id=TRADER,
                ts_ms=MS + minute * MINUTE,
                amount_usd=usd,
                kind="deposit",
                reason="r",
                actor="a",
            )
        found = chains.series_of({TRADER: transfers.flows([TRADER]).get(TRADER, ())})[TRADER]
        assume(found.chain is not None)
        assert found.chain is not None
        period = Period(MS + first * MINUTE, MS + (first + length) * MINUTE)
        curve = queries.curve(TRADER, found.source, found.chain, period, step_ms=step * MINUTE)
        expected = plain(by_minute, found.chain, period, step * MINUTE)
        transaction.set_rollback(True)

    assert {one.ts_ms: int(one.equity) for one in curve} == {at: usd for at, (usd, _fall) in expected.items()}
    for one in curve:
        assert one.fall_pct == pytest.approx(expected[one.ts_ms][1], rel=1e-9, abs=1e-9)
