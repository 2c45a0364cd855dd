"""Begins, uses and ends sessions of browsers."""

from __future__ import annotations

import time
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.http import HttpRequest
from django.utils import timezone

from traders.accounts.sessions.queries import open_sessions
from traders.accounts.sessions.rules import LONGEST_AGENT
from traders.accounts.writer import whole
from traders.audit import writer as audit
from traders.audit.origin import client_address
from traders.audit.rules import AuditKind
from traders.models import AccountSession
from traders.session_models import BEGAN, USED, SessionStore

USE_NOTED_SECONDS = 60


def begin(request: HttpRequest) -> None:
    """Notes where and when the session of this login began, and removes sessions that have ended by themselves."""
    agent = request.headers.get("User-Agent", "")[:LONGEST_AGENT]
    where = {"at": timezone.now().isoformat(), "address": client_address(request) or "", "agent": agent}
    request.session[BEGAN], request.session[USED] = where, int(time.time())
    SessionStore.clear_expired()


def use(request: HttpRequest) -> None:
    """A person asks for a page: the session goes on for another SESSION_COOKIE_AGE. Written once a minute.

    What a page asks for by itself, such as the newest figures, does not count, or an open page would never be idle.
    """
    is_by_page = request.method == "GET" and request.headers.get("Sec-Fetch-Mode", "navigate") != "navigate"
    if is_by_page or SESSION_KEY not in request.session:
        return
    now = int(time.time())
    if now - request.session.get(USED, 0) >= USE_NOTED_SECONDS:
        request.session[USED] = now


def end(user: Any, *, actor: str, mark: str = "", but: str | None = None) -> int:
    """Ends the session that `mark` names, or without one all sessions of the account except `but`, a session's key.

    Returns how many; 0 if there is none. The next request of such a browser is sent to the login.
    """
    ended = [one for one in open_sessions(user) if (one.mark == mark if mark else one.key != but)]
    with whole():
        AccountSession.objects.filter(pk__in=[one.key for one in ended]).delete()
        for one in ended:
            text = ", ".join(filter(None, (one.browser, one.address)))
            audit.note(AuditKind.SESSION_ENDED, actor=actor, subject=user.get_username(), text=text)
    return len(ended)
