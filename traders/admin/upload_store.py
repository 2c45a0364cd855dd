"""An uploaded file between its plan and its sync: in the cache, which every web server of the site shares."""

from __future__ import annotations

import secrets
import zlib

from django.core.cache import cache

from traders.admin.pages import Desk
from traders.services.upload import Upload

KEPT_SECONDS = 3600


def keep(desk: Desk, upload: Upload) -> str:
    """A token for this user to find it by."""
    token = secrets.token_urlsafe(16)
    cache.set(_key(desk, token), (upload.name, zlib.compress(upload.content, 1)), KEPT_SECONDS)
    return token


def kept(desk: Desk, token: str) -> Upload | None:
    """None when it is not kept any more, or was somebody else's."""
    found = cache.get(_key(desk, token))
    return Upload(found[0], zlib.decompress(found[1])) if found else None


def forget(desk: Desk, token: str) -> None:
    cache.delete(_key(desk, token))


def _key(desk: Desk, token: str) -> str:
    return f"upload:{desk.request.user.pk}:{token}"
