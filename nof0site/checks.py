"""System checks of the site's settings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps.config import AppConfig
from django.conf import settings
from django.core import checks
from django.db import connections

from nof0site.postgresql.role_limits import missing_role_limits


@checks.register(checks.Tags.security)
def check_https(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[checks.CheckMessage]:
    """W001: other machines may reach the site, and passwords would travel in the clear."""
    if settings.HTTPS or settings.LOOPBACK_ONLY:
        return []
    return [
        checks.Warning(
            f"HTTPS is off, and ALLOWED_HOSTS={','.join(settings.ALLOWED_HOSTS)} admits other machines: passwords "
            "and session cookies travel unencrypted.",
            hint="Put a proxy that speaks TLS in front of the site and leave HTTPS unset.",
            id="nof0site.W001",
        )
    ]


@checks.register(checks.Tags.database)
def check_role_limits(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[checks.CheckMessage]:
    """W002: behind PgBouncer the role lacks the time limits, so a page may wait for ever."""
    missing = [name for using in databases or [] for name in missing_role_limits(connections[using])]
    if not missing:
        return []
    return [
        checks.Warning(
            f"The database's role has no {', '.join(missing)} as the settings say, so pages may wait for ever.",
            hint="Run `manage.py migrate` with the DATABASE_URL and PGBOUNCER=1 of the site.",
            id="nof0site.W002",
        )
    ]
