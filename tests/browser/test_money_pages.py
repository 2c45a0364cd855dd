"""Transfers and corrections in a browser: recorded, shown, and at every width."""

from __future__ import annotations

from decimal import Decimal
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from tests.browser.sample_record import TRADES, sample_record
from tests.browser.steps import log_in, person
from tests.browser.test_pages import check, log_in_as_ada
from trading.models import DecisionJournal, EquitySnapshot, EquityTransfer, Position, Trade
from trading.record.corrections.services import correct
from trading.schema.exclusion import RecordKey, RecordKind, equity_id

pytestmark = pytest.mark.django_db(transaction=True)

TRANSFERS = "/admin/trading/equitytransfer/"
ASIDE = "/admin/trading/recordexclusion/"


def newest_trade() -> Trade:
    return Trade.objects.latest("close_ts_ms")


def test_a_deposit_is_recorded_and_found_in_the_list(page: Page) -> None:
    sample_record()
    person("ada")
    page.goto("/admin/login/")
    log_in(page, "ada")
    page.get_by_role("link", name="Transfers").click()
    page.get_by_role("link", name="Add transfer").first.click()
    page.locator("#id_trader").select_option(newest_trade().trader_id)
    page.locator("#id_kind").select_option("deposit")
    page.locator("#id_amount_usd").fill("2500")
    page.locator("#id_reason").fill("capital for the new quarter")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("capital for the new quarter")).to_be_visible()
    assert EquityTransfer.objects.get().amount_usd == Decimal(2500)


@pytest.mark.pages
def test_pages_of_money_hold_at_every_width(page: Page) -> None:
    sample_record()
    log_in_as_ada(page)
    for name, address in (
        ("no transfers", TRANSFERS),
        ("a new transfer", f"{TRANSFERS}add/"),
        ("a correction", f"{TRADES}{newest_trade().pk}/correct/"),
    ):
        page.goto(address)
        check(page, name)


def to_correct() -> dict[str, str]:
    """{kind: name} of a row of each kind that has no page for its form of its own."""
    position = Position.objects.filter(status="open").latest("opened_ms")
    point = EquitySnapshot.objects.order_by("-ts_ms")[3]
    return {
        "position": position.pk,
        "decision": DecisionJournal.objects.latest("decided_at").name,
        "equity": equity_id(point.trader_id, point.ts_ms),
    }


@pytest.mark.pages
def test_forms_of_corrections_hold_at_every_width(page: Page) -> None:
    sample_record()
    log_in_as_ada(page)
    for kind, name in to_correct().items():
        page.goto(f"{ASIDE}correct/?kind={kind}&id={quote(name)}")
        check(page, f"correct a {kind}")
        page.get_by_role("button", name="Correct").click()
        expect(page.get_by_text("Say why, in a few words.").first).to_be_visible()
        check(page, f"correct a {kind}, refused")


@pytest.mark.pages
def test_the_page_of_a_point_of_equity_holds_at_every_width(page: Page) -> None:
    sample_record()
    name = to_correct()["equity"]
    correct(RecordKey(RecordKind.EQUITY, name), {"equity_usd": Decimal(9876)}, reason="the statement", actor="ada")
    wrong = EquitySnapshot.objects.filter(trader=name.split("|")[0], exclusion=None).latest("ts_ms")
    EquitySnapshot.objects.create(trader_id=wrong.trader_id, ts_ms=wrong.ts_ms + 1, equity_usd=Decimal("1.5"))
    suspect = equity_id(wrong.trader_id, wrong.ts_ms + 1)
    log_in_as_ada(page)
    for about, address in (
        ("a corrected point", f"{ASIDE}equity/{quote(name)}/"),
        ("a suspect point", f"{ASIDE}equity/{quote(suspect)}/"),
        ("a list with a suspect point", ASIDE),
    ):
        page.goto(address)
        check(page, about)


def test_a_point_of_equity_is_corrected_and_stands_beside_the_wrong_one(page: Page) -> None:
    sample_record()
    name = to_correct()["equity"]
    person("ada")
    page.goto("/admin/login/")
    log_in(page, "ada")
    page.goto(f"{ASIDE}equity/{quote(name)}/")
    page.get_by_role("link", name="Correct", exact=True).click()
    page.get_by_label("Equity").fill("9876.5")
    page.get_by_label("Reason").fill("the exchange's statement")
    page.get_by_role("button", name="Correct").click()
    expect(page.get_by_text("Corrected: this row counts in place of the old one.")).to_be_visible()
    expect(page.locator(".verdict")).to_contain_text("9,876.50")
    page.get_by_role("link", name=name).first.click()
    expect(page.get_by_text("It was corrected by")).to_be_visible()


@pytest.mark.parametrize(
    ("kind", "field", "value", "said"),
    [("position", "Entry price", "242.5", "242.5"), ("decision", "Equity", "5000", "5,000")],
)
def test_a_position_and_a_decision_are_corrected(page: Page, kind: str, field: str, value: str, said: str) -> None:
    sample_record()
    name = to_correct()[kind]
    person("ada")
    page.goto("/admin/login/")
    log_in(page, "ada")
    page.goto(f"{ASIDE}correct/?kind={kind}&id={quote(name)}")
    page.get_by_label(field).first.fill(value)
    page.get_by_label("Reason").fill("the exchange's statement")
    page.get_by_role("button", name="Correct").click()

    expect(page.get_by_text("Corrected: this row counts in place of the old one.")).to_be_visible()
    expect(page.get_by_text("It corrects")).to_be_visible()
    expect(page.locator("div.page")).to_contain_text(said)
