"""Who wrote lately: a browser by a cookie, a token by a key of the cache. They read the primary, so
that they see it."""

from __future__ import annotations

import hashlib
import time

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from django.http.response import HttpResponseBase

SECONDS = 30
COOKIE = "nof0_wrote"
# Until when all tokens read the primary, because the cache could not be told of one that wrote.
_unknown_until = [0.0]


def note(request: HttpRequest, response: HttpResponseBase) -> None:
    """This request wrote, or may have."""
    if (token := _token_of(request)) is None:
        response.set_cookie(
            COOKIE, "1", max_age=SECONDS, secure=settings.SESSION_COOKIE_SECURE, httponly=True, samesite="Lax"
        )
    elif not _told(token):
        _unknown_until[0] = time.monotonic() + SECONDS


def wrote_lately(request: HttpRequest) -> bool:
    """True where that is not known."""
    if (token := _token_of(request)) is None:
        return COOKIE in request.COOKIES
    if time.monotonic() < _unknown_until[0]:
        return True
    try:
        return cache.get(token) is not None
    except Exception:
        return True


def _told(token: str) -> bool:
    try:
        cache.set(token, 1, SECONDS)
    except Exception:
        return False
    return True


def _token_of(request: HttpRequest) -> str | None:
    """The key of the cache for the token that was sent, of which it tells nothing."""
    sent = request.headers.get("Authorization")
    return f"replica:wrote:{hashlib.sha256(sent.encode()).hexdigest()}" if sent else None
