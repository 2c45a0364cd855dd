"""The journal: numbered per trader without gaps, tied to the version that decided, never changed."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection

from tests.at_once import at_once
from tests.factories import make_trader, sync_traders
from tests.trading_factories import make_entry
from trading.models import DecisionJournal
from trading.record.rules.errors import RecordConflict, RecordError, UnknownTrader
from trading.record.writing import decisions
from trading.schema.common import Origin

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fleet(request: pytest.FixtureRequest) -> None:
    sync_traders(make_trader(), make_trader("other", allocation_pct=10))


def test_cycles_are_numbered_for_each_trader() -> None:
    numbers = [decisions.record_decision(make_entry(name)).cycle_number for name in ("steady_long", "other", "other")]
    assert numbers == [1, 1, 2]


def test_an_entry_comes_back_as_it_was_recorded() -> None:
    made = decisions.record_decision(make_entry())
    assert decisions.stored(made.entry.trader_id, made.id) == made


def test_an_entry_with_a_key_is_recorded_once() -> None:
    origin = Origin(system="engine", key="k1")
    first = decisions.record_decision(make_entry(origin=origin))
    assert decisions.record_decision(make_entry(origin=origin)) == first
    with pytest.raises(RecordConflict, match="decision k1"):
        decisions.record_decision(make_entry(origin=origin, success=False))
    assert DecisionJournal.objects.count() == 1


def test_a_version_the_trader_never_had_is_refused() -> None:
    with pytest.raises(RecordError, match="steady_long has no version 2"):
        decisions.record_decision(make_entry(config_version=2))
    with pytest.raises(UnknownTrader):
        decisions.record_decision(make_entry("nobody", config_version=None))


@pytest.mark.plain
@pytest.mark.parametrize("statement", ["UPDATE decision_journal SET success = false", "DELETE FROM decision_journal"])
def test_a_recorded_decision_stays_as_it_is(statement: str) -> None:
    decisions.record_decision(make_entry())
    with pytest.raises(IntegrityError, match="what was recorded stays as it is"), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.django_db(transaction=True)
def test_entries_at_once_leave_no_gap_and_no_double() -> None:
    results = at_once(*(lambda: decisions.record_decision(make_entry()) for _ in range(8)))
    assert sorted(result.cycle_number for result in results) == list(range(1, 9))
