"""The read API with the site's settings, in front of Django."""

from __future__ import annotations

from django.conf import settings

from trading.export.public_api.access import DocumentAccess
from trading.export.public_api.application import Application, ReadApi
from trading.export.public_api.current import CurrentRun
from trading.export.public_api.transport import Transport


def with_read_api(django: Application) -> ReadApi:
    stale_seconds = settings.API_STALE_SECONDS + settings.API_DELAY_MINUTES * 60
    public = [name for name, level in settings.API_ACCESS.items() if level == "public"]
    return ReadApi(
        root=settings.EXPORT_DIR,
        current=CurrentRun(
            settings.EXPORT_DIR,
            settings.API_DELAY_MINUTES * 60_000,
            public=public,
            fresh_seconds=stale_seconds,
        ),
        access=DocumentAccess(settings.API_ACCESS, settings.API_TOKENS, settings.API_CORS_ORIGINS),
        hosts=tuple(settings.ALLOWED_HOSTS),
        stale_seconds=stale_seconds,
        transport=transport(),
        behind=django if settings.SERVE_ADMIN or settings.SERVE_ENGINE_API else None,
        behind_at=("/",) if settings.SERVE_ADMIN else ("/api/v1/", f"/{settings.STATIC_URL.strip('/')}/"),
    )


def transport() -> Transport:
    """The same for Django's pages, by the settings."""
    parts = [f"max-age={settings.SECURE_HSTS_SECONDS}"]
    if settings.SECURE_HSTS_INCLUDE_SUBDOMAINS:
        parts.append("includeSubDomains")
    if settings.SECURE_HSTS_PRELOAD:
        parts.append("preload")
    by_proxy: tuple[str, str] | None = getattr(settings, "SECURE_PROXY_SSL_HEADER", None)
    hsts = "; ".join(parts) if settings.SECURE_HSTS_SECONDS else ""
    return Transport(https_only=settings.HTTPS, hsts=hsts, proxy_header=by_proxy[0] if by_proxy else "")
