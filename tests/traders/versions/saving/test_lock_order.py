"""Rows of configurations that other code locks: behind the fleet, so that no two changes wait for each other."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from threading import Event
from time import sleep
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from tests.at_once import at_once
from tests.factories import make_trader, sync_traders
from tests.traders.database.direct import value
from traders.models import ManagerConfig, TraderConfig
from traders.versioned import change
from traders.versions.lock import locked_fleet

pytestmark = pytest.mark.django_db(transaction=True)


def update_or_create() -> Any:
    with change(reason="by a script", actor="mei"):
        return TraderConfig.objects.update_or_create(pk="steady_long", defaults={"allocation_pct": Decimal(7)})


def lock_then_save() -> None:
    with transaction.atomic():
        trader = TraderConfig.objects.select_for_update().get(pk="steady_long")
        trader.allocation_pct, trader._change_reason = Decimal(7), "by a script"
        trader.save()


def lock_by_iterator_then_save() -> None:
    with transaction.atomic():
        for trader in TraderConfig.objects.select_for_update().iterator():
            trader.allocation_pct, trader._change_reason = Decimal(7), "by a script"
            trader.save()


@pytest.mark.parametrize("way", [update_or_create, lock_then_save, lock_by_iterator_then_save])
def test_it_waits_for_the_change_that_holds_the_fleet(way: Callable[[], Any]) -> None:
    sync_traders(make_trader())
    is_held = Event()

    def hold_fleet_then_lock_the_trader() -> None:
        with locked_fleet() as fleet:
            is_held.set()
            while not value("SELECT count(*) FROM pg_locks WHERE NOT granted"):
                sleep(0.01)
            assert fleet.row("steady_long") is not None

    def lock_the_trader_then_save() -> None:
        assert is_held.wait(30)
        way()

    results = at_once(hold_fleet_then_lock_the_trader, lock_the_trader_then_save)
    assert not [result for result in results if isinstance(result, Exception)]
    stored = TraderConfig.objects.get(pk="steady_long")
    assert (stored.version, stored.allocation_pct) == (2, Decimal(7))


def test_it_may_make_a_trader() -> None:
    sync_traders(make_trader())
    detail = TraderConfig.objects.get(pk="steady_long").detail
    with change(reason="by a script", actor="mei"):
        trader, is_new = TraderConfig.objects.update_or_create(
            pk="second",
            defaults={
                "exchange_provider": "paper_trading",
                "market_provider": "hyperliquid_testnet",
                "allocation_pct": Decimal(1),
                "detail": detail,
            },
        )
    assert (trader.version, is_new) == (1, True)


def test_a_read_without_a_lock_takes_none() -> None:
    sync_traders(make_trader())
    with CaptureQueriesContext(connection) as captured:
        list(TraderConfig.objects.all())
        list(ManagerConfig.objects.all())
    assert len(captured) == 2
