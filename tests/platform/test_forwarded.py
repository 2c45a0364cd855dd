"""No client's header takes the place of a proxy's."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from nof0site.serving.environ import is_passed_on, wsgi_headers
from traders.audit.origin import client_address

TOKEN_CHARACTERS = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
NAMES = st.text(TOKEN_CHARACTERS, min_size=1, max_size=20)
VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20)
SPELLINGS = st.lists(st.sampled_from(["-", "_"]), min_size=2, max_size=2).map(lambda s: f"X{s[0]}Forwarded{s[1]}For")


def test_an_underscore_is_no_hyphen() -> None:
    lines = [("X_Forwarded_For", "10.0.0.1"), ("X-Forwarded-For", "198.51.100.9"), ("x_forwarded-for", "10.0.0.2")]
    assert wsgi_headers(lines) == {"HTTP_X_FORWARDED_FOR": "198.51.100.9"}
    assert wsgi_headers([("X-Forwarded-Proto", "http"), ("X_Forwarded_Proto", "https")]) == {
        "HTTP_X_FORWARDED_PROTO": "http"
    }


def test_lines_of_one_name_are_joined_in_their_order() -> None:
    lines = [("Cookie", "a=1"), ("Accept", "x"), ("cookie", "b=2"), ("ACCEPT", "y"), ("Content-Type", "text/plain")]
    assert wsgi_headers(lines) == {
        "HTTP_COOKIE": "a=1; b=2",
        "HTTP_ACCEPT": "x, y",
        "CONTENT_TYPE": "text/plain",
    }


def test_the_scheme_is_what_the_nearest_proxy_says() -> None:
    lines = [("X-Forwarded-Proto", "https"), ("X-Forwarded-Proto", "http")]
    assert wsgi_headers(lines) == {"HTTP_X_FORWARDED_PROTO": "http"}


@given(st.lists(st.tuples(NAMES, VALUES)))
def test_names_with_underscores_change_nothing(lines: list[tuple[str, str]]) -> None:
    assert wsgi_headers(lines) == wsgi_headers([line for line in lines if "_" not in line[0]])


@given(st.lists(st.tuples(NAMES.filter(is_passed_on), VALUES)))
def test_every_other_name_arrives(lines: list[tuple[str, str]]) -> None:
    keys = {name.upper().replace("-", "_") for name, _ in lines}
    assert {key.removeprefix("HTTP_") for key in wsgi_headers(lines)} == keys


@given(st.lists(st.tuples(SPELLINGS, st.ip_addresses(v=4).map(str))), st.ip_addresses(v=4).map(str), st.randoms())
def test_a_client_cannot_choose_its_address_with_any_spelling(
    sent: list[tuple[str, str]], real: str, order: Any
) -> None:
    """The proxy appends its own line after the client's; underscored names may stand anywhere."""
    lines = [line for line in sent if line[0] == "X-Forwarded-For"] + [("X-Forwarded-For", real)]
    for line in sent:
        if line[0] != "X-Forwarded-For":
            lines.insert(order.randint(0, len(lines)), line)
    request = RequestFactory().get("/", REMOTE_ADDR="127.0.0.1", **wsgi_headers(lines))  # type: ignore[arg-type]
    assert client_address(request, proxies=1) == real


@pytest.mark.parametrize("name", ["X_Forwarded_For", "X-Forwarded_Proto", "_", "a_"])
def test_names_that_are_dropped(name: str) -> None:
    assert not is_passed_on(name)
