"""Sessions of browsers, in a table that says whose they are. Imported by `traders.models`; the site's SESSION_ENGINE.

Django's own way to extend its sessions: a model of `AbstractBaseSession` and a store that makes its rows.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models

BEGAN = "began"
"""In the data of a session: {at: ISO moment, address, agent} of its login."""
USED = "used"
"""In the data of a session: when a person last asked for a page, in seconds since 1970."""


class AccountSession(AbstractBaseSession):
    """`user` is NULL before a login. The columns repeat what the data hold, so that the sessions of an account can be
    listed and ended without reading all data."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="sessions"
    )
    address = models.TextField(default="", blank=True)
    agent = models.TextField(default="", blank=True)
    began_at = models.DateTimeField(null=True, blank=True)
    used_at = models.DateTimeField(auto_now=True)

    class Meta(AbstractBaseSession.Meta):
        db_table = "account_sessions"
        default_permissions = ()

    @classmethod
    def get_session_store_class(cls) -> type[SessionStore]:
        return SessionStore


class SessionStore(DatabaseStore):
    """Rows of `account_sessions`. The name is Django's."""

    @classmethod
    def get_model_class(cls) -> type[AccountSession]:
        return AccountSession

    def create_model_instance(self, data: dict[str, Any]) -> Any:
        row: Any = super().create_model_instance(data)
        row.user_id = data.get(SESSION_KEY)
        if began := data.get(BEGAN):
            row.began_at = datetime.fromisoformat(began["at"])
            row.address, row.agent = began["address"], began["agent"]
        return row
