"""System checks of the site's settings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps.config import AppConfig
from django.conf import settings
from django.core import checks


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
