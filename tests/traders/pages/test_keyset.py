"""Lists that page by key."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest
from django.contrib.admin import AdminSite
from django.contrib.auth import get_user_model
from django.contrib.messages import get_messages
from django.contrib.messages.storage.fallback import FallbackStorage
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from unfold.admin import ModelAdmin

from traders.models import ApiToken, PromptText
from traders.pages.keyset import KeysetChangeList

pytestmark = pytest.mark.django_db

PATHS = ("a", "b", "c~d", "e%f")


class KeysetAdmin(ModelAdmin):
    actions = None
    list_per_page = 3
    show_full_result_count = False

    def get_changelist(self, request: Any, **kwargs: Any) -> Any:
        return KeysetChangeList


class TextsByPath(KeysetAdmin):
    list_display = ("path", "version", "first_seen_at")
    list_filter = ("version",)
    ordering = ("path", "-version")
    sortable_by = ("path",)


class TokensByAge(KeysetAdmin):
    list_display = ("name",)
    ordering = ("-created_at", "-id")
    sortable_by = ()


def store(path: str, version: str) -> None:
    body = f"{path} {version}"
    PromptText.objects.create(sha256=sha256(body.encode()).hexdigest(), path=path, version=version, body=body)


@pytest.fixture
def texts() -> list[str]:
    """Eight texts, two of each path: (path and version) in the order of the list."""
    for path in PATHS:
        store(path, "v0")
        store(path, "v1")
    return [f"{path} {version}" for path in PATHS for version in ("v1", "v0")]


def listed(query: str, admin: type[ModelAdmin] = TextsByPath, model: Any = PromptText) -> Any:
    request = RequestFactory().get(f"/{query}")
    request.user = get_user_model()(username="mei", is_staff=True, is_superuser=True)
    request.session = {}  # type: ignore[assignment]
    request._messages = FallbackStorage(request)  # type: ignore[attr-defined]
    changes: Any = admin(model, AdminSite()).get_changelist_instance(request)
    changes.said = [str(message) for message in get_messages(request)]
    return changes


def ids(changes: Any) -> list[str]:
    return [f"{text.path} {text.version}" for text in changes.result_list]


def walk(query: str, link: str) -> list[list[str]]:
    """The pages from `query` on, by the links of that name."""
    pages = []
    while query:
        changes = listed(query)
        pages.append(ids(changes))
        query = getattr(changes, link)
    return pages


def test_the_pages_hold_each_row_once_and_in_order(texts: list[str]) -> None:
    assert walk("?", "older_url") == [texts[:3], texts[3:6], texts[6:]]


def test_the_way_back_shows_the_same_pages(texts: list[str]) -> None:
    last = listed(listed(listed("?").older_url).older_url)
    assert walk(last.newer_url, "newer_url") == [texts[3:6], texts[:3]]
    assert listed("?").newer_url == listed("?").newest_url == ""
    assert last.older_url == ""
    assert ids(listed(last.newest_url)) == texts[:3]


def test_no_page_counts_or_skips_rows(texts: list[str]) -> None:
    with CaptureQueriesContext(
        connection,
    ) as asked:
        listed(listed("?version=v1").older_url)
    statements = " ".join(
        query["sql"] for query in asked if '"prompt_texts"' in query["sql"] and "DISTINCT" not in query["sql"]
    )
    assert "COUNT" not in statements
    assert "OFFSET" not in statements


def test_rows_added_meanwhile_move_no_page(texts: list[str]) -> None:
    second = listed("?").older_url
    store("0", "v0")
    assert ids(listed(second)) == texts[3:6]


def test_a_filter_holds_on_every_page_and_starts_at_the_first(texts: list[str]) -> None:
    first = listed("?version=v1")
    assert ids(first) + ids(listed(first.older_url)) == texts[::2]
    assert "older" not in listed(first.older_url).get_query_string({"version": "v0"})


def test_a_list_is_sorted_by_the_named_columns_alone(texts: list[str]) -> None:
    assert ids(listed("?o=-0")) == texts[::-1][:3]
    assert walk("?o=-0", "older_url") == [texts[::-1][:3], texts[::-1][3:6], texts[::-1][6:]]
    for order in ("1", "-2", "1.0", "x", "9", "-9.0"):
        assert ids(listed(f"?o={order}")) == texts[:3], order


@pytest.mark.parametrize("place", ["x", "a~b~c~d", "~", "a%00~b~c"])
@pytest.mark.parametrize("name", ["older", "newer"])
def test_a_place_that_is_none_leads_to_the_first_page_and_is_told(texts: list[str], name: str, place: str) -> None:
    changes = listed(f"?{name}={place}")
    assert ids(changes) == texts[:3]
    assert ["is not a place in this list. You see its first page." in said for said in changes.said] == [True]


@pytest.mark.parametrize("place", ["9999-99-99~1", "2026-01-01~1", "2026-01-01T00:00:00~1", "x~1", "~1"])
def test_a_moment_needs_its_zone(place: str) -> None:
    assert len(listed(f"?older={place}", TokensByAge, ApiToken).said) == 1
    assert listed("?older=2026-01-01T00:00:00%2B00:00~1", TokensByAge, ApiToken).said == []
    assert listed(f"?older=2026-01-01T00:00:00%2B00:00~{'9' * 30}", TokensByAge, ApiToken).said == []


@pytest.mark.parametrize("column", ["expires_at", "last_used_at"])
def test_a_column_with_null_is_refused(column: str) -> None:
    class Tokens(TokensByAge):
        ordering = (column,)  # type: ignore[assignment]

    with pytest.raises(ImproperlyConfigured, match=column):
        listed("?", Tokens, ApiToken)
