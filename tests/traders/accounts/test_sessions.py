"""Sessions of browsers: listed, ended one by one, all at once, by a new password, and after a time without use."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from tests.traders.admin.people import account, browser_of
from traders.accounts.rules import Role
from traders.accounts.sessions.queries import open_sessions
from traders.accounts.sessions.rules import browser_name
from traders.models import AccountSession, AuditEntry
from traders.session_models import USED

pytestmark = pytest.mark.django_db

PASSWORD = "a long enough one"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0"
    " Mobile/15E148 Safari/604.1"
)
PAGE = "/admin/sessions/"


@pytest.fixture
def ada() -> User:
    return account(Role.VIEWER, password=PASSWORD)


def log_in(agent: str = FIREFOX, address: str = "192.0.2.7", name: str = "viewer") -> Client:
    browser = Client(headers={"user-agent": agent}, REMOTE_ADDR=address)
    answer = browser.post("/admin/login/?next=/admin/", {"username": name, "password": PASSWORD})
    assert answer.status_code == 302
    return browser


def is_in(browser: Client) -> bool:
    return bool(browser.get("/admin/").status_code == 200)


def test_the_page_lists_own_sessions_with_browser_and_address(ada: User) -> None:
    browser, _phone = log_in(), log_in(PHONE, "198.51.100.4")
    other = account(Role.OPERATOR, password=PASSWORD)
    log_in("curl/8.0", "203.0.113.9", other.username)
    shown = browser.get(PAGE).content.decode()
    for text in ("Firefox, Linux", "192.0.2.7", "Safari, iPhone", "198.51.100.4"):
        assert text in shown
    assert shown.count("this one") == 1
    assert "203.0.113.9" not in shown
    for key in AccountSession.objects.values_list("pk", flat=True):
        assert key not in shown, "who reads the page could take the session over"


def test_one_session_is_signed_out_and_the_audit_says_so(ada: User) -> None:
    browser, phone, third = log_in(), log_in(PHONE, "198.51.100.4"), log_in(address="192.0.2.9")
    [mark] = [one.mark for one in open_sessions(ada) if one.browser == "Safari, iPhone"]
    answer = browser.post(PAGE, {"end": mark}, follow=True)
    assert "1 session was signed out." in answer.content.decode()
    assert (is_in(browser), is_in(phone), is_in(third)) == (True, False, True)
    entry = AuditEntry.objects.get(kind="session_ended")
    assert (entry.actor, entry.subject, entry.text) == ("viewer", "viewer", "Safari, iPhone, 198.51.100.4")
    again = browser.post(PAGE, {"end": mark}, follow=True)
    assert "has ended already" in again.content.decode()


def test_sign_out_everywhere_else_keeps_only_this_browser(ada: User) -> None:
    browser, *others = log_in(), log_in(PHONE), log_in()
    browser.post(PAGE, {"end": "others"})
    assert is_in(browser)
    assert not any(map(is_in, others))


def test_an_admin_ends_the_sessions_of_another_account_and_a_viewer_sees_only_own_ones(ada: User) -> None:
    browser, admin = log_in(), browser_of(Role.ADMIN)
    page = f"/admin/auth/user/{ada.pk}/sessions/"
    assert browser.get(page).status_code == 403
    assert "Firefox, Linux" in admin.get(page).content.decode()
    assert "1 open" in admin.get(f"/admin/auth/user/{ada.pk}/change/").content.decode()
    admin.post(page, {"end": "others"})
    assert not is_in(browser)
    assert is_in(admin)
    assert admin.get("/admin/auth/user/999999/sessions/").status_code == 404


def test_an_admin_who_is_no_superuser_does_not_end_a_superusers_sessions() -> None:
    root = User.objects.create_superuser("root", password=PASSWORD)
    browser, admin = log_in(name="root"), browser_of(Role.ADMIN)
    page = f"/admin/auth/user/{root.pk}/sessions/"
    assert "Sign out" not in admin.get(page).content.decode()
    admin.post(page, {"end": "others"})
    assert is_in(browser)


def test_a_session_ends_when_no_person_uses_it(ada: User, settings: Any) -> None:
    settings.SESSION_COOKIE_AGE = 3600
    browser = log_in()
    row = AccountSession.objects.get(user=ada)
    assert row.expire_date - timezone.now() < timedelta(seconds=3601)
    AccountSession.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    assert not is_in(browser)
    assert open_sessions(ada) == []


def test_a_person_keeps_a_session_going_and_a_page_by_itself_does_not(ada: User, settings: Any) -> None:
    settings.SESSION_COOKIE_AGE = 3600
    browser = log_in()
    session = browser.session
    session[USED] -= 120
    session.save()
    soon = timezone.now() + timedelta(minutes=5)
    AccountSession.objects.update(expire_date=soon)
    browser.get("/admin/", headers={"sec-fetch-mode": "cors"})
    assert AccountSession.objects.get(user=ada).expire_date == soon
    answer = browser.get("/admin/", headers={"sec-fetch-mode": "navigate"})
    assert AccountSession.objects.get(user=ada).expire_date > soon
    assert answer.cookies["sessionid"]["max-age"] == 3600


def test_ones_own_new_password_ends_the_other_sessions(ada: User) -> None:
    browser, other = log_in(), log_in(PHONE)
    new = {"old_password": PASSWORD, "new_password1": PASSWORD + "!", "new_password2": PASSWORD + "!"}
    browser.post("/admin/password_change/", new)
    assert (is_in(browser), is_in(other)) == (True, False)
    assert [one.browser for one in open_sessions(User.objects.get(pk=ada.pk))] == ["Firefox, Linux"]


def test_a_password_that_an_admin_sets_ends_all_sessions_of_the_account(ada: User) -> None:
    browser, admin = log_in(), browser_of(Role.ADMIN)
    new = {"password1": PASSWORD + "!", "password2": PASSWORD + "!"}
    admin.post(f"/admin/auth/user/{ada.pk}/password/", new)
    assert (is_in(browser), is_in(admin)) == (False, True)


def test_a_login_removes_sessions_that_ended_by_themselves(ada: User) -> None:
    log_in()
    AccountSession.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    log_in()
    assert AccountSession.objects.count() == 1


def test_sessions_of_a_deleted_account_are_gone(ada: User) -> None:
    browser = log_in()
    ada.delete()
    assert not AccountSession.objects.exists()
    assert not is_in(browser)


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (FIREFOX, "Firefox, Linux"),
        (PHONE, "Safari, iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0", "Edge, Windows"),
        ("curl/8.0", "curl"),
        ("", ""),
        ("something else", ""),
    ],
)
def test_a_browser_is_named_as_far_as_it_is_known(agent: str, name: str) -> None:
    assert browser_name(agent) == name
