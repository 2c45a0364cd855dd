"""Equity that cannot be true counts nowhere until the next report agrees with it, whatever program wrote it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.factories import make_trader, sync_traders
from tests.trading_factories import make_position, make_trade
from trading.analytics.intervals import Period
from trading.analytics.queries import facts
from trading.export.queries import equity as export_equity
from trading.guards.look import TraderLook
from trading.guards.queries import fleet_points
from trading.live import queries as projection
from trading.live.page.queries import trader_days
from trading.models import EquitySnapshot, EquityTransfer, GuardPeak
from trading.record.corrections import services as corrections
from trading.record.exclusions import services as exclusions
from trading.record.stored.held import equity_moments
from trading.record.stored.spread import judging
from trading.record.writing import parts
from trading.record.writing.positions import open_position
from trading.record.writing.trades import record_trade
from trading.schema.common import EventKind, PositionEvent, Side
from trading.schema.exclusion import RecordKey, RecordKind

pytestmark = pytest.mark.django_db
TRADER = "steady_long"
START = 1_760_000_000_000
HOUR = 3_600_000


@pytest.fixture(autouse=True)
def _traders() -> None:
    sync_traders(make_trader(), make_trader("quick_short"))


def at(hour: float) -> int:
    return START + int(hour * HOUR)


def told(*equities: float | str, since: float = 0, source: str = "engine") -> None:
    """Each an hour after the one before, by a program that writes SQL; where the record is spread, by one that judges
    as the writer does."""
    EquitySnapshot.objects.bulk_create(
        EquitySnapshot(trader_id=TRADER, ts_ms=at(since + number), equity_usd=equity, source=source)
        for number, equity in enumerate(equities)
    )
    judging.equity_added((TRADER, at(since + number), source) for number in range(len(equities)))


def suspect() -> list[int]:
    """Equity of the points that count nowhere, in order of time."""
    rows = EquitySnapshot.objects.filter(is_suspect=True).order_by("ts_ms")
    return [int(equity) for equity in rows.values_list("equity_usd", flat=True)]


def moved(hour: float, amount: int) -> None:
    EquityTransfer.objects.create(
        *(),
        transfer_id=f"t{hour}",
        trader_id=TRADER,
        ts_ms=at(hour),
        amount_usd=amount,
        kind="deposit" if amount > 0 else "withdrawal",
        reason="moved",
        actor="mei",
    )
    judging.explained({TRADER: [at(hour)]})


@pytest.mark.parametrize(
    ("equities", "left_out"),
    [
        ([10_000, 6_000], [6_000]),
        ([10_000, 7_000], []),
        ([10_000, 6_999, 10_000], [6_999]),
        ([10_000, 6_000, 5_900], []),
        ([10_000, 6_000, 5_900, 10_000], [10_000]),
        ([10_000, 1, 10_010, 10_020], [1]),
        ([10_000, 1, 90_000, 10_010], [1, 90_000]),
        ([0], [0]),
        ([-50], [-50]),
        ([0, 0], []),
        ([0, 0, 0, 0, 0], []),
        ([10_000, 0, 0, 9_990], [9_990]),
        ([10_000, 0, 9_990], [0]),
    ],
)
def test_a_step_that_nothing_explains_waits_for_a_second_report(equities: list[int], left_out: list[int]) -> None:
    told(*equities)
    together = suspect()
    EquitySnapshot.objects.all().delete()
    for hour, equity in enumerate(equities):
        told(equity, since=hour)

    assert (together, suspect()) == (left_out, left_out)


def test_points_of_another_trader_say_nothing() -> None:
    told(10_000)
    EquitySnapshot.objects.create(trader_id="quick_short", ts_ms=at(1), equity_usd=50)

    assert suspect() == []


def test_an_import_is_not_judged() -> None:
    told(10_000, 50, 0, source="imported")

    assert suspect() == []


def test_a_point_that_comes_late_is_judged_among_its_neighbours() -> None:
    told(10_000)
    told(5_000, since=2)
    assert suspect() == [5_000]

    told(7_100, since=1)

    assert suspect() == []


@pytest.mark.parametrize(("hour", "is_explained"), [(0, False), (0.5, True), (1, True), (1.5, False)])
def test_a_transfer_explains_a_step_also_when_it_is_booked_later(hour: float, is_explained: bool) -> None:
    told(10_000, 4_000)
    moved(hour, -6_000)

    assert suspect() == ([] if is_explained else [4_000])


def test_a_trade_explains_a_step_also_when_it_is_recorded_later() -> None:
    told(10_000, 5_000)
    record_trade(make_trade(TRADER, open_ms=at(-1), close_ms=at(0.5), net=-5_000))

    assert suspect() == []


def test_a_part_of_a_position_explains_a_step() -> None:
    told(10_000, 5_000)
    open_position(trader_id=TRADER, symbol="BTC", side=Side.LONG, detail=make_position(opened_ms=at(-1)))
    assert suspect() == [5_000]

    reduced = PositionEvent(kind=EventKind.REDUCE, at_ms=at(0.5), quantity=Decimal("0.001"), price=Decimal(100))
    parts.record_event(TRADER, "BTC", reduced)

    assert suspect() == []


def test_a_point_that_is_set_aside_no_longer_agrees_with_another() -> None:
    told(10_000, 5_000, 4_900, 9_990)
    assert suspect() == [9_990]

    exclusions.set_aside([RecordKey(RecordKind.EQUITY, f"{TRADER}|{at(2)}")], reason="a glitch", actor="mei")
    assert suspect() == [5_000]


def test_what_a_person_included_again_counts() -> None:
    told(10_000, 5_000)
    for undo in (False, True):
        key = RecordKey(RecordKind.EQUITY, f"{TRADER}|{at(1)}")
        exclusions.set_aside([key], reason="looked at", actor="mei", undo=undo)

    assert suspect() == []


def test_what_a_person_wrote_as_a_correction_is_never_suspect() -> None:
    told(10_000, 9_000)
    key = RecordKey(RecordKind.EQUITY, f"{TRADER}|{at(1)}")

    corrections.correct(key, {"equity_usd": Decimal(2_000)}, reason="the statement", actor="mei")

    assert suspect() == []


@pytest.mark.plain
def test_a_program_that_changes_a_point_has_it_judged_again() -> None:
    told(10_000, 100)
    EquitySnapshot.objects.filter(equity_usd=100).update(equity_usd=9_900)

    assert suspect() == []


def test_the_highest_index_is_made_again_where_a_point_counts_now() -> None:
    told(10_000, 5_000, 10_100)
    GuardPeak.objects.create(
        trader_id=TRADER, since_ms=0, upto_ms=at(2), equity_usd=10_100, index=1, peak=1, peak_ms=at(2), before_pct=0
    )
    moved(0.5, -5_000)

    assert suspect() == [10_100]
    assert not GuardPeak.objects.exists()


def test_it_counts_nowhere_until_the_next_report_agrees() -> None:
    told(10_000, 10_100, 5_000)
    assert everywhere() == {10_100}

    told(4_990, since=3)
    assert everywhere() == {4_990}


def everywhere() -> set[int]:
    """The last equity, as each reader of the record has it."""
    hours = export_equity.hourly(export_equity.preferred_sources(), inception_ms=START, newest=9, step=1, whole=9)[
        TRADER
    ]
    [day] = trader_days([TRADER], Period(at(0.5), at(9)))
    look = TraderLook.of(TRADER, datetime.fromtimestamp(at(9) / 1000, UTC))
    newest_ms = round(equity_moments([TRADER])[TRADER].timestamp() * 1000)
    found = {
        facts([TRADER]).equity[-1].equity,
        projection.project([TRADER]).inception[TRADER].equity_usd,
        projection.equity_points([TRADER])[TRADER][-1].equity,
        hours[-1].equity,
        export_equity.since(0)[-1][1].equity,
        day.now,
        look.tail[-1].equity,
        fleet_points(at(9), 1)[TRADER][-1].equity,
        EquitySnapshot.objects.get(trader=TRADER, ts_ms=newest_ms).equity_usd,
    }
    return {int(equity or 0) for equity in found}


def sorted_out(points: Sequence[tuple[int, int]], moved_ms: Iterable[int]) -> list[int]:
    """The rule once more, in the plainest words: the moments of the points that count nowhere."""
    good: tuple[int, int] | None = None
    waiting: tuple[int, int] | None = None
    left_out = set()

    def is_near(before: tuple[int, int], after: tuple[int, int]) -> bool:
        return abs(after[1] - before[1]) * 10 <= 3 * abs(before[1])

    for point in sorted(points):
        is_moved = good is None or any(good[0] < ms <= point[0] for ms in moved_ms)
        is_same = good is not None and is_near(good, point) and (point[1] > 0 or good[1] <= 0)
        if waiting is not None and is_near(waiting, point):
            left_out.discard(waiting[0])
            good, waiting = point, None
        elif is_same or (point[1] > 0 and is_moved):
            good, waiting = point, None
        else:
            waiting = point
            left_out.add(point[0])
    return sorted(left_out)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.sampled_from([0, -3, 10, 12, 15, 40, 50, 60]), min_size=1, max_size=9),
    st.lists(st.integers(0, 8), max_size=2, unique=True),
    st.randoms(use_true_random=False),
)
def test_in_whatever_order_the_record_comes_the_same_points_count(
    equities: list[int], transfers: list[int], order: object
) -> None:
    points = [(at(hour), equity) for hour, equity in enumerate(equities)]
    steps: list[tuple[str, int]] = [("point", hour) for hour in range(len(equities))]
    steps += [("transfer", hour) for hour in transfers]
    order.shuffle(steps)  # type: ignore[attr-defined]
    with transaction.atomic():
        for kind, hour in steps:
            if kind == "point":
                told(equities[hour], since=hour)
            else:
                moved(hour - 0.5, 1)
        found = list(EquitySnapshot.objects.filter(is_suspect=True).order_by("ts_ms").values_list("ts_ms", flat=True))
        transaction.set_rollback(True)

    assert found == sorted_out(points, [at(hour - 0.5) for hour in transfers])
