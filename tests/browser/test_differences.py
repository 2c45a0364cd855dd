"""A difference with an exchange in the browser: previewed, settled, and its pages at every width."""

from __future__ import annotations

from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from tests.browser.steps import PASSWORD, log_in
from tests.browser.test_pages import check, log_in_as_ada
from tests.factories import make_trader, sync_traders
from tests.traders.admin.people import account
from traders.accounts.rules import Role
from trading.differences import services
from trading.differences.rules import AccountThere, HeldThere
from trading.models import ExchangeDifference, Position
from trading.schema.common import Side

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "/admin/trading/exchangedifference/"
AT_MS = 1_767_225_600_000


def a_difference() -> int:
    sync_traders(make_trader())
    held = HeldThere("BTC", Side.LONG, Decimal("0.5"), Decimal(64_000), leverage=Decimal(5))
    other = HeldThere("BTC", Side.SHORT, Decimal("0.1"), Decimal(64_200))
    found = services.reconcile("steady_long", AccountThere((held, other), None, None, AT_MS), actor="token:engine-1")
    return int(found[0].pk)


@pytest.mark.parametrize("size", [(1366, 768), (390, 844)])
def test_an_operator_previews_and_settles_a_difference(page: Page, size: tuple[int, int]) -> None:
    settled = a_difference()
    account(Role.OPERATOR, password=PASSWORD)
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.goto("/admin/")
    log_in(page, "operator")
    page.goto(f"{LIST}?state=open")
    page.get_by_role("link", name="BTC long").click()
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("row", name="after")).to_contain_text("64,000")
    page.get_by_label("Reason").fill("the exchange's statement")
    page.get_by_role("button", name="Settle").click()

    expect(page.get_by_text("steady_long has 1 more")).to_be_visible()
    assert ExchangeDifference.objects.get(pk=settled).settled_by == "operator"
    assert Position.objects.get().detail["entry"]["price"] == 64_000


@pytest.mark.pages
def test_the_pages_hold_at_every_width(page: Page) -> None:
    number = a_difference()
    log_in_as_ada(page)
    page.goto(LIST)
    check(page, "differences")
    page.goto(f"{LIST}{number}/change/")
    check(page, "a difference")
    page.get_by_role("button", name="Preview").click()
    check(page, "preview of a settlement")
