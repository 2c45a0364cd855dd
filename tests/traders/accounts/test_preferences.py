"""What an account chooses of its pages: the zone of times, and the colours of gains and losses."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from nof0site.middleware import zone_of_the_viewer
from tests.factories import make_trader, sync_traders
from tests.traders.admin.people import account, browser_of
from traders.accounts.preferences import writer
from traders.accounts.preferences.rules import COOKIE, known_zone
from traders.accounts.rules import Role
from traders.models import AccountPreferences, TraderConfigVersion

pytestmark = pytest.mark.django_db

PAGE = "/admin/preferences/"
CHANGES = "/admin/traders/traderconfig/changes/"
HISTORY = "/admin/traders/traderconfig/steady_long/history/"
SHANGHAI, NEW_YORK = "Asia/Shanghai", "America/New_York"


@pytest.fixture
def ada() -> User:
    return account(Role.VIEWER)


@pytest.fixture
def saved_at() -> datetime:
    """Of the one version of a trader."""
    sync_traders(make_trader())
    return TraderConfigVersion.objects.get().history_date


def written(page: Any) -> str:
    """The exact time of the version as the page writes it."""
    found = re.search(r'<time datetime="[^"]*" title="([^"]*)">\d\d:\d\d, just now', page.content.decode())
    assert found
    return found[1]


def test_times_are_written_in_the_zone_that_the_browser_names(ada: User, saved_at: datetime) -> None:
    browser = browser_of(Role.VIEWER)
    assert written(browser.get(HISTORY)) == f"{saved_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    browser.cookies[COOKIE] = SHANGHAI
    local = saved_at.astimezone(known_zone(SHANGHAI))
    assert written(browser.get(HISTORY)) == f"{local:%Y-%m-%d %H:%M:%S} UTC+8"


def test_the_zone_of_the_account_wins_over_that_of_the_browser(ada: User, saved_at: datetime) -> None:
    browser = browser_of(Role.VIEWER)
    browser.cookies[COOKIE] = NEW_YORK
    writer.keep(ada, zone=SHANGHAI)
    assert written(browser.get(HISTORY)).endswith("UTC+8")


@pytest.mark.parametrize("named", ["", "no/such", "../../etc/passwd", "/etc/localtime", "x" * 4000, "Asia/Shanghai\n"])
def test_a_cookie_that_names_no_zone_means_utc(named: str, ada: User, saved_at: datetime) -> None:
    browser = browser_of(Role.VIEWER)
    browser.cookies[COOKIE] = named
    assert written(browser.get(HISTORY)).endswith(" UTC")


def test_a_typed_time_is_of_the_zone_of_the_viewer_and_the_page_says_which(ada: User, saved_at: datetime) -> None:
    browser = browser_of(Role.VIEWER)
    writer.keep(ada, zone=SHANGHAI)
    before = (saved_at - timedelta(minutes=2)).astimezone(known_zone(SHANGHAI))
    change_set = re.compile(r"changes/\d+/")
    page = browser.get(f"{CHANGES}?until={before:%Y-%m-%d %H:%M}").content.decode()
    assert SHANGHAI in page
    assert not change_set.search(page)
    assert change_set.search(browser.get(f"{CHANGES}?since={before:%Y-%m-%d %H:%M}").content.decode())


def test_downloads_stay_in_utc(ada: User, saved_at: datetime) -> None:
    browser: Any = browser_of(Role.VIEWER)
    writer.keep(ada, zone=SHANGHAI)
    csv = b"".join(browser.get(reverse("admin:traders_changelog_csv")).streaming_content).decode()
    assert saved_at.isoformat() in csv
    assert saved_at.isoformat().endswith("+00:00")


@pytest.mark.parametrize(("path", "zone"), [("/admin/", SHANGHAI), ("/api/v1/changes", "UTC"), ("/api/trades", "UTC")])
def test_only_pages_are_in_the_zone_of_their_viewer(path: str, zone: str) -> None:
    def answer(_request: HttpRequest) -> HttpResponse:
        return HttpResponse(timezone.get_current_timezone_name())

    request = RequestFactory().get(path)
    request.COOKIES[COOKIE] = SHANGHAI
    assert zone_of_the_viewer(answer)(request).content.decode() == zone
    assert timezone.get_current_timezone_name() == "UTC"


def test_preferences_are_chosen_on_their_page(ada: User) -> None:
    browser = browser_of(Role.VIEWER)
    browser.cookies[COOKIE] = NEW_YORK
    assert "The browser&#x27;s: America/New_York" in browser.get(PAGE).content.decode()
    answer = browser.post(PAGE, {"zone": SHANGHAI, "colours": "red_up"}, follow=True)
    assert "Your preferences are saved." in answer.content.decode()
    stored = AccountPreferences.objects.get()
    assert (stored.user, stored.zone, stored.colours, stored.language) == (ada, SHANGHAI, "red_up", "")


def test_an_unknown_zone_or_colour_is_refused_and_nothing_is_stored(ada: User) -> None:
    answer = browser_of(Role.VIEWER).post(PAGE, {"zone": "Moon/Base", "colours": "blue_up"})
    assert "2 places need a correction" in answer.content.decode()
    assert not AccountPreferences.objects.exists()


def test_a_page_says_which_colours_its_viewer_chose(ada: User) -> None:
    browser = browser_of(Role.VIEWER)
    assert 'data-gains="red_up"' not in browser.get(PAGE).content.decode()
    writer.keep(ada, colours="red_up")
    assert 'data-gains="red_up"' in browser.get(PAGE).content.decode()


def test_a_choice_of_one_account_leaves_others_alone(ada: User, saved_at: datetime) -> None:
    account(Role.OPERATOR)
    writer.keep(ada, zone=SHANGHAI, colours="red_up")
    page = browser_of(Role.OPERATOR).get(HISTORY)
    assert written(page).endswith(" UTC")
    assert 'data-gains="red_up"' not in page.content.decode()


def test_preferences_cost_no_statement(
    ada: User, saved_at: datetime, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    browser = browser_of(Role.VIEWER)
    browser.get(PAGE)
    with django_assert_num_queries(0):
        Client().get("/")
    with django_assert_num_queries(2):  # the session and the account
        browser.get("/")


def language_of_page(browser: Client, **headers: str) -> str:
    found = re.search(r'<html lang="([^"]*)"', browser.get(PAGE, headers=headers).text)
    assert found
    return found[1]


def test_the_language_of_the_account_holds_in_every_browser(ada: User) -> None:
    here, there = browser_of(Role.VIEWER), browser_of(Role.VIEWER)
    here.post(reverse("set_language"), {"language": "zh-hans", "next": PAGE})
    assert language_of_page(there, **{"Accept-Language": "en"}) == "zh-hans"
    there.post(reverse("set_language"), {"language": "en", "next": PAGE})
    assert language_of_page(here, **{"Accept-Language": "zh-CN"}) == "en"


def test_an_account_that_gives_its_language_up_has_that_of_the_browser_again(ada: User) -> None:
    browser = browser_of(Role.VIEWER)
    browser.post(reverse("set_language"), {"language": "zh-hans", "next": PAGE})
    browser.post(PAGE, {"language": "", "zone": "", "colours": "green_up"})
    assert language_of_page(browser, **{"Accept-Language": "en"}) == "en"
    assert language_of_page(browser, **{"Accept-Language": "zh-CN"}) == "zh-hans"


def test_the_language_of_the_preferences_reaches_the_login_page_of_this_browser(ada: User) -> None:
    browser = browser_of(Role.VIEWER)
    browser.post(PAGE, {"language": "zh-hans", "zone": "", "colours": "green_up"})
    visitor = Client()
    visitor.cookies[settings.LANGUAGE_COOKIE_NAME] = browser.cookies[settings.LANGUAGE_COOKIE_NAME].value
    assert 'lang="zh-hans"' in visitor.get(reverse("admin:login"), headers={"Accept-Language": "en"}).text


@pytest.mark.parametrize("named", ["xx", "fr", "zh", "../en", "en\n", "x" * 4000, ""])
def test_what_is_no_language_of_the_site_is_not_kept(named: str, ada: User) -> None:
    browser = browser_of(Role.VIEWER)
    browser.post(reverse("set_language"), {"language": named, "next": PAGE})
    assert not AccountPreferences.objects.exclude(language="").exists()
    browser.post(PAGE, {"language": named, "zone": "", "colours": "green_up"})
    assert language_of_page(browser, **{"Accept-Language": "en"}) == "en"


def test_a_stored_language_that_the_site_lost_is_passed_over(ada: User) -> None:
    writer.keep(ada, language="fr-old")
    assert language_of_page(browser_of(Role.VIEWER), **{"Accept-Language": "zh-CN"}) == "zh-hans"


def test_a_visitor_chooses_a_language_without_an_account() -> None:
    browser = Client()
    browser.post(reverse("set_language"), {"language": "zh-hans", "next": reverse("admin:login")})
    assert 'lang="zh-hans"' in browser.get(reverse("admin:login"), headers={"Accept-Language": "en"}).text
    assert not AccountPreferences.objects.exists()
