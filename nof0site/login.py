"""Who may log in, from where, and what is said to whoever tried too often."""

from __future__ import annotations

import ipaddress
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from axes.backends import AxesStandaloneBackend
from axes.handlers.proxy import AxesProxyHandler
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.forms import AuthenticationForm as DjangoAuthenticationForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.forms import AuthenticationForm

from traders.repositories.roles import may_enter


class LoginForm(AuthenticationForm):
    """The theme's form, for everybody who may enter rather than for staff alone."""

    error_messages = {
        **AuthenticationForm.error_messages,
        "invalid_login": gettext_lazy(
            "Please enter the username and password of an account that has a role. Case matters."
        ),
    }

    def confirm_login_allowed(self, user: Any) -> None:
        DjangoAuthenticationForm.confirm_login_allowed(self, user)
        if not may_enter(user):
            raise self.get_invalid_login_error()


class ThrottlingBackend(AxesStandaloneBackend):
    """Refuses whoever is locked out, and leaves code that authenticates without a visitor alone."""

    def authenticate(self, request: HttpRequest | None, *args: Any, **credentials: Any) -> None:
        if request is not None:
            super().authenticate(request, *args, **credentials)


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


def locked_out(
    request: HttpRequest, response: HttpResponse | None = None, credentials: dict[str, Any] | None = None
) -> HttpResponse:
    """The page for an account and address that failed too often, with how long it lasts."""
    seconds = max(1, ceil((_ends_at(request, credentials) - timezone.now()).total_seconds()))
    context = {
        **admin.site.each_context(request),
        "title": _("Too many failed attempts"),
        "username": (credentials or {}).get("username", ""),
        "minutes": ceil(seconds / 60),
    }
    page = render(request, "nof0site/locked_out.html", context, status=429)
    page.headers["Retry-After"] = str(seconds)
    return page


def _ends_at(request: HttpRequest, credentials: dict[str, Any] | None) -> datetime:
    """When enough of the counted failures are old enough for the next attempt."""
    cool_off: timedelta = settings.AXES_COOLOFF_TIME
    handler: Any = AxesProxyHandler.get_implementation()
    counted = handler.get_user_attempts(request, credentials)
    rows = sorted(
        ((row.attempt_time, row.failures_since_start) for attempts in counted for row in attempts), reverse=True
    )
    failures = 0
    for moment, number in rows:
        failures += number
        if failures >= settings.AXES_FAILURE_LIMIT:
            ends_at: datetime = moment + cool_off
            return ends_at
    return timezone.now() + cool_off
