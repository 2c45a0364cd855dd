"""The way in, as a person meets it."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth import get_user_model
from playwright.sync_api import Page, expect


@pytest.mark.django_db(transaction=True)
def test_a_person_logs_in_on_a_styled_page(page: Page) -> None:
    get_user_model().objects.create_superuser("ada", password="correct horse")

    page.goto("/")
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password").fill("correct horse")
    button = page.get_by_role("button", name="Log in")
    unstyled = page.evaluate("() => document.createElement('button').style.backgroundColor")
    assert button.evaluate("button => getComputedStyle(button).backgroundColor") != unstyled
    button.click()

    expect(page).to_have_url(re.compile("/admin/$"))
    expect(page).to_have_title(re.compile("NOF0 Control$"))


@pytest.mark.django_db(transaction=True)
def test_whoever_tries_too_often_is_told_for_how_long(page: Page, browser_problems: list[str]) -> None:
    get_user_model().objects.create_user("ada", password="correct horse")
    for _ in range(5):
        page.goto("/admin/login/")
        page.get_by_label("Username").fill("ada")
        page.get_by_label("Password").fill("wrong")
        with page.expect_navigation():
            page.get_by_role("button", name="Log in").click()

    expect(page.get_by_role("alert")).to_contain_text("Try again in 15 minutes.")
    assert all("429" in problem for problem in browser_problems)
    browser_problems.clear()
