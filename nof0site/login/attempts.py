"""Wrong passwords in PostgreSQL, counted once for all web servers: a handler of django-axes."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from axes.handlers.proxy import AxesProxyHandler
from axes.models import AccessAttempt, AccessLog
from django.contrib.auth import get_user_model
from django.db import DatabaseError
from django.db.models import F, Max, Q, Sum
from django.http import HttpRequest
from django.utils import timezone

from nof0site.login.throttle import WINDOW, Failures, LoginRefusal, ThrottleScope, refusal
from traders.accounts.audited import actor_of
from traders.accounts.factors.services import SHOWN
from traders.accounts.sessions import services as sessions
from traders.audit import writer as audit
from traders.audit.rules import AuditKind, cut

# How long an address stays known for an account that logged in from it.
KNOWN_FOR = timedelta(days=30)
LONGEST_NAME = 150

SCOPE_WORDS = {
    ThrottleScope.PAIR: "this account from this address",
    ThrottleScope.ACCOUNT: "this account from any address",
    ThrottleScope.ADDRESS: "any account from this address",
}

log = logging.getLogger("nof0site.login.pages")


class AttemptHandler(AxesDatabaseHandler):
    """Counts by account, by address and by both. Stores neither passwords nor what else a form held.

    django-axes calls it by Django's signals of login, so it is also where the audit hears of every login, at whatever
    page. If the entry of a login cannot be stored, the login is refused: no login goes unnoted.
    """

    def is_locked(self, request: Any, credentials: dict[str, Any] | None = None) -> bool:
        return refusal_of(request, username_in(credentials)) is not None

    def user_login_failed(self, sender: str, credentials: dict[str, Any], request: Any = None, **kwargs: Any) -> None:
        """Called for a wrong password, and for an attempt that was refused without a check, which is not counted."""
        if request is None:
            return
        name, address = username_in(credentials), request.axes_ip_address
        shown = shown_name(name)
        request.axes_credentials = credentials
        if request.axes_locked_out:
            log.warning("Login of account %r from %s refused: too many wrong passwords before.", shown, address)
            return
        AccessAttempt.objects.filter(attempt_time__lte=timezone.now() - WINDOW).delete()
        _count(name, address)
        log.warning("Login of account %r from %s failed: wrong password or no such account.", shown, address)
        at_page = "at Change password" if getattr(request, "user", None) and request.user.is_authenticated else ""
        audit.note(AuditKind.LOGIN_FAILED, actor=shown, text=at_page)
        if found := refusal_of(request, name):
            request.axes_locked_out = True
            log.warning(
                "Logins of account %r from %s are refused until %s (too many wrong passwords of the %s).",
                *(shown, address, found.until.isoformat(timespec="seconds"), found.scope.value),
            )
            until = f"until {found.until.isoformat(timespec='seconds')}, {SCOPE_WORDS[found.scope]}"
            audit.note(AuditKind.LOCKED_OUT, actor=shown, text=until)

    def user_logged_in(self, sender: Any, request: Any, user: Any, **kwargs: Any) -> None:
        super().user_logged_in(sender, request, user, **kwargs)  # type: ignore[no-untyped-call]
        AccessLog.objects.filter(attempt_time__lte=timezone.now() - KNOWN_FOR).delete()
        log.info("Account %r logged in from %s.", user.get_username(), request.axes_ip_address)
        sessions.begin(request)
        if getattr(user, "has_shown_factor", False):
            request.session[SHOWN] = True
        try:
            audit.note(AuditKind.LOGIN, actor=actor_of(user))
        except DatabaseError:
            # The answer may have a status with which Django saves the session.
            request.session.clear()
            raise
        audit.remove_old()

    def user_logged_out(self, sender: Any, request: Any, user: Any, **kwargs: Any) -> None:
        super().user_logged_out(sender, request, user, **kwargs)  # type: ignore[no-untyped-call]
        if user is not None:
            audit.note(AuditKind.LOGOUT, actor=actor_of(user))


def shown_name(name: str) -> str:
    """The typed name as logs and audit keep it: whole only where an account has it."""
    return name if get_user_model().objects.filter(username=name).exists() else cut(name)


def refusal_of(request: HttpRequest, name: str) -> LoginRefusal | None:
    """Why an attempt for this account may not be made now; None if it may."""
    address: str | None = request.axes_ip_address  # type: ignore[attr-defined]
    counted, now = _counted(name, address), timezone.now()
    found = refusal(counted, now, is_known=False)
    if found is None or found.scope is ThrottleScope.PAIR or not is_known(name, address):
        return found
    return refusal(counted, now, is_known=True)


def may_try(request: HttpRequest, name: str) -> bool:
    AxesProxyHandler.update_request(request)
    return refusal_of(request, name[:LONGEST_NAME]) is None


def forget(request: Any, name: str) -> None:
    """The right password was given: forget the wrong ones of this account from this address."""
    AccessAttempt.objects.filter(username=name, ip_address=request.axes_ip_address).delete()


def username_in(credentials: dict[str, Any] | None) -> str:
    return str((credentials or {}).get("username") or "")[:LONGEST_NAME]


def _counted(name: str, address: str | None) -> dict[ThrottleScope, Failures]:
    """One query for the three counts."""
    of_account = Q(username=name)
    of_address = Q(ip_address=address) if address else Q(ip_address__isnull=True)
    scopes = {
        ThrottleScope.PAIR: of_account & of_address,
        ThrottleScope.ACCOUNT: of_account,
        ThrottleScope.ADDRESS: of_address,
    }
    sums = {
        f"{scope.value}_{what}": of
        for scope, rows in scopes.items()
        for what, of in (
            ("count", Sum("failures_since_start", filter=rows)),
            ("last", Max("attempt_time", filter=rows)),
        )
    }
    recent = AccessAttempt.objects.filter(of_account | of_address, attempt_time__gt=timezone.now() - WINDOW)
    found = recent.aggregate(**sums)
    return {
        scope: Failures(found[f"{scope.value}_count"] or 0, found[f"{scope.value}_last"]) for scope in ThrottleScope
    }


def _count(name: str, address: str | None) -> None:
    """One row per account and address. The user agent is left out: the client could change it at each attempt."""
    rows = AccessAttempt.objects.filter(username=name, ip_address=address, user_agent="")
    one_more = {"failures_since_start": F("failures_since_start") + 1, "attempt_time": timezone.now()}
    if not rows.update(**one_more):
        _row, is_new = rows.get_or_create(
            username=name, ip_address=address, user_agent="", defaults={"failures_since_start": 1}
        )
        if not is_new:  # another process was faster
            rows.update(**one_more)


def is_known(name: str, address: str | None) -> bool:
    """Whether the account logged in from the address within KNOWN_FOR."""
    since = timezone.now() - KNOWN_FOR
    return (
        address is not None
        and AccessLog.objects.filter(username=name, ip_address=address, attempt_time__gt=since).exists()
    )
