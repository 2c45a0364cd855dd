"""Where a request comes from: its address, also for code that is not given the request."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.conf import settings
from django.http import HttpRequest

_address: ContextVar[str | None] = ContextVar("address", default=None)


def current_address() -> str | None:
    """The address of the request that this thread answers; None in a command."""
    return _address.get()


@contextmanager
def request_from(request: HttpRequest) -> Iterator[None]:
    token = _address.set(client_address(request))
    try:
        yield
    finally:
        _address.reset(token)


def client_address(request: HttpRequest, proxies: int | None = None) -> str | None:
    """The address the request came from, as the outermost of `proxies` (default TRUSTED_PROXIES) proxies saw it; of
    IPv6 the /64 network. None if it is not an address.

    Every proxy appends the address it heard from to X-Forwarded-For. Entries before the last `proxies` ones may be
    the client's invention.
    """
    proxies = settings.TRUSTED_PROXIES if proxies is None else proxies
    forwarded = request.headers.get("X-Forwarded-For", "") if proxies else ""
    hops = [*filter(None, map(str.strip, forwarded.split(","))), request.META.get("REMOTE_ADDR", "")]
    try:
        address = ipaddress.ip_address(hops[-1 - min(proxies, len(hops) - 1)])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        return str(address.ipv4_mapped or ipaddress.ip_network((address, 64), strict=False).network_address)
    return str(address)
