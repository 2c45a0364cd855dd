"""A decision replayed in the browser: what is recorded is compared, and another version may be asked."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client

from tests.factories import save_edit
from tests.traders.admin.browsing import text_of
from tests.trading_factories import make_entry
from trading.record.writing.decisions import record_decision
from trading.replay.services import replay

DECISIONS = "/admin/trading/decisionjournal/"


@pytest.fixture
def decision(traders: None) -> Any:
    return record_decision(make_entry())


def test_a_decision_leads_to_its_replay(viewer: Client, decision: Any) -> None:
    url = f"{DECISIONS}{quote(decision.name)}/replay/"
    assert f'href="{url}"' in viewer.get(f"{DECISIONS}{quote(decision.name)}/").content.decode()

    page = viewer.get(url)
    said = text_of(page)
    assert page.context["replay"].verdict == replay(decision.entry.trader_id, decision.id).verdict
    assert str(page.context["word"]) in said
    assert "open long BTC" in said
    assert f"python manage.py replay_decision {decision.id}" in said
    assert all(difference.message in said for difference in page.context["replay"].differences)


def test_another_version_may_be_asked(viewer: Client, decision: Any) -> None:
    save_edit("steady_long", detail__risk__min_confidence=95)
    page = viewer.get(f"{DECISIONS}{quote(decision.name)}/replay/?version=4")
    said = text_of(page)
    assert "rules of v4" in said
    assert any(change.rule in said for _one, change in page.context["replay"].changes)
    assert f"replay_decision {decision.id} --with-version 4" in said


def test_an_address_without_the_trader_leads_to_the_one_with_it(viewer: Client, decision: Any) -> None:
    for page in ("", "replay/"):
        moved = viewer.get(f"{DECISIONS}{decision.id}/{page}?version=1")

        assert (moved.status_code, moved["Location"]) == (301, f"{DECISIONS}{quote(decision.name)}/{page}?version=1")
        assert viewer.get(moved["Location"]).status_code == 200
    assert viewer.post(f"{DECISIONS}{decision.id}/").status_code == 405
    assert Client().get(f"{DECISIONS}{decision.id}/").status_code == 302


def test_what_there_is_not_leads_back(viewer: Client, decision: Any) -> None:
    url = f"{DECISIONS}{quote(decision.name)}/replay/"
    answer = viewer.get(f"{url}?version=99", follow=True)
    assert answer.redirect_chain == [(url, 302)]
    assert "The trader has no version 99." in text_of(answer)
    assert "Enter a whole number" in text_of(viewer.get(f"{url}?version=x"))
    assert viewer.get(f"{DECISIONS}steady_long|{decision.id + 1}/replay/").status_code == 302
    for name in (10**30, f"steady_long|{10**30}", f"nobody|{decision.id}", decision.id + 1, "|1", "x", "steady_long|"):
        assert viewer.get(f"{DECISIONS}{name}/replay/").status_code == 302
        assert viewer.get(f"{DECISIONS}{name}/").status_code == 302
    assert viewer.post(url).status_code == 405
