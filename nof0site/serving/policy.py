"""The limits of bodies for the addresses of this site."""

from __future__ import annotations

from django.conf import settings
from django.urls import reverse

from nof0site.serving.body_limits import Policy


def body_policy() -> Policy:
    login, uploads = "", frozenset[str]()
    if settings.SERVE_ADMIN:
        login, uploads = reverse("admin:login"), frozenset({reverse("admin:traders_upload")})
    return Policy(login=login, uploads=uploads, session_cookie=settings.SESSION_COOKIE_NAME)
