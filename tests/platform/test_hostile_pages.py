"""Odd ids, filters, pages and form fields at every page: refused or read past, never a failure of the site."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from django.db import transaction
from django.test import Client

from tests.factories import make_trader, sync_traders
from tests.platform.hostile import IDS, RAW, TEXTS
from tests.traders.admin.addresses import ROUTES, address
from tests.traders.admin.people import browser_of
from traders.accounts.rules import Role

pytestmark = [pytest.mark.django_db, pytest.mark.hostile]

FILTERS = (
    *("page", "p", "q", "o", "e", "all", "at", "a", "b", "trader", "version", "before", "after", "since", "until"),
    *("from", "to", "symbol", "side", "status", "change_set", "config", "path", "actor", "source", "used", "next"),
    *("exchange", "market", "llm", "retired", "_changelist_filters", "_popup", "_to_field", "id__gt", "pk", "term"),
    *(
        "password__startswith",
        "created_at__gte",
        "groups__id__exact",
        "is_active__exact",
        "left",
        "right",
        "with_version",
    ),
    *("app_label", "model_name", "field_name", "s", "search", "result", "kind"),
)
IN_EACH_FIELD = ("%00", "%FF", "9" * 5000, quote_plus("[" * 100_000), quote_plus("²"))
PLACE = re.compile(r"<[^>]+>")


class Fields(HTMLParser):
    """Names and values of a page's form."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: dict[str, str] = {}
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in ("input", "textarea", "select", "button") and (name := given.get("name")):
            self.found.setdefault(name, given.get("value") or "")


@pytest.fixture
def visitor() -> Client:
    sync_traders(make_trader(), make_trader("quick_short", detail__display_name="Quick Short"))
    client = browser_of(Role.ADMIN)
    client.raise_request_exception = False
    return client


def failures(visitor: Client, asked: Iterator[tuple[str, str, str]]) -> list[str]:
    """(method, address, form) of those that were answered with 500 or more."""
    found = []
    for method, place, form in asked:
        with transaction.atomic():
            path, _, query = place.partition("?")
            answer: Any = visitor.generic(
                method, path, form, content_type="application/x-www-form-urlencoded", QUERY_STRING=query
            )
            if answer.streaming:
                b"".join(answer.streaming_content)
            transaction.set_rollback(True)
        if answer.status_code >= 500 or answer.status_code == 422:
            found.append(f"{answer.status_code} {method} {place[:120]} {form[:200]}")
    return found


@pytest.mark.parametrize("route", [route for route in ROUTES if "<" in route and "?P<" not in route])
def test_odd_ids(visitor: Client, route: str) -> None:
    def asked() -> Iterator[tuple[str, str, str]]:
        for place in PLACE.findall(route):
            for odd in [quote(one, safe="|@") for one in IDS] + list(RAW[:3]):
                before, _, after = route.partition(place)
                tail = after.replace("<str:file_format>", "csv")
                odd_address = "/" + before + "\x01" + tail
                whole = address_with(odd_address).replace("\x01", odd)
                yield "GET", whole, ""
                if odd in ("9" * 40, "%FF"):
                    yield "POST", whole, ""

    def address_with(text: str) -> str:
        return PLACE.sub(lambda found: "1" if "int" in found[0] or "content" in found[0] else "steady_long", text)

    assert failures(visitor, asked()) == []


@pytest.mark.parametrize("route", ROUTES)
def test_odd_filters(visitor: Client, route: str) -> None:
    place = address(route)
    names = {*FILTERS, *fields_of(visitor, place)}

    def asked() -> Iterator[tuple[str, str, str]]:
        for odd in [*map(quote_plus, (text for text in TEXTS if len(text) < 6000)), *RAW]:
            yield "GET", f"{place}?{'&'.join(f'{quote_plus(name)}={odd}' for name in sorted(names))}", ""
        # One that is refused hides those after it.
        for name in sorted(names):
            yield "GET", f"{place}?{quote_plus(name)}={'9' * 40}", ""

    assert failures(visitor, asked()) == []


@pytest.mark.parametrize("route", ROUTES)
def test_odd_forms(visitor: Client, route: str) -> None:
    place = address(route)
    fields = fields_of(visitor, place)

    def asked() -> Iterator[tuple[str, str, str]]:
        for odd in [*map(quote_plus, TEXTS), *RAW]:
            yield "POST", place, form(dict.fromkeys(fields, odd))
        for name in fields:
            for odd in IN_EACH_FIELD:
                yield "POST", place, form({**fields, name: odd})

    assert failures(visitor, asked()) == []


def fields_of(visitor: Client, place: str) -> dict[str, str]:
    """Names and quoted values of the page's fields, as its first button sends them."""
    page: Any = visitor.get(place)
    found = {} if page.streaming else Fields(page.content.decode(errors="replace")).found
    return {name: quote_plus(value) for name, value in found.items()}


def form(fields: dict[str, str]) -> str:
    return "&".join(f"{quote_plus(name)}={value}" for name, value in fields.items())
