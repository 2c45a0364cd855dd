"""Host names and DEBUG that would open the site too far stop it."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured

from nof0site.hosts import refuse_unsafe

PUBLIC = ["control.example.com"]


def check(hosts: list[str], *, debug: bool = False, allow_any: bool = False, allow_debug: bool = False) -> None:
    refuse_unsafe(hosts, debug=debug, allow_any=allow_any, allow_debug=allow_debug)


@pytest.mark.parametrize("hosts", [["*"], ["localhost", "*"], ["*", "control.example.com"]])
def test_any_host_stops_the_start_unless_it_is_meant(hosts: list[str]) -> None:
    with pytest.raises(ImproperlyConfigured, match="ALLOW_ANY_HOST=1"):
        check(hosts)
    check(hosts, allow_any=True)


@pytest.mark.parametrize("hosts", [PUBLIC, ["localhost", "192.0.2.1"], [".example.com"], ["*"]])
def test_debug_where_others_reach_the_site_stops_the_start_unless_it_is_meant(hosts: list[str]) -> None:
    with pytest.raises(ImproperlyConfigured, match="ALLOW_PUBLIC_DEBUG=1"):
        check(hosts, debug=True, allow_any=True)
    check(hosts, debug=True, allow_any=True, allow_debug=True)


def test_debug_on_this_machine_is_fine() -> None:
    check(["localhost", "127.0.0.1", "[::1]", ".localhost"], debug=True)


@pytest.mark.parametrize(
    "host", ["*.example.com", "https://example.com", "example.com:8000", "example.com/", "::1", "[::"]
)
def test_what_matches_no_host_is_refused(host: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="is not a host name"):
        check([host], allow_any=True)


@pytest.mark.parametrize(
    "host", ["control.example.com", ".example.com", "192.0.2.1", "[2001:db8::1]", "bücher.example"]
)
def test_names_and_addresses_are_fine(host: str) -> None:
    check([host])
