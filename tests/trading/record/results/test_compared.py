"""Two versions, or two traders: how they did stands above what they are told."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from tests.traders.admin.browsing import STEADY, TRADERS
from tests.trading.live.servers import own_server
from tests.trading_factories import HOUR_MS, OPENED_MS, make_trade
from trading.live import services as live
from trading.record.writing.trades import record_trade

pytestmark = pytest.mark.usefixtures("traders")
TWO = f"{TRADERS}compare/?trader=steady_long&trader=quick_short"


def results(client: Client, address: str) -> str:
    page = client.get(address).content.decode()
    found = re.search(r'<tbody class="results">(.*?)</tbody>', page, re.S)
    return " ".join(re.sub(r"<[^>]+>", " ", found[1]).split()) if found else ""


@pytest.fixture
def traded(traders: None) -> None:
    record_trade(make_trade(net="5", entry_version=1, exit_version=1))
    record_trade(make_trade(net="-2", entry_version=2, exit_version=2, open_ms=OPENED_MS + HOUR_MS))
    record_trade(make_trade("quick_short", net="7"))


def test_two_versions_show_their_results(viewer: Client, traded: None) -> None:
    said = results(viewer, f"{STEADY}compare/?a=1&b=2")
    assert "▲ +5.00 gain 1 trade ▼ −2.00 loss 1 trade" in said
    assert "win rate, % 100.0 0.0" in said


def test_a_version_without_trades_has_dashes(viewer: Client, traded: None) -> None:
    assert "win rate, % 0.0 –" in results(viewer, f"{STEADY}compare/?a=2&b=3")


def test_two_traders_show_their_results(viewer: Client, traded: None) -> None:
    live.rebuild_all()
    said = results(viewer, TWO)
    assert "net P&amp;L, USD ▲ +3.00 gain ▲ +7.00 gain" in said
    assert "win rate, % 50.0 100.0" in said
    assert "commission, USD 1.00 0.50" in said


def test_without_redis_what_it_alone_knows_is_a_dash(viewer: Client, traded: None) -> None:
    with own_server() as server:
        server.kill()
        said = results(viewer, TWO)
    assert "return, % – –" in said
    assert "net P&amp;L, USD ▲ +3.00 gain ▲ +7.00 gain" in said
