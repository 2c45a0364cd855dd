"""The embedded servers that Django's settings name."""

from __future__ import annotations

from django.conf import settings

from nof0site.embedded.servers import EmbeddedServers, embedded_servers


def configured_servers() -> EmbeddedServers:
    return embedded_servers(settings.DATA_DIR, tuple(sorted(settings.EMBEDDED_POSTGRES_SETTINGS.items())))
