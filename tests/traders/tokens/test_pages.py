"""The pages of API tokens: made and shown once, listed, revoked."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.utils import timezone

from tests.factories import make_trader, sync_traders
from tests.traders.admin.browsing import hidden_fields, text_of
from tests.traders.admin.people import browser_of
from traders.accounts.rules import Role
from traders.models import ApiToken
from traders.schema.tokens import Scope, TokenState
from traders.tokens import services as tokens

pytestmark = pytest.mark.django_db

TOKENS = "/admin/traders/apitoken/"
ADD = f"{TOKENS}add/"


@pytest.fixture
def admin() -> Client:
    return browser_of(Role.ADMIN)


def made(name: str = "engine-1", **changed: Any) -> tuple[int, str]:
    """(id, text)"""
    token, text = tokens.create(**{"name": name, "scopes": [Scope.READ_CONFIG], "actor": "mei"} | changed)
    return token.id, text


def filled(admin: Client, **typed: Any) -> dict[str, Any]:
    """The opened form with what was typed."""
    form_id = hidden_fields(admin.get(ADD))["form_id"]
    return {"name": "engine-1", "scopes": ["read-config"], "lasts": "", "until": "", "form_id": form_id} | typed


def token_on(page: Any) -> str:
    [text] = re.findall(r"nof0_[A-Za-z0-9_-]{43}", page.content.decode())
    return str(text)


def errors_of(page: Any) -> dict[str, list[str]]:
    assert "Not saved." in text_of(page)
    return {name: list(errors) for name, errors in page.context["form"].errors.items()}


def test_a_new_token_is_shown_once_and_works(admin: Client, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["desk.test", "testserver"]
    page = admin.post(ADD, filled(admin, scopes=["write-state", "read-config"]), headers={"host": "desk.test"})

    token = tokens.authenticate(token_on(page))
    assert token is not None
    assert (token.name, token.scopes) == ("engine-1", frozenset({Scope.READ_CONFIG, Scope.WRITE_STATE}))
    assert ApiToken.objects.get().created_by == "admin"
    text = text_of(page)
    assert "it is not shown again" in text
    assert 'curl -H "Authorization: Bearer $NOF0_TOKEN" http://desk.test/api/v1/token' in text
    assert "no-store" in page.headers["Cache-Control"].split(", ")


def test_the_token_is_on_that_page_and_nowhere_else(admin: Client, caplog: Any) -> None:
    caplog.set_level("DEBUG")
    page = admin.post(ADD, filled(admin))
    secret = token_on(page).removeprefix("nof0_")[:16]

    assert secret not in str(page.headers) + page.request["QUERY_STRING"] + caplog.text
    assert secret not in str(admin.cookies)
    assert secret not in str([session.get_decoded() for session in Session.objects.all()])
    assert secret not in str(connection.queries)
    for address in (TOKENS, ADD, f"{TOKENS}{ApiToken.objects.get().pk}/revoke/", "/admin/"):
        assert secret not in admin.get(address).content.decode()


def test_the_same_form_sent_again_makes_no_other_token_and_shows_none(admin: Client) -> None:
    form = filled(admin)
    admin.post(ADD, form)
    tokens.revoke(token_id=ApiToken.objects.get().pk, actor="mei")

    again = admin.post(ADD, form, follow=True)

    assert again.redirect_chain == [(TOKENS, 302)]
    assert "This form has already made its token" in text_of(again)
    assert ApiToken.objects.count() == 1
    assert admin.post(ADD, filled(admin)).status_code == 200
    assert ApiToken.objects.count() == 2


def test_what_is_wrong_is_said_at_its_place_and_nothing_is_made(admin: Client) -> None:
    made("Taken")

    assert set(errors_of(admin.post(ADD, filled(admin, name="", scopes=[])))) == {"name", "scopes"}
    assert errors_of(admin.post(ADD, filled(admin, name="two words")))["name"] == [
        "Must be 1 to 64 letters, digits, '.', '_' or '-', the first a letter or digit, was 'two words'."
    ]
    assert "is taken" in errors_of(admin.post(ADD, filled(admin, name="tAKEN")))["name"][0].lower()
    assert set(errors_of(admin.post(ADD, filled(admin, scopes=["admin"])))) == {"scopes"}
    assert set(errors_of(admin.post(ADD, filled(admin, form_id="")))) == {"form_id"}
    assert ApiToken.objects.count() == 1


@pytest.mark.parametrize(
    ("lasts", "until", "said"),
    [
        ("date", "", "Choose the day."),
        ("date", "tomorrow", "Write the day like 2026-11-30."),
        ("date", "2020-01-01", "Must be in the future, was 2020-01-01T23:59:59+00:00."),
        ("", "2999-01-01", "Choose “until the end of this day”, or no day."),
        ("90", "2999-01-01", "Choose “until the end of this day”, or no day."),
    ],
)
def test_a_day_is_asked_again_where_it_cannot_be_meant(admin: Client, lasts: str, until: str, said: str) -> None:
    assert errors_of(admin.post(ADD, filled(admin, lasts=lasts, until=until))) == {"until": [said]}


@pytest.mark.parametrize(("lasts", "days"), [("30", 30), ("90", 90), ("365", 365)])
def test_a_token_holds_as_long_as_was_chosen(admin: Client, lasts: str, days: int) -> None:
    page = admin.post(ADD, filled(admin, lasts=lasts))

    expires_at = ApiToken.objects.get().expires_at
    assert expires_at is not None
    assert abs(expires_at - timezone.now() - timedelta(days=days)) < timedelta(minutes=1)
    assert "active expires in" in text_of(page)


def test_a_token_holds_through_the_chosen_day_or_for_good(admin: Client) -> None:
    admin.post(ADD, filled(admin, name="a", lasts="date", until="2099-12-31"))
    admin.post(ADD, filled(admin, name="b"))

    last = datetime(2099, 12, 31, 23, 59, 59, 999_999, UTC)
    assert ApiToken.objects.get(name="a").expires_at == last
    assert ApiToken.objects.get(name="b").expires_at is None
    assert admin.get(TOKENS).status_code == 200


def test_the_chosen_day_is_that_of_the_viewers_zone_which_stands_beside_it(admin: Client) -> None:
    admin.cookies["zone"] = "Asia/Shanghai"
    assert "Asia/Shanghai" in text_of(admin.get(ADD))
    admin.post(ADD, filled(admin, name="a", lasts="date", until="2098-12-31"))
    assert ApiToken.objects.get(name="a").expires_at == datetime(2098, 12, 31, 15, 59, 59, 999_999, UTC)


def test_a_day_beyond_the_years_that_are_kept_is_refused_at_its_field(admin: Client) -> None:
    page = admin.post(ADD, filled(admin, name="a", lasts="date", until="9999-12-31"))

    assert "of a year from 2010 to 2099" in text_of(page)
    assert not ApiToken.objects.exists()


def test_the_list_begins_with_what_works_and_says_what_became_of_the_rest(admin: Client) -> None:
    for name in ("first", "second", "third"):
        made(name)
    made("short", expires_at=timezone.now() + timedelta(days=10))
    _, used = made("used")
    tokens.authenticate(used)
    tokens.revoke(token_id=ApiToken.objects.get(name="second").pk, actor="kim")

    page = admin.get(TOKENS)

    rows = [row.summary for row in page.context["cl"].result_list]
    assert [row.issued.token.name for row in rows] == ["used", "short", "third", "first", "second"]
    assert [row.state for row in rows] == [TokenState.ACTIVE] * 4 + [TokenState.REVOKED]
    text = text_of(page)
    assert "4 active of 5" in text
    assert "expires in 9 d 23 h" in text
    assert "revoked kim · just now" in text
    assert rows[0].begins in text
    assert used not in text


def test_an_empty_list_says_how_to_begin(admin: Client) -> None:
    text = text_of(admin.get(TOKENS))
    assert "No API tokens yet" in text
    assert "api_tokens create engine-1" in text


def test_a_revocation_says_what_stops_and_stops_it(admin: Client) -> None:
    token_id, text = made(scopes=[Scope.WRITE_STATE])

    asked = admin.get(f"{TOKENS}{token_id}/revoke/")
    assert "reports running traders" in text_of(asked)
    assert "reads the settings" not in text_of(asked)
    assert tokens.authenticate(text) is not None

    done = admin.post(f"{TOKENS}{token_id}/revoke/", follow=True)
    assert "Revoked “engine-1”: it is refused from now on." in text_of(done)
    assert tokens.authenticate(text) is None


def test_a_token_is_revoked_once(admin: Client) -> None:
    token_id, _ = made()
    tokens.revoke(token_id=token_id, actor="kim")

    for answer in (admin.get(f"{TOKENS}{token_id}/revoke/", follow=True), admin.post(f"{TOKENS}{token_id}/revoke/")):
        assert answer.status_code in (200, 302)
    assert ApiToken.objects.get().revoked_by == "kim"
    assert "“engine-1” is revoked already, by kim." in text_of(admin.get(f"{TOKENS}{token_id}/revoke/", follow=True))


@pytest.mark.parametrize("token_id", ["0", "9" * 20])
def test_a_token_that_never_was_leads_back_to_the_list(admin: Client, token_id: str) -> None:
    for answer in (admin.get(f"{TOKENS}{token_id}/revoke/"), admin.post(f"{TOKENS}{token_id}/revoke/")):
        assert (answer.status_code, answer["Location"]) == (302, TOKENS)


def test_making_and_revoking_need_the_forms_token() -> None:
    admin = browser_of(Role.ADMIN)
    form = filled(admin)
    token_id, text = made("other")
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = admin.cookies

    assert strict.post(ADD, form).status_code == 403
    assert strict.post(f"{TOKENS}{token_id}/revoke/").status_code == 403
    assert ApiToken.objects.count() == 1
    assert tokens.authenticate(text) is not None


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
def test_only_admins_see_that_there_are_tokens(role: Role, admin: Client) -> None:
    for address in ("/admin/", "/admin/traders/"):
        assert TOKENS not in browser_of(role).get(address, follow=True).content.decode()
        assert TOKENS in admin.get(address, follow=True).content.decode()


def test_the_list_asks_the_same_few_queries_for_any_number_of_tokens(
    admin: Client, django_assert_max_num_queries: Any
) -> None:
    for number in range(30):
        made(f"engine-{number}")
    admin.get(TOKENS)
    with django_assert_max_num_queries(14):
        assert len(admin.get(TOKENS).context["cl"].result_list) == 30


def test_a_token_is_limited_to_ticked_traders(admin: Client) -> None:
    sync_traders(make_trader("a"), make_trader("b"))
    page = admin.post(ADD, filled(admin, reach="some", traders=["b"]))

    token = tokens.authenticate(token_on(page))
    assert token is not None
    assert token.trader_ids == frozenset("b")
    assert "For b" in text_of(page)
    listed = text_of(admin.get(TOKENS))
    assert "engine-1 check_circle active read-config b " in listed


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"reach": "some"}, "Name at least one trader."),
        ({"traders": ["a"]}, "Name no traders, or choose “these only”."),
        ({"reach": "some", "traders": ["ghost"]}, "There is no trader ghost."),
        ({"reach": "some", "traders": ["@manager"]}, "There is no trader @manager."),
    ],
)
def test_a_limit_that_says_two_things_is_asked_again(admin: Client, typed: dict[str, Any], said: str) -> None:
    sync_traders(make_trader("a"))
    assert errors_of(admin.post(ADD, filled(admin, **typed)))["traders"] == [said]
    assert not ApiToken.objects.exists()


def test_in_a_large_fleet_ids_are_typed(admin: Client) -> None:
    sync_traders(*(make_trader(f"t{number}", allocation_pct=Decimal(1)) for number in range(61)))
    assert "Ids of traders" in text_of(admin.get(ADD))
    refused = admin.post(ADD, filled(admin, reach="some", traders="t1 ghost"))
    assert "there is no trader 'ghost'" in errors_of(refused)["traders"][0]

    page = admin.post(ADD, filled(admin, reach="some", traders="t1, t2\nt1"))

    token = tokens.authenticate(token_on(page))
    assert token is not None
    assert token.trader_ids == frozenset({"t1", "t2"})


def test_the_fleets_scope_is_offered_apart(admin: Client) -> None:
    text = text_of(admin.get(ADD))
    assert "write-config makes and changes traders, restores their versions" in text
    assert "write-fleet changes the fleet settings, restores their versions" in text
