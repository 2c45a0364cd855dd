from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured

from nof0site.access import CONFIDENTIAL, access_note, api_tokens, document_access

TOKEN = "a-token-of-enough-letters"


def test_every_document_is_public_unless_told_otherwise() -> None:
    assert set(document_access([]).values()) == {"public"}
    access = document_access(["*=token", "trades=public", "positions=off"])
    assert (access["trades"], access["positions"], access["metrics"]) == ("public", "off", "token")


@pytest.mark.parametrize("item", ["trade=public", "trades=open", "trades", "analytics/ann=off", "=off"])
def test_what_is_misspelt_opens_nothing(item: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="API_ACCESS"):
        document_access([item])


def test_tokens_stand_apart_by_commas_or_lines_and_are_long_enough() -> None:
    assert api_tokens(f"{TOKEN},{TOKEN}2\n{TOKEN}3", []) == [TOKEN, f"{TOKEN}2", f"{TOKEN}3"]
    with pytest.raises(ImproperlyConfigured, match="at least 20"):
        api_tokens("short", [])
    with pytest.raises(ImproperlyConfigured, match="holds none"):
        api_tokens("", ["trades=token"])


def test_conversations_and_metrics_need_a_token_once_others_reach_the_site() -> None:
    access = document_access([], is_local=False)
    assert {name for name, level in access.items() if level == "token"} == {"conversations", "metrics"}
    assert document_access(["trades=off"], is_local=False)["conversations"] == "token"


@pytest.mark.parametrize("items", [["*=public"], ["conversations=public", "metrics=public"]])
def test_the_setting_may_open_them(items: list[str]) -> None:
    access = document_access(items, is_local=False)
    assert {access[name] for name in CONFIDENTIAL} == {"public"}
    assert access_note(items, access, []) == ""


def test_the_start_names_the_setting_and_says_when_no_token_exists() -> None:
    access = document_access([], is_local=False)
    assert api_tokens("", []) == []
    note = access_note([], access, [])
    assert "conversations and metrics" in note
    assert "API_TOKENS holds none" in note
    assert "API_ACCESS" in note
    assert "\n" not in note
    assert "one of API_TOKENS" in access_note([], access, [TOKEN])
    assert "conversations" not in access_note(["conversations=off"], access, [TOKEN])
    assert access_note([], document_access([]), []) == ""
