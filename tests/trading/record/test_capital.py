"""Which capital counts: that of a retired trader until it is flat, and the larger one of pinned and newest."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction

from tests.factories import make_trader, new_trader, save_edit, sync_traders
from tests.traders.controls.asking import TRADER, ask
from tests.trading_factories import make_position
from traders.schema.problems import InvalidConfig
from traders.versions import queries as configs
from traders.versions.lifecycle import services as lifecycle
from traders.versions.rules import allocation
from trading.record.writing import services
from trading.schema.common import Side

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fleet() -> None:
    sync_traders(make_trader(allocation_pct=Decimal(60)), make_trader("quick_short", allocation_pct=Decimal(20)))


def counted() -> Decimal:
    total = allocation.allocated_pct(configs.shares())
    assert total == configs.fleet_sums().allocated_pct
    return total


def retire() -> None:
    lifecycle.set_retired(trader_ids=[TRADER], retired=True, seen={TRADER: 1}, reason="lost", actor="mei")


def test_a_retired_traders_capital_counts_until_it_is_flat() -> None:
    services.position(trader_id=TRADER, symbol="BTC", side=Side.LONG, detail=make_position())
    retire()
    assert counted() == 80
    with pytest.raises(InvalidConfig):
        save_edit("quick_short", allocation_pct=Decimal(60))

    entry_ms = make_position().entry.time_ms
    services.close(trader_id=TRADER, symbol="BTC", price=Decimal(46000), closed_at_ns=(entry_ms + 1000) * 1_000_000)
    assert counted() == 20
    assert save_edit("quick_short", allocation_pct=Decimal(60)) is not None


def test_a_retired_trader_that_holds_nothing_counts_nothing() -> None:
    retire()
    assert counted() == 20


def test_the_larger_allocation_of_pinned_and_newest_counts() -> None:
    save_edit(TRADER, allocation_pct=Decimal(10))
    assert counted() == 30
    ask("pin", version=1)
    assert counted() == 80
    with pytest.raises(InvalidConfig):
        new_trader("third", allocation_pct=Decimal(20))
    ask("unpin")
    assert counted() == 30
    assert new_trader("third", allocation_pct=Decimal(20)) is not None


def test_a_pin_that_the_fleet_has_no_capital_for_is_refused() -> None:
    save_edit(TRADER, allocation_pct=Decimal(10))
    save_edit("quick_short", allocation_pct=Decimal(70))
    with pytest.raises(InvalidConfig, match="makes the fleet's sum 130"):
        ask("pin", version=1)


def test_the_database_counts_what_is_pinned_too() -> None:
    save_edit(TRADER, allocation_pct=Decimal(10))
    ask("pin", version=1)
    new_trader("third", allocation_pct=Decimal(10))
    with pytest.raises(IntegrityError, match="allocation of the fleet is 100"):
        raise_allocation()


def raise_allocation() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE trader_config SET allocation_pct = 30 WHERE id = 'quick_short'")
        cursor.execute("SET CONSTRAINTS trader_config_fleet_sum IMMEDIATE")
