"""What a person does on the pages, by the names that the pages show."""

from __future__ import annotations

from pathlib import Path

from django.contrib.auth import get_user_model
from playwright.sync_api import Page

PASSWORD = "correct horse"
SHARED = Path(__file__).parents[2].parent / "shared" / "data" / "manager.yaml"
OWN = Path(__file__).parents[2] / "etc" / "manager.yaml"


def person(username: str) -> None:
    get_user_model().objects.create_superuser(username, password=PASSWORD)


def log_in(page: Page, username: str) -> None:
    page.goto("/admin/login/")
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/admin/")


def log_out(page: Page) -> None:
    page.locator("#logout-form").evaluate("form => form.submit()")
    # A page that is opened at once would end this request before it is sent.
    page.wait_for_url("**/admin/logout/")


def open_trader(page: Page, trader_id: str) -> None:
    page.goto(f"/admin/traders/traderconfig/{trader_id}/change/")


def give_reason(page: Page, reason: str) -> None:
    page.get_by_label("Reason").fill(reason)
