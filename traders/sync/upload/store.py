"""An uploaded file between its plan and its sync: in the cache, which every web server of the site shares.

Other programs may write to Redis. A value is therefore signed for one user and one token, and a value that is forged,
copied from another user, too old or damaged is treated as missing.
"""

from __future__ import annotations

import logging
import secrets
from base64 import b64decode, b64encode

from django.core import signing
from django.core.cache import cache
from redis.exceptions import RedisError

from traders.pages.config_page import ConfigPage
from traders.sync.upload.services import Upload

KEPT_SECONDS = 3600

log = logging.getLogger(__name__)


class StoreUnavailable(Exception):
    """Redis is away, full or read-only."""


def keep(page: ConfigPage, upload: Upload) -> str:
    """The token under which this user finds the file again. Raises StoreUnavailable."""
    token = secrets.token_urlsafe(16)
    key = _key(page, token)
    value = signing.dumps({"name": upload.name, "content": b64encode(upload.content).decode()}, salt=key, compress=True)
    try:
        cache.set(key, value, KEPT_SECONDS)
    except (RedisError, OSError) as error:
        raise _unavailable("kept", error) from error
    return token


def kept(page: ConfigPage, token: str) -> Upload | None:
    """None if the file is not kept any more or was not signed for this user and token. Raises StoreUnavailable."""
    key = _key(page, token)
    try:
        value = cache.get(key)
    except (RedisError, OSError) as error:
        raise _unavailable("read", error) from error
    # A signed value is ASCII text; the library's comparison fails on other text that JSON may hold.
    if not isinstance(value, str) or not value.isascii():
        return None
    try:
        found = signing.loads(value, salt=key, max_age=KEPT_SECONDS)
    except signing.BadSignature:
        log.warning("A kept upload of account %r is too old or not signed by this site, and was not used.", page.actor)
        return None
    return Upload(found["name"], b64decode(found["content"]))


def forget(page: ConfigPage, token: str) -> None:
    """The sync is done by now, so a failure is only logged; the file expires by itself."""
    try:
        cache.delete(_key(page, token))
    except (RedisError, OSError) as error:
        _unavailable("deleted", error)


def _unavailable(done: str, error: Exception) -> StoreUnavailable:
    log.warning("An upload could not be %s in Redis: %s", done, error)
    return StoreUnavailable(str(error))


def _key(page: ConfigPage, token: str) -> str:
    """The key in Redis, and what the value is signed for."""
    return f"upload:{page.request.user.pk}:{token}"
