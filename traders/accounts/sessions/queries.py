"""The sessions of an account that still work."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth import HASH_SESSION_KEY
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from traders.accounts.sessions.rules import browser_name
from traders.models import AccountSession


@dataclass(frozen=True)
class OpenSession:
    """`mark` names the session in forms: a digest, because its key would let a reader of the page take it over."""

    mark: str
    key: str
    browser: str
    agent: str
    address: str
    began_at: datetime | None
    used_at: datetime


def open_sessions(user: Any) -> list[OpenSession]:
    """The last used one first. A session from before a change of the password no longer works and is left out."""
    hashes = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    rows = AccountSession.objects.filter(user=user, expire_date__gt=timezone.now()).order_by("-used_at", "session_key")
    return [_shown(row) for row in rows if _fits(row, hashes)]


def open_counts(users: Collection[Any]) -> dict[int, int]:
    """{account's key: how many of its sessions work}, of those that have some. One statement."""
    hashes = {user.pk: [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()] for user in users}
    rows = AccountSession.objects.filter(user__in=list(hashes), expire_date__gt=timezone.now())
    return dict(Counter(int(row.user_id or 0) for row in rows if _fits(row, hashes[row.user_id])))


def mark_of(key: str | None) -> str:
    return hashlib.sha256((key or "").encode()).hexdigest()[:32]


def _fits(row: AccountSession, hashes: list[str]) -> bool:
    stored = str(row.get_decoded().get(HASH_SESSION_KEY, ""))
    return any(constant_time_compare(stored, one) for one in hashes)


def _shown(row: AccountSession) -> OpenSession:
    return OpenSession(
        mark=mark_of(row.session_key),
        key=row.session_key,
        browser=browser_name(row.agent),
        agent=row.agent,
        address=row.address,
        began_at=row.began_at,
        used_at=row.used_at,
    )
