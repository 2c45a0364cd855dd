"""An API token's way through the browser: made, copied, gone, revoked; and its pages at every width."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from tests.browser.steps import log_in, person
from tests.browser.test_pages import check, log_in_as_ada
from tests.factories import make_trader, sync_traders
from traders.models import ApiToken
from traders.schema.tokens import Scope
from traders.tokens import services as tokens

pytestmark = pytest.mark.django_db(transaction=True)

TOKENS = "/admin/traders/apitoken/"


def fill_in(page: Page, name: str) -> None:
    page.goto(f"{TOKENS}add/")
    page.get_by_label("Name").fill(name)
    page.get_by_label("read-config").check()
    page.get_by_label("write-state").check()


def test_a_token_is_made_copied_and_revoked(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    person("ada")
    log_in(page, "ada")
    page.get_by_role("link", name="API tokens").first.click()
    page.get_by_role("link", name="New token").click()
    expect(page.get_by_label("Name")).to_be_focused()
    fill_in(page, "engine-1")
    page.get_by_label("Last day").fill("2999-01-31")
    expect(page.get_by_label("until the end of this day")).to_be_checked()
    page.get_by_label("90 days").check()
    expect(page.get_by_label("Last day")).to_have_value("")
    page.get_by_role("button", name="Make the token").click()

    shown = page.get_by_label("The token", exact=True)
    expect(shown).to_have_text(re.compile("^nof0_[A-Za-z0-9_-]{43}$"))
    text = shown.inner_text()
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == text
    address = page.locator(".example").inner_text().split()[-1]
    answer = page.request.get(address, headers={"Authorization": f"Bearer {text}"})
    assert answer.json()["scopes"] == ["read-config", "write-state"]

    page.reload()
    expect(page.get_by_role("rowheader", name="engine-1")).to_be_visible()
    assert text not in page.content()
    assert ApiToken.objects.count() == 1

    page.get_by_role("link", name="Revoke engine-1").click()
    page.get_by_role("button", name="Revoke the token").click()
    expect(page.get_by_text("it is refused from now on")).to_be_visible()
    assert tokens.authenticate(text) is None


def test_a_token_is_copied_where_the_browser_withholds_the_clipboard(page: Page) -> None:
    page.add_init_script("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    person("ada")
    log_in(page, "ada")
    fill_in(page, "engine-1")
    page.get_by_role("button", name="Make the token").click()
    text = page.get_by_label("The token", exact=True).inner_text()

    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    page.goto(f"{TOKENS}add/")
    page.get_by_label("Name").press("Control+v")
    expect(page.get_by_label("Name")).to_have_value(text)


def test_a_double_click_makes_one_token_and_shows_it(page: Page) -> None:
    person("ada")
    log_in(page, "ada")
    fill_in(page, "engine-1")
    page.get_by_role("button", name="Make the token").dblclick()

    text = page.get_by_label("The token", exact=True).inner_text()
    assert tokens.authenticate(text) is not None
    assert ApiToken.objects.count() == 1


def test_naming_a_trader_limits_the_token_and_all_traders_names_none(page: Page) -> None:
    sync_traders(make_trader("btc_trend"), make_trader("steady_long"))
    person("ada")
    log_in(page, "ada")
    fill_in(page, "engine-1")
    page.get_by_label("btc_trend").check()
    expect(page.get_by_label("these only")).to_be_checked()
    page.get_by_label("all traders").check()
    expect(page.get_by_label("btc_trend")).not_to_be_checked()
    page.get_by_label("steady_long").check()
    page.get_by_role("button", name="Make the token").click()

    token = tokens.authenticate(page.get_by_label("The token", exact=True).inner_text())
    assert token is not None
    assert token.trader_ids == frozenset({"steady_long"})


@pytest.mark.pages
def test_the_pages_of_tokens_hold_at_every_width(page: Page) -> None:
    traders = [f"fleet-{n:02d}-with_a_long_identifier" for n in range(12)]
    sync_traders(*(make_trader(name, allocation_pct=Decimal(1)) for name in traders))
    log_in_as_ada(page)
    page.goto(TOKENS)
    check(page, "no tokens")
    limited, _text = tokens.create(name="limited", scopes=list(Scope), actor="ada", trader_ids=traders)
    page.goto(f"{TOKENS}{limited.id}/revoke/")
    check(page, "a limited token")
    for name in ("engine-of-a-very-long-name." * 2, "old", "board"):
        token, text = tokens.create(
            name=name, scopes=list(Scope), actor="ada", expires_at=timezone.now() + timedelta(days=400)
        )
        tokens.authenticate(text)
    tokens.revoke(token_id=ApiToken.objects.get(name="old").pk, actor="a-person-of-a-long-name@example.org")
    for address in ("", "add/", f"{token.id}/change/", f"{limited.id}/change/", f"{token.id}/revoke/"):
        page.goto(TOKENS + address)
        check(page, f"tokens {address}")
    page.goto(f"{TOKENS}add/")
    page.get_by_role("button", name="Make the token").click()
    expect(page.get_by_role("alert")).to_be_visible()
    check(page, "a wrong form of a token")
    fill_in(page, "engine-1")
    page.get_by_role("button", name="Make the token").click()
    expect(page.get_by_label("The token", exact=True)).to_be_visible()
    check(page, "a new token")
