"""What holds of guards for every sequence of reports, transfers and resumes, and with many hands at once."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from tests.at_once import at_once
from tests.factories import make_trader, save_edit, sync_traders
from tests.traders.controls.asking import ask, copied
from tests.trading.guards.test_acting import _noon
from traders.controls.wanted import wanted_of_one
from traders.models import TraderControl
from trading.guards import services as guards
from trading.models import EquitySnapshot
from trading.record.transfers.services import transfer
from trading.record.writing import services as record
from trading.schema.facts import EquityPoint, TransferKind

__all__ = ["_noon"]

TRADER = "steady_long"
DAILY = "guard:max_daily_loss_usd"
LIMIT, FIRST = 500, 10_000
HOUR_MS = 3_600_000
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("equity"), st.sampled_from([9_000, 9_400, 9_500, 9_501, 9_700, 10_200])),
        st.tuples(st.just("wrong"), st.sampled_from([0, -5, 10])),
        st.tuples(st.just("transfer"), st.sampled_from([-600, 300])),
        st.tuples(st.just("resume"), st.just(0)),
    ),
    min_size=2,
    max_size=12,
)


def with_limits() -> None:
    sync_traders(make_trader(detail__auto_start=True))
    save_edit(
        TRADER,
        detail__exec_guards__max_daily_loss_usd=Decimal(LIMIT),
        detail__exec_guards__max_drawdown_pct=Decimal(5),
    )
    report(FIRST, ts_ms=now_ms() - 13 * HOUR_MS)


def now_ms() -> int:
    return int(time.time() * 1000)


def report(equity: int, ts_ms: int | None = None) -> int:
    time.sleep(0.002)
    moment = ts_ms or now_ms()
    record.equity_points(TRADER, [EquityPoint(TRADER, moment, Decimal(equity), "engine")])
    return moment


def move(amount: int) -> int:
    time.sleep(0.002)
    kind = TransferKind.DEPOSIT if amount > 0 else TransferKind.WITHDRAWAL
    moment = now_ms()
    transfer(trader_id=TRADER, kind=kind, amount=abs(Decimal(amount)), ts_ms=moment, reason="moved", actor="mei")
    return moment


@dataclass
class Told:
    """What a reader of the reports would know: the good points with the loss of the day at each, in USD."""

    losses: list[int] = field(default_factory=list)
    moved: int = 0
    moved_since_good: bool = False
    was_wrong: bool = False
    resumes: int = 0

    @property
    def in_breach_twice(self) -> bool:
        return len(self.losses) > 1 and min(self.losses[-2:]) >= LIMIT

    def step(self, kind: str, value: int) -> None:
        # A second wrong report would agree with the first, and a transfer would explain it.
        if kind == "wrong" and (self.was_wrong or self.moved_since_good):
            kind, value = "equity", 9_700
        if kind == "resume":
            held = {pause.cause for pause in wanted_of_one(TRADER).pauses}
            for cause in sorted(filter(None, held)):
                ask("resume", cause=cause)
                self.resumes += 1
        elif kind == "transfer":
            move(value)
            self.moved += value
            self.moved_since_good = True
        elif kind == "wrong":
            report(value)
            self.was_wrong = True
        else:
            report(value)
            self.losses.append(FIRST + self.moved - value)
            self.was_wrong = self.moved_since_good = False


@pytest.mark.django_db
@given(STEPS)
def test_a_guard_acts_once_for_each_cause_and_never_on_one_report(steps: list[tuple[str, int]]) -> None:
    with transaction.atomic():
        with_limits()
        told, before = Told(), 0
        for kind, value in steps:
            told.step(kind, value)
            fired = TraderControl.objects.filter(kind="pause", cause=DAILY).count()
            assert fired <= before or told.in_breach_twice
            assert fired or told.resumes or not told.in_breach_twice
            before = fired
        rows = TraderControl.objects.filter(kind="pause").values_list("cause", "once")
        assert max(Counter(rows).values(), default=0) <= 1
        assert TraderControl.objects.filter(kind="pause").count() <= 2 + told.resumes
        assert not any("could_not" in str(cause) for cause, _once in rows)
        transaction.set_rollback(True)


@pytest.mark.django_db(transaction=True)
def test_two_guards_two_people_a_transfer_and_a_restart_at_once() -> None:
    with_limits()
    report(9_400)
    start = now_ms()
    results = at_once(
        *(lambda number=number: report(9_390 - number, ts_ms=start + number) for number in range(3)),
        lambda: guards.evaluate([TRADER]),
        lambda: ask("pause", actor="mei"),
        lambda: ask("drain", actor="lee"),
        lambda: ask("start", actor="mei"),
        lambda: move(100),
    )

    assert [result for result in results if isinstance(result, Exception)] == []
    assert EquitySnapshot.objects.filter(trader=TRADER).count() == 5
    report(9_300)
    report(9_300 - 1)
    rows = TraderControl.objects.filter(kind="pause").values_list("cause", flat=True)
    assert Counter(rows) == {"operator": 1, DAILY: 1, "guard:max_drawdown_pct": 1}
    held = {pause.cause for pause in wanted_of_one(TRADER).pauses}
    assert held == set(rows)
    assert {pause["cause"] for pause in copied()["desired"]["pauses"]} == held
