from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured

from nof0site.access import api_tokens, document_access

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
    assert api_tokens(f"{TOKEN},{TOKEN}2\n{TOKEN}3", {}) == [TOKEN, f"{TOKEN}2", f"{TOKEN}3"]
    with pytest.raises(ImproperlyConfigured, match="at least 20"):
        api_tokens("short", {})
    with pytest.raises(ImproperlyConfigured, match="holds none"):
        api_tokens("", {"trades": "token"})
