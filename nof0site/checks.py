"""System checks of the site's settings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps.config import AppConfig
from django.conf import settings
from django.core import checks
from django.db import DatabaseError, connections

from nof0site.guards.foreign import foreign_database
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
    """W002: behind PgBouncer the role lacks the time limits, or `jit` is on, so a page may wait for long."""
    missing = [name for using in databases or [] for name in missing_role_limits(connections[using])]
    if not missing:
        return []
    return [
        checks.Warning(
            f"The database's role has no {', '.join(missing)} as the settings say, so pages may wait for long.",
            hint="Run `manage.py migrate` with the DATABASE_URL and PGBOUNCER=1 of the site.",
            id="nof0site.W002",
        )
    ]


@checks.register(checks.Tags.database)
def check_database_is_ours(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[checks.CheckMessage]:
    """E001: the database belongs to another program. `migrate` runs this before it changes anything."""
    found: list[checks.CheckMessage] = []
    for alias in databases or ():
        try:
            foreign = foreign_database(connections[alias])
        except DatabaseError:
            # An unreachable database is reported by the command itself.
            continue
        if foreign:
            found.append(checks.Error(foreign.message, hint=foreign.generation.way_out, id="nof0site.E001"))
    return found
