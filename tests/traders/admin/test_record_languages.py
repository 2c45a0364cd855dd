"""The pages of a record with everything in it speak Chinese, but for what the model, the exchange and people wrote."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from tests.browser.sample_record import quote_what_is_held, record_pages, sample_record
from tests.traders.admin.browsing import TRADERS
from tests.traders.admin.people import account
from tests.traders.admin.test_page_languages import ALIKE, DATA, ENGLISH, texts
from traders.accounts.rules import Role
from traders.models import TraderConfig, TraderConfigVersion
from trading.models import DecisionJournal, Position, Trade

pytestmark = [pytest.mark.slow, pytest.mark.django_db]


def sentences() -> Iterator[str]:
    """What people, the model and the exchange wrote: names, and texts of more than one word."""
    for row in TraderConfigVersion.objects.all():
        yield from (row.history_change_reason, row.history_user_id or "", row.detail["display_name"], *said(row.detail))
    for table in (DecisionJournal, Trade, Position):
        for detail in table.objects.values_list("detail", flat=True):
            yield from said(detail)


def said(value: Any) -> Iterator[str]:
    if isinstance(value, str) and " " in value:
        yield value
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from said(one)


def test_the_pages_of_a_full_record_speak_chinese() -> None:
    sample_record(traders=2, days=4, trades=40)
    quote_what_is_held()
    client = Client(headers={"Accept-Language": "zh-CN"})
    client.force_login(account(Role.ADMIN))
    first = f"{TRADERS}{TraderConfig.objects.order_by('pk')[0].pk}/"
    traders = ("/admin/", TRADERS, first, f"{first}change/", f"{first}history/", f"{TRADERS}changes/")
    written = DATA | ALIKE | set(ENGLISH.findall(" ".join(sentences())))
    wrong = []
    for there in (*traders, *record_pages().values()):
        found = {text for text in texts(client.get(there).text) if set(ENGLISH.findall(text)) - written}
        wrong += [f"{there}: {text}" for text in sorted(found)]
    assert not wrong, "\n".join(wrong)
