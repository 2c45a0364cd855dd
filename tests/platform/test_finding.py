"""The search of the top bar: traders, versions, pages and ids, each only for who may open them."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from tests.factories import make_trader, save_edit, sync_traders
from tests.traders.admin.people import browser_of
from tests.trading_factories import make_entry, make_trade
from traders.accounts.rules import Role
from traders.models import TraderConfigVersion
from trading.record.stored import symbols
from trading.record.writing.decisions import record_decision
from trading.record.writing.trades import record_trade

pytestmark = pytest.mark.django_db

TRADERS = "/admin/traders/traderconfig/"


@pytest.fixture
def fleet() -> None:
    names = {"steady_long": "Steady Long", "steady_short": "Steady Short", "quick_eth": "Quick on Ether"}
    sync_traders(
        *(make_trader(name, detail__display_name=said, allocation_pct=Decimal(5)) for name, said in names.items())
    )
    save_edit("steady_long", detail__risk__max_positions=7)


@pytest.fixture
def trade_id(fleet: None) -> str:
    symbols.add(["BTC"])
    trade = make_trade("steady_long")
    record_trade(trade)
    return trade.id


def found(browser: Client, text: str) -> list[str]:
    """The addresses, in their order."""
    answer = browser.get("/admin/find/", {"q": text, "part": "1"})
    assert answer.status_code == 200
    return re.findall(r'<a href="([^"]+)"', answer.content.decode())


@pytest.mark.parametrize(
    ("text", "traders"),
    [
        ("steady", ["steady_long", "steady_short"]),
        ("LONG", ["steady_long"]),
        ("on ether", ["quick_eth"]),
        ("steady_short", ["steady_short"]),
        ("ｑｕｉｃｋ", ["quick_eth"]),
        ("nothing", []),
        ("%", []),
        ("_", ["quick_eth", "steady_long", "steady_short"]),
    ],
)
def test_traders_are_found_by_part_of_their_id_or_name(fleet: None, text: str, traders: list[str]) -> None:
    assert found(browser_of(Role.VIEWER), text) == [f"{TRADERS}{name}/" for name in traders]


@pytest.mark.parametrize("text", ["steady_long v2", "long 2", "steady_long@2", "STEADY_LONG V2"])
def test_a_version_is_found_by_its_number_behind_a_trader(fleet: None, text: str) -> None:
    assert found(browser_of(Role.VIEWER), text) == [f"{TRADERS}steady_long/versions/2/"]


@pytest.mark.parametrize("text", ["steady_long v3", "steady_long v0", "steady_long v99999999999999"])
def test_a_version_that_is_not_there_is_not_found(fleet: None, text: str) -> None:
    assert found(browser_of(Role.VIEWER), text) == []


def test_a_change_set_is_found_by_its_number(fleet: None) -> None:
    last: Any = TraderConfigVersion.objects.order_by("change_set").last()
    assert f"{TRADERS}changes/{last.change_set}/" in found(browser_of(Role.VIEWER), str(last.change_set))


def test_trades_and_decisions_are_found_by_their_ids(trade_id: str) -> None:
    number = record_decision(make_entry("steady_long")).id
    viewer = browser_of(Role.VIEWER)
    [url] = found(viewer, trade_id)
    assert viewer.get(url.replace("&amp;", "&")).status_code == 200
    page = f"/admin/trading/decisionjournal/steady_long%7C{number}/"
    for text in (str(number), f"#{number}", f"steady_long|{number}"):
        assert page in found(viewer, text)
    assert page not in found(viewer, f"steady_short|{number}")


def test_what_is_said_of_a_trade_is_in_the_language_of_the_page(trade_id: str) -> None:
    found = {"q": trade_id, "part": "1"}
    viewer = browser_of(Role.VIEWER)
    assert "BTC · long" in viewer.get("/admin/find/", found).text
    assert "BTC · 多" in viewer.get("/admin/find/", found, headers={"Accept-Language": "zh-CN"}).text


def test_pages_are_found_by_their_names_and_only_those_that_the_account_may_open() -> None:
    assert found(browser_of(Role.VIEWER), "change log") == [f"{TRADERS}changes/"]
    assert found(browser_of(Role.VIEWER), "preferences") == ["/admin/preferences/"]
    assert found(browser_of(Role.VIEWER), "api tokens") == found(browser_of(Role.VIEWER), "add trader") == []
    assert found(browser_of(Role.VIEWER), "api reference") == ["/api/v1/docs"]
    assert found(browser_of(Role.ADMIN), "api tokens") == ["/admin/traders/apitoken/"]
    assert found(browser_of(Role.OPERATOR), "add trader") == [f"{TRADERS}add/"]


def test_an_account_finds_nothing_of_what_it_may_not_see(trade_id: str) -> None:
    user = User.objects.create_user("staff", is_staff=True)
    browser = Client()
    browser.force_login(user)
    for text in ("steady", "steady_long v2", trade_id, "1"):
        assert found(browser, text) == []
    user.user_permissions.add(Permission.objects.get(codename="view_trade"))
    assert len(found(browser, trade_id)) == 1
    assert found(browser, "steady") == []


def test_an_empty_result_says_so_with_what_was_typed_as_text() -> None:
    browser = browser_of(Role.VIEWER)
    page = browser.get("/admin/find/", {"q": "<b>zzz"}).content.decode()
    assert "Nothing is found for “&lt;b&gt;zzz”." in page
    assert "<b>zzz" not in page
    assert "Nothing is found" not in browser.get("/admin/find/").content.decode()


def test_the_login_has_no_search_and_every_page_behind_it_has_one(client: Client) -> None:
    assert "data-find" not in client.get("/admin/login/").content.decode()
    assert client.get("/admin/find/?q=x&part=1").status_code == 302
    viewer = browser_of(Role.VIEWER)
    for address in ("/admin/", TRADERS, "/admin/preferences/", "/admin/password_change/"):
        assert "data-find" in viewer.get(address).content.decode()


def test_a_search_costs_as_many_statements_however_many_traders(
    fleet: None, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    viewer = browser_of(Role.VIEWER)
    sync_traders(*(make_trader(f"trader_{number}", allocation_pct=0) for number in range(60)))
    viewer.get("/admin/find/?q=x&part=1")
    with django_assert_max_num_queries(20):
        assert len(found(viewer, "trader")) >= 8
