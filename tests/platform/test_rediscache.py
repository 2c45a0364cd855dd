from __future__ import annotations

from django.core.cache import cache
from django_redis import get_redis_connection


def test_clearing_the_cache_leaves_live_data_alone() -> None:
    live = get_redis_connection("default")
    live.hset("nof0:price:latest", "BTC", "1")
    cache.set("page", "html")

    cache.clear()

    assert cache.get("page") is None
    assert live.hget("nof0:price:latest", "BTC") == b"1"
