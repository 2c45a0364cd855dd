"""Accounts and groups in lists: role, state, last login, second factor and sessions; permissions as a table."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.traders.accounts.test_sessions import PASSWORD, log_in
from tests.traders.admin.browsing import text_of
from tests.traders.admin.people import account, browser_of
from tests.traders.admin.test_page_languages import ALIKE, DATA, ENGLISH, texts
from traders.accounts.rules import Role
from traders.models import SecondFactor

pytestmark = pytest.mark.django_db
USERS, GROUPS = "/admin/auth/user/", "/admin/auth/group/"


@pytest.fixture
def admin() -> Client:
    return browser_of(Role.ADMIN)


def row(client: Client, name: str, query: str = "") -> str:
    """What the list says of one account; empty where it is not in it."""
    page = client.get(f"{USERS}{query}")
    assert page.status_code == 200
    content = page.content.decode()
    user = User.objects.get(username=name)
    start = content.find(f'data-row="{user.pk}"')
    if start < 0:
        return ""
    page.content = f"<body><table><tr><td {content[start : content.index('</tr>', start)]}".encode()
    return text_of(page)


def test_the_list_says_role_state_login_factor_and_sessions(admin: Client) -> None:
    ada = account(Role.VIEWER, password=PASSWORD, first_name="Ada", last_name="King")
    log_in()
    SecondFactor.objects.create(user=ada, secret="x", last_step=1)
    said = row(admin, "viewer")
    for part in ("viewer", "Ada King", "Viewer", "active", "just now", "since"):
        assert part in said
    assert f'href="/admin/auth/user/{ada.pk}/sessions/">1<' in admin.get(USERS).content.decode()
    assert "never" in row(admin, User.objects.create_user("nobody").username)


def test_the_list_says_who_cannot_log_in_and_why(admin: Client) -> None:
    User.objects.create_user("plain")
    User.objects.create_user("gone", is_active=False)
    account(Role.VIEWER, password=PASSWORD)
    for _attempt in range(2):
        Client().post("/admin/login/", {"username": "viewer", "password": "wrong"})
    assert "no role: cannot log in" in row(admin, "plain")
    assert "switched off" in row(admin, "gone")
    assert "2 wrong passwords" in row(admin, "viewer")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?role=Viewer", {"viewer"}),
        ("?role=superuser", {"root"}),
        ("?role=none", {"plain"}),
        ("?state=off", {"plain"}),
        ("?q=king", {"viewer"}),
        ("?role=nonsense", {"admin", "viewer", "root", "plain"}),
    ],
)
def test_the_list_is_filtered(admin: Client, query: str, found: set[str]) -> None:
    account(Role.VIEWER, last_name="King")
    User.objects.create_superuser("root")
    User.objects.create_user("plain", is_active=False)
    names = {"admin", "viewer", "root", "plain"}
    assert {name for name in names if row(admin, name, query)} == found


def test_the_list_is_sorted_by_the_last_login_with_those_who_never_did_last(admin: Client) -> None:
    account(Role.VIEWER, password=PASSWORD)
    log_in()
    User.objects.create_user("zoe")
    page = admin.get(f"{USERS}?o=-4")
    assert [user.username for user in page.context["cl"].result_list][-1] == "zoe"


def test_the_list_costs_the_same_however_many_accounts_there_are(admin: Client) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as captured:
            admin.get(USERS)
        return len(captured)

    few = asked()
    for number in range(20):
        user = User.objects.create_user(f"user_{number}")
        user.groups.add(Group.objects.get(name=Role.VIEWER))
    assert asked() == few


def test_actions_stand_below_the_list_as_buttons(admin: Client) -> None:
    ada = account(Role.VIEWER, password=PASSWORD)
    page = admin.get(USERS).content.decode()
    for name in ("let_in_again", "remove_factor", "delete_selected"):
        assert f'name="action" value="{name}"' in page
    chosen = {"action": "let_in_again", "index": "0", "_selected_action": [ada.pk]}
    assert "1 account can log in again." in admin.post(USERS, chosen, follow=True).content.decode()
    none = admin.post(USERS, {"action": "let_in_again", "index": "0"}, follow=True)
    assert none.status_code == 200


def test_a_new_account_is_made_with_its_person(admin: Client) -> None:
    form = {"username": "mei", "role": "Operator", "usable_password": "true", "first_name": "Mei", "email": ""}
    done = admin.post(f"{USERS}add/", form | {"password1": PASSWORD, "password2": PASSWORD})
    assert done.status_code == 302
    mei = User.objects.get(username="mei")
    assert (mei.first_name, [group.name for group in mei.groups.all()]) == ("Mei", ["Operator"])


def test_groups_say_what_they_are_and_how_many_are_in_them(admin: Client) -> None:
    account(Role.VIEWER)
    Group.objects.create(name="Auditors")
    said = text_of(admin.get(GROUPS))
    assert "Viewer role 1" in said
    assert "Auditors own 0 0" in said
    assert f"{USERS}?role=Viewer" in admin.get(GROUPS).content.decode()


def test_a_role_shows_its_permissions_to_be_read(admin: Client) -> None:
    page = admin.get(f"{GROUPS}{Group.objects.get(name=Role.OPERATOR).pk}/change/")
    content = page.content.decode()
    assert 'name="permissions"' not in content
    assert "Traders" in text_of(page)
    assert "Can set rows of the record aside" in content


def permission(codename: str) -> Permission:
    return Permission.objects.get(codename=codename)


def test_a_group_is_given_permissions_by_boxes(admin: Client) -> None:
    form: dict[str, Any] = {"name": "Readers", "permissions": [permission("view_trade").pk]}
    assert admin.post(f"{GROUPS}add/", form).status_code == 302
    group = Group.objects.get(name="Readers")
    assert [one.codename for one in group.permissions.all()] == ["view_trade"]

    page = admin.get(f"{GROUPS}{group.pk}/change/").content.decode()
    assert f'name="permissions" value="{permission("view_trade").pk}" checked' in " ".join(page.split())
    assert 'aria-label="session: view"' not in page
    admin.post(f"{GROUPS}{group.pk}/change/", {"name": "Readers", "permissions": []})
    assert not group.permissions.exists()


def test_a_permission_that_is_no_longer_offered_stays_where_it_was_given(admin: Client) -> None:
    group = Group.objects.create(name="Old")
    group.permissions.set([permission("view_session"), permission("view_trade")])
    page = admin.get(f"{GROUPS}{group.pk}/change/").content.decode()
    assert 'aria-label="session: view"' in page


@pytest.mark.parametrize(
    ("address", "heading", "list_name"),
    [
        (f"{USERS}add/", "Add user", "Users"),
        (f"{GROUPS}add/", "Add group", "Groups"),
        ("/admin/trading/alarmchannel/add/", "Add alarm channel", "Alarm channels"),
        ("/admin/trading/equitytransfer/add/", "Add transfer", "Transfers"),
    ],
)
def test_a_form_has_the_head_of_the_other_pages(admin: Client, address: str, heading: str, list_name: str) -> None:
    page = admin.get(address)
    head, _mark, body = page.text.partition('<nav class="crumbs"')
    assert heading in head.partition('id="header-inner"')[2]
    assert "Authentication and Authorization" not in head.partition('id="header-inner"')[2]
    assert f'href="{address.removesuffix("add/")}">{list_name}' in body
    assert f'href="{address}"' not in head.partition('id="header-inner"')[2], "a form leads to no second one"


def test_a_form_of_an_account_names_it(admin: Client) -> None:
    lee = User.objects.create_user("lee")
    crumbs = admin.get(f"{USERS}{lee.pk}/change/").text.partition('<nav class="crumbs"')[2].partition("</nav>")[0]
    assert "<b>lee</b>" in crumbs


@pytest.mark.parametrize("role", list(Role))
def test_the_permissions_of_a_role_speak_the_language_of_the_page(admin: Client, role: Role) -> None:
    there = f"{GROUPS}{Group.objects.get(name=role).pk}/change/"
    said = texts(admin.get(there, headers={"Accept-Language": "zh-CN"}).text)
    assert [text for text in said if set(ENGLISH.findall(text)) - ALIKE - DATA] == []
