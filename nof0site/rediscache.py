"""The CACHES entry, for an external Redis and for the embedded Valkey."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from django.core.exceptions import ImproperlyConfigured
from django_redis.client import DefaultClient
from django_redis.serializers.json import JSONSerializer
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.retry import Retry

from nof0site.embedded.paths import DataPaths

SCHEMES = ("redis", "rediss", "unix")
# How long a page or a trader may wait for Redis. The library's own defaults wait and retry for many seconds.
CONNECT_SECONDS = 1.0
ANSWER_SECONDS = 2.0


class JsonValues(JSONSerializer):
    """Values of the cache are JSON. django-redis' default format runs code when a value is read, and engines may write
    to Redis too.
    """

    def loads(self, value: bytes) -> Any:
        """None, as for a missing key, if the value is damaged or not JSON."""
        try:
            return super().loads(value)
        except (ValueError, RecursionError):
            return None


class PrefixClient(DefaultClient):
    """A cache that clears its own keys only: the stock client flushes the whole database, live data included."""

    def clear(self, client: Any = None) -> None:
        self.delete_pattern("*", client=client)


def external_redis(url: str) -> dict[str, Any]:
    if urlsplit(url).scheme not in SCHEMES:
        raise ImproperlyConfigured(
            "REDIS_URL should look like redis://host:6379/0, rediss://user:password@host:6379/0 for TLS, "
            "or unix:///path/to/redis.sock?db=0."
        )
    return _cache(url, {})


def embedded_redis(data_dir: Path) -> dict[str, Any]:
    from nof0site.embedded.redis_connection import connection_options

    return _cache(f"unix://{quote(str(DataPaths(data_dir).valkey_socket))}?db=0", connection_options())


def _cache(url: str, pool_options: dict[str, Any]) -> dict[str, Any]:
    return {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": url,
        "KEY_PREFIX": "nof0:cache",
        "OPTIONS": {
            "CLIENT_CLASS": "nof0site.rediscache.PrefixClient",
            "SERIALIZER": "nof0site.rediscache.JsonValues",
            "CONNECTION_POOL_KWARGS": _patience() | pool_options,
        },
    }


def _patience() -> dict[str, Any]:
    """One more try for a connection that was closed meanwhile; none for a server that does not answer in time."""
    return {
        "socket_connect_timeout": CONNECT_SECONDS,
        "socket_timeout": ANSWER_SECONDS,
        "retry": Retry(ExponentialBackoff(cap=0.1, base=0.01), 1, (RedisConnectionError,)),
        "retry_on_error": [RedisConnectionError],
    }
