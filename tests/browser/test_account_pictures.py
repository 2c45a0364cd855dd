"""The pictures of docs/images/accounts: the pages of accounts, taken by `make pictures`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from playwright.sync_api import Page

from tests.browser.steps import PASSWORD, log_in, person
from traders.accounts.rules import Role
from traders.tokens import services as tokens

pytestmark = [pytest.mark.pictures, pytest.mark.django_db(transaction=True)]

IMAGES = Path(__file__).parents[2] / "docs" / "images" / "accounts"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile/15E148 Safari/604.1"
AUDIT = "/admin/traders/auditentry/"


def test_every_page_of_accounts_is_pictured(page: Page) -> None:
    _people()
    log_in(page, "ada")
    taken = set()
    for name in _pages(page):
        page.wait_for_function("() => !document.documentElement.hasAttribute('x-cloak')")
        page.wait_for_timeout(200)  # the theme fades its menu in
        page.screenshot(path=IMAGES / f"{name}.png")
        taken.add(name)
    assert {path.stem for path in IMAGES.glob("*.png")} == taken


def _pages(page: Page) -> Iterator[str]:
    page.goto(AUDIT)
    yield "audit"
    page.goto("/admin/sessions/")
    yield "sessions"
    page.goto("/admin/second-factor/")
    yield "second-factor"


def _people() -> None:
    """Accounts, an attack on one of them, and a token that is used."""
    person("ada")
    for name, role in (("mei", Role.OPERATOR), ("tom", Role.VIEWER)):
        User.objects.create_user(name, password=PASSWORD).groups.add(Group.objects.get(name=role))
    for password in (*["guess"] * 5, PASSWORD):
        Client().post("/admin/login/", {"username": "mei", "password": password}, REMOTE_ADDR="203.0.113.9")
    Client().post("/admin/login/", {"username": "hunter2-hunter2", "password": "x"}, REMOTE_ADDR="203.0.113.9")
    Client().post("/admin/login/?next=/admin/", {"username": "mei", "password": PASSWORD}, REMOTE_ADDR="192.0.2.7")
    admin = Client(headers={"user-agent": PHONE}, REMOTE_ADDR="192.0.2.4")
    admin.post("/admin/login/?next=/admin/", {"username": "ada", "password": PASSWORD})
    tom = User.objects.get(username="tom")
    form = {"username": "tom", "role": Role.OPERATOR.value, "is_active": "on"}
    admin.post(f"/admin/auth/user/{tom.pk}/change/", form)
    _token, text = tokens.create(name="engine-1", scopes=["read-config", "write-state"], actor="ada")
    Client().get("/api/v1/token", headers={"authorization": f"Bearer {text}"}, REMOTE_ADDR="198.51.100.4")
