"""A manager beside the site: what an operator saves, pins and unpins in the browser binds the next decision."""

from __future__ import annotations

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from tests.browser.steps import PASSWORD, give_reason, log_in, open_trader
from tests.factories import make_trader, sync_traders
from tests.manager_factories import ManagerAtWork, opens
from tests.traders.admin.people import account
from tests.traders.controls.asking import TRADER
from traders.accounts.rules import Role
from trading.models import DecisionJournal, Position

pytestmark = pytest.mark.django_db(transaction=True)
HISTORY = f"/admin/traders/traderconfig/{TRADER}/history/"
REFUSED = ["max_position_size_usd"]


def decided(at_work: ManagerAtWork) -> tuple[int | None, list[str] | None]:
    """(version, what refused the entry) of the next decision, which wants 400 USD of BTC."""
    at_work.now, at_work.says = timezone.now(), opens()
    at_work.take(TRADER)
    row = DecisionJournal.objects.latest("id")
    return row.config_version, row.detail["actions"][0].get("refused_by")


def test_a_limit_a_pin_and_its_end_bind_the_next_decision(page: Page) -> None:
    sync_traders(make_trader(detail__auto_start=True))
    at_work = ManagerAtWork()
    account(Role.OPERATOR, password=PASSWORD)
    log_in(page, "operator")

    open_trader(page, TRADER)
    page.get_by_label("Max position size").fill("300")
    give_reason(page, "smaller entries")
    page.get_by_role("button", name="Preview").click()
    page.get_by_role("button", name="Save version 2").click()
    expect(page.get_by_text("Saved version 2.")).to_be_visible()
    assert decided(at_work) == (2, REFUSED)
    assert not Position.objects.exists()
    page.goto("/admin/trading/decisionjournal/")
    expect(page.get_by_role("row").nth(1)).to_contain_text("v2")

    page.goto(HISTORY)
    page.get_by_role("link", name="Pin v1").click()
    give_reason(page, "the larger entries were good")
    page.get_by_role("button", name="Pin").click()
    expect(page.get_by_text("Pinned to v1: newer versions will not run.")).to_be_visible()
    assert decided(at_work) == (1, None)
    assert Position.objects.get().status == "open"

    page.get_by_role("region", name="Control").get_by_role("link", name="Unpin").click()
    give_reason(page, "back to the smaller ones")
    page.get_by_role("button", name="Unpin").click()
    expect(page.get_by_text("wanted running").first).to_be_visible()
    version, refused = decided(at_work)
    assert (version, set(REFUSED) <= set(refused or ())) == (2, True)
