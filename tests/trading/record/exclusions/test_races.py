"""Rows set aside while others write: two people, an engine that repeats itself, an import."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connections

from tests.at_once import at_once
from tests.trading.database.test_exclusions import sums
from tests.trading.exclusion_record import ALPHA, POSITION, aside, record_alpha, trade_key, undone
from tests.trading_factories import HOUR_MS, OPENED_MS, make_trade
from trading.models import Position, RecordExclusion, Trade
from trading.record.exclusions import writer as repository
from trading.record.rules.errors import RecordBusy, SetAside
from trading.record.stored.copying import bulk_load
from trading.record.writing import positions, trades
from trading.record.writing.bulk_trades import copy_trades

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _record() -> None:
    record_alpha()


def test_of_two_people_at_once_one_sets_aside_and_the_other_is_told() -> None:
    results = at_once(*[lambda: aside(trade_key(0), trade_key(1))] * 4)
    assert sorted(len(change.entries) for change in results) == [0, 0, 0, 2]
    assert RecordExclusion.objects.count() == 2
    assert sums()[0] == sums()[1]


def test_setting_aside_and_including_again_at_once_ends_as_one_after_the_other() -> None:
    aside(trade_key(0))
    at_once(*[lambda: undone(trade_key(0)), lambda: aside(trade_key(1)), lambda: undone(trade_key(1))] * 2)
    marks = set(Trade.objects.exclude(exclusion=None).values_list("exclusion_id", flat=True))
    last = {entry.record_id: entry for entry in RecordExclusion.objects.order_by("pk")}
    assert marks == {entry.pk for entry in last.values() if entry.action == "exclude"}
    assert sums()[0] == sums()[1]


def test_a_trade_that_is_sent_again_meanwhile_stays_set_aside() -> None:
    same = make_trade(ALPHA, net="4.5")
    more = [make_trade(ALPHA, open_ms=OPENED_MS + n * HOUR_MS, net="1") for n in range(20, 26)]
    results: list[Any] = at_once(
        lambda: aside(trade_key(0)),
        *[lambda: trades.record_trade(same)] * 3,
        lambda: [trades.record_trade(trade) for trade in more],
        lambda: aside(trade_key(1), trade_key(2)),
    )
    assert not [result for result in results if isinstance(result, Exception)]
    assert Trade.objects.filter(exclusion__isnull=False).count() == 3
    assert sums()[0] == sums()[1]


def test_a_position_is_closed_or_set_aside_never_both_by_halves() -> None:
    def close() -> Any:
        return positions.close_position(
            trader_id=ALPHA,
            symbol="BTC",
            price=1,
            closed_at_ns=(OPENED_MS + 99) * 10**6,
            pnl=make_trade().detail.pnl,
        )

    closed, _change = at_once(close, lambda: aside(POSITION))
    [row] = Position.objects.all()
    assert row.exclusion_id is not None
    if isinstance(closed, Exception):
        assert isinstance(closed, SetAside)
        assert row.status == "open"
    else:
        assert row.status == "closed"
        assert Trade.objects.filter(pk=closed.id).exists()


def test_an_import_is_waited_for_and_what_it_wrote_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded, go_on = threading.Event(), threading.Event()

    def load() -> None:
        with bulk_load(name="arena"):
            copy_trades([make_trade(ALPHA, open_ms=OPENED_MS + n * HOUR_MS, net="1") for n in range(50, 53)])
            loaded.set()
            go_on.wait(30)

    def set_aside() -> Any:
        loaded.wait(30)
        monkeypatch.setattr(repository, "WAIT_SECONDS", 0.1)
        with pytest.raises(RecordBusy, match="an import is writing"):
            aside(trade_key(0))
        assert not RecordExclusion.objects.exists()
        monkeypatch.setattr(repository, "WAIT_SECONDS", 30)
        go_on.set()
        return aside(trade_key(0))

    results = at_once(load, set_aside)
    assert results[0] is None
    assert len(results[1].entries) == 1
    assert sums()[0] == sums()[1]


def test_an_import_that_begins_meanwhile_waits_for_the_end() -> None:
    with repository.locked():
        done = threading.Event()

        def load() -> None:
            with bulk_load(name="arena"):
                done.set()
            connections.close_all()

        thread = threading.Thread(target=load)
        thread.start()
        assert not done.wait(0.3)
    thread.join(30)
    assert done.is_set()
