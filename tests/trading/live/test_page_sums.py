"""The Live page: exposure by underlying, and what each trader gained today, in the site's time zone."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from pytest_django.fixtures import Settings as SettingsWrapper

from tests.factories import make_trader, sync_traders
from tests.live_factories import make_price
from tests.trading_factories import make_position
from traders.schema.symbols import base_asset
from trading.analytics.today.days import day_of
from trading.live import services as live
from trading.models import EquitySnapshot, EquityTransfer
from trading.record.writing import positions
from trading.schema.common import Side
from trading.schema.position import Entry

pytestmark = pytest.mark.django_db
LIVE = "/admin/trading/position/live/"
ZONE = ZoneInfo("Asia/Shanghai")


def page(client: Client) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", client.get(LIVE).content.decode()))


def holds(trader: str, symbol: str, side: Side, quantity: str) -> None:
    entry = Entry(price=Decimal(100), quantity=Decimal(quantity), time_ms=int(time.time() * 1000) - 60_000)
    positions.open_position(trader_id=trader, symbol=symbol, side=side, detail=make_position(entry=entry))


def test_it_adds_up_what_is_held_of_one_underlying(viewer: Client) -> None:
    sync_traders(make_trader("ann"), make_trader("bob"))
    assert base_asset("BTC/USDT:USDT") == "BTC"
    holds("ann", "BTC", Side.LONG, "2")
    holds("bob", "BTC/USDT:USDT", Side.SHORT, "0.5")
    holds("bob", "ETH", Side.LONG, "1")
    live.quoted({"BTC": make_price("50000"), "BTC/USDT:USDT": make_price("50100")})
    live.rebuild_all()

    said = page(viewer)

    assert "BTC 125,050.00 74,950.00 2" in said
    assert "ETH – – 0 of 1 marked" in said


def test_what_a_paper_variant_holds_is_no_exposure_of_the_fleet(viewer: Client) -> None:
    sync_traders(make_trader("ann"), make_trader("on_paper", allocation_pct=0, detail__paper_capital_usd=10_000))
    holds("ann", "BTC", Side.LONG, "2")
    holds("on_paper", "BTC", Side.LONG, "3")
    live.quoted({"BTC": make_price("50000")})
    live.rebuild_all()

    said = page(viewer)

    assert "BTC 100,000.00 100,000.00 1" in said
    assert "Without the positions of paper variants" in said


def test_it_says_what_each_trader_gained_today(viewer: Client, settings: SettingsWrapper) -> None:
    """10,000; withdraw 2,000; now 7,700."""
    settings.DESK_TIMEZONE = ZONE
    sync_traders(make_trader("ann"))
    holds("ann", "BTC", Side.LONG, "2")
    live.rebuild_all()
    begins = day_of(datetime.now(UTC), ZONE).from_ms
    now = int(time.time() * 1000)
    for ms, usd in ((begins - 1, 10_000), (now, 7_700)):
        EquitySnapshot.objects.create(trader_id="ann", ts_ms=ms, equity_usd=usd)
    EquityTransfer.objects.create(
        transfer_id="w",
        trader_id="ann",
        ts_ms=(begins + now) // 2,
        amount_usd=-2_000,
        kind="withdrawal",
        reason="r",
        actor="a",
    )

    said = page(viewer)

    assert "Today (Asia/Shanghai)" in said
    assert re.search(r"ann 10,000\.00 −2,000\.00 7,700\.00 .{3,30} ▼ −300\.00 loss ▼ −3\.75 loss %", said)
