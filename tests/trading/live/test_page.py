from __future__ import annotations

import json
import re
import time
from decimal import Decimal
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone
from django_redis import get_redis_connection
from pytest_django.fixtures import Settings as SettingsWrapper

from tests.live_factories import ago, make_price
from tests.traders.admin.browsing import text_of
from tests.traders.admin.people import browser_of
from tests.traders.controls.asking import ask
from tests.trading.live import big_fleet
from tests.trading.live.servers import own_server
from tests.trading_factories import make_entry
from traders.accounts.rules import Role
from traders.runtime import writer as runtime
from traders.schema.moments import now_ms
from traders.versions.lifecycle import services as lifecycle
from trading.export.cycle import Exporter
from trading.export.parts.options import Options
from trading.live import services as live
from trading.live.migration.modes import LayoutMode
from trading.live.redis.mode import follower
from trading.models import EquitySnapshot
from trading.record.writing import services as record
from trading.record.writing.decisions import record_decision

pytestmark = pytest.mark.django_db
LIVE = "/admin/trading/position/live/"
STORE = f"{LIVE}store/"


@pytest.fixture
def admin() -> Client:
    big_fleet.fill(2)
    live.rebuild_all()
    return browser_of(Role.ADMIN)


def page(client: Client) -> str:
    return client.get(LIVE).content.decode()


def store_page(client: Client) -> str:
    return client.get(STORE).content.decode()


def seen(client: Client) -> str:
    """The mode that the page's form was made for."""
    [revision] = re.findall(r'name="seen" value="(\d+)"', store_page(client))
    return str(revision)


def press(client: Client, step: str, **more: str) -> str:
    return client.post(f"{LIVE}switch/", {"step": step, **more}, follow=True).content.decode()


def test_it_shows_prices_and_what_is_held_at_the_price_of_now(admin: Client) -> None:
    live.quoted({"BTC": make_price("46000.50"), "ETH": make_price(as_of=ago(60))})

    text = page(admin)

    assert "nof0:trader:positions" not in text, "the page Live store has the keys"
    assert "nof0:trader:positions" in store_page(admin)
    assert "trader_000" in text
    assert "46,000.5" in text
    assert "+10.00" in text
    assert "stale" in text


def test_a_position_is_marked_on_the_page_as_in_the_documents(admin: Client, tmp_path: Path) -> None:
    live.quoted({"BTC": make_price("44000.50", provider=None), "hyperliquid_testnet:BTC": make_price("46000.50")})

    text = page(admin)

    Exporter(Options(tmp_path)).cycle(analytics_seconds=None)
    accounts = json.loads((tmp_path / "current" / "positions.json").read_text())["accountTotals"]
    assert "+10.00" in text
    assert "-10.00" not in text
    assert accounts[0]["positions"]["BTC"]["unrealized_pnl"] == 10
    assert "price_provider" not in accounts[0]["positions"]["BTC"]


def test_the_price_of_another_provider_is_marked_as_such(admin: Client, tmp_path: Path) -> None:
    live.quoted({"okx:BTC": make_price("46000.50", provider="okx")})

    text = page(admin)

    Exporter(Options(tmp_path)).cycle(analytics_seconds=None)
    accounts = json.loads((tmp_path / "current" / "positions.json").read_text())["accountTotals"]
    prices = json.loads((tmp_path / "current" / "crypto-prices.json").read_text())["prices"]
    assert "of okx" in text
    assert accounts[0]["positions"]["BTC"]["price_provider"] == prices["BTC"]["provider"] == "okx"


def test_without_a_fresh_price_nothing_is_said_of_the_gain(admin: Client) -> None:
    live.quoted({"BTC": make_price("46000.50", as_of=ago(60))})

    assert "+10.00" not in page(admin)


def test_without_redis_it_says_so_and_shows_the_database(admin: Client) -> None:
    with own_server() as server:
        server.kill()

        text = page(admin)

    assert "Redis does not answer" in text
    assert "trader_000" in text
    assert "PostgreSQL" in text


def test_without_redis_the_store_has_nothing_to_show_and_nothing_to_switch(admin: Client) -> None:
    with own_server() as server:
        server.kill()

        text = store_page(admin)

    assert "Redis does not answer" in text
    assert "live-steps" not in text


def test_figures_of_the_fleet_come_first(admin: Client) -> None:
    equity = Decimal(0)
    for name in ("trader_000", "trader_001"):
        last = EquitySnapshot.objects.filter(trader=name).latest("ts_ms").equity_usd
        EquitySnapshot.objects.create(trader_id=name, ts_ms=now_ms() - 1000, equity_usd=last + 5)
        equity += last + 5
    live.quoted({"BTC": make_price("46000.50")})
    record_decision(make_entry("trader_001", decided_at=timezone.now()))

    words = text_of(admin.get(LIVE))

    assert f"Equity, USD {equity:,.2f} of 2 traders" in words
    assert re.search(r"Gross exposure, USD [\d,.]+ Net exposure, USD", words)
    assert words.index("Equity, USD") < words.index("Held now") < words.index("Last decisions") < words.index("Prices")
    assert re.search(r"just now trader_001 BTC open long \S*\s*done", words)
    totals = admin.get(LIVE).context["totals"]
    assert totals.gross == sum(one.gross for one in admin.get(LIVE).context["exposures"]) > 0


def test_a_fleet_without_prices_has_no_sum_of_gains(admin: Client) -> None:
    totals = admin.get(LIVE).context["totals"]
    assert (totals.unrealized, totals.marked) == (None, 0)
    assert totals.held > 0


def test_without_redis_the_prices_of_the_last_export_are_shown_and_value_nothing(
    admin: Client, tmp_path: Path, settings: SettingsWrapper
) -> None:
    settings.EXPORT_DIR = tmp_path
    live.quoted({"BTC": make_price("46000.50")})
    Exporter(Options(tmp_path)).cycle()
    assert "+10.00" in page(admin)
    with own_server() as server:
        server.kill()

        text = page(admin)

    assert "prices those of the last export" in text
    assert "46,000.5" in text
    assert re.search(r"last export\s*·\s*stale", text)
    assert "+10.00" not in text


def test_a_viewer_looks_and_switches_nothing(admin: Client) -> None:
    viewer = browser_of(Role.VIEWER)

    assert "Live store" not in page(viewer)
    assert viewer.get(STORE).status_code == 403
    assert viewer.post(f"{LIVE}switch/", {"step": "rollback"}).status_code == 403
    assert follower.current(now=True).mode == LayoutMode.HASH


def test_an_admin_walks_back_and_forth(admin: Client) -> None:
    def step(name: str, **more: str) -> str:
        return press(admin, name, seen=seen(admin), **more)

    assert "Mode: dual, 0 %" in step("rollback")
    assert "Mode: dual, 25 %" in step("share", percent="25")
    assert "Choose one of the steps" in step("share", percent="33")
    assert "no verify has passed" in step("cutover")
    assert "0 differences" in step("verify")
    assert "Mode: hash" in step("cutover")
    assert "old keys removed" in step("cleanup")
    assert "2 traders filled" in step("rebuild")


@pytest.mark.parametrize("step", ["verify", "rebuild", "cutover", "rollback", "share", "cleanup", "dual"])
def test_a_button_of_an_outdated_page_does_nothing(admin: Client, step: str) -> None:
    press(admin, "rollback", seen=seen(admin))
    outdated = seen(admin)
    press(browser_of(Role.ADMIN), "share", seen=outdated, percent="25")
    before = follower.current(now=True)

    said = press(admin, step, seen=outdated, percent="50")

    assert "The mode changed meanwhile: it is now dual, 25 % of reads from the new layout." in said
    assert "The step was not taken." in said
    assert follower.current(now=True) == before


@pytest.mark.parametrize(
    "nonsense", [{}, {"seen": ""}, {"seen": "x"}, {"seen": "-1"}, {"seen": "²"}, {"seen": "9" * 400}]
)
def test_a_form_that_names_no_mode_does_nothing(admin: Client, nonsense: dict[str, str]) -> None:
    assert "The step was not taken." in press(admin, "rollback", **nonsense)
    assert follower.current(now=True).mode == LayoutMode.HASH


def test_differences_of_the_last_verify_are_listed(admin: Client) -> None:
    get_redis_connection("default").hset("nof0:trader:analytics", "trader_001", "*")
    press(admin, "verify", seen=seen(admin))

    assert "nof0:trader:analytics trader_001" in store_page(admin)


class TestWanted:
    def retire(self, trader_id: str) -> None:
        lifecycle.set_retired(trader_ids=[trader_id], retired=True, seen={trader_id: 1}, reason="lost", actor="mei")

    def test_a_retired_trader_is_shown_in_red_until_it_is_flat(self, admin: Client) -> None:
        self.retire("trader_000")
        text = page(admin)
        assert re.search(r"trader_000</a>\s*<span class=\"alarming\">retired</span>", text)
        assert "Retired, and 1 position is still open." in text
        record.close(
            trader_id="trader_000", symbol="BTC", price=Decimal(46000), closed_at_ns=time.time_ns() - 1_000_000
        )
        assert "trader_000" not in page(admin)

    def test_what_is_wanted_stands_beside_what_was_observed_with_ages(self, admin: Client) -> None:
        runtime.report("trader_001", version=1, is_running=True, detail={})
        ask("start", "trader_001")
        ask("pause", "trader_001", reason="news")
        words = text_of(admin.get(LIVE))
        assert re.search(r"wanted paused by mei \d+ s ago", words)
        assert re.search(r"engine reported running v1, \d+ s ago", words)

    def test_the_longest_fleet_is_cut_and_counted(self, admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("trading.live.page.wanted.MOST_SHOWN", 1)
        assert admin.get(LIVE).context["wanted_more"] == 1
