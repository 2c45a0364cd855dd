from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache, caches
from django_redis import get_redis_connection

from tests.platform.processes import CHECKOUT

PRODUCT = ("nof0site", "traders", "trading", "migrations", "scripts")


def test_clearing_the_cache_leaves_live_data_alone() -> None:
    live = get_redis_connection("default")
    live.hset("nof0:price:latest", "BTC", "1")
    cache.set("page", "html")

    cache.clear()

    assert cache.get("page") is None
    assert live.hget("nof0:price:latest", "BTC") == b"1"


@pytest.mark.parametrize("alias", settings.CACHES)
def test_values_are_json_and_what_is_not_counts_as_missing(alias: str) -> None:
    values = {"name": "ünïcode", "rows": [1, 2.5, None, True]}
    caches[alias].set("page", values)
    redis: Any = get_redis_connection(alias)
    (key,) = redis.keys("*page")
    assert json.loads(redis.get(key)) == values
    assert caches[alias].get("page") == values

    redis.set(key, b"\x80\x04N.")
    assert caches[alias].get("page") is None


def test_no_part_of_the_product_reads_a_format_that_can_run_code() -> None:
    forbidden = re.compile(r"c?pickle|\bmarshal\b|\bshelve\b|\bdill\b|\bjoblib\b|yaml\.(unsafe_|full_)?load\(", re.I)
    product = [CHECKOUT / "manage.py", *(f for d in PRODUCT for f in (CHECKOUT / d).rglob("*.py"))]
    assert len(product) > 100
    assert [str(file) for file in product if forbidden.search(file.read_text(encoding="utf-8"))] == []


def test_sessions_are_json_in_postgresql() -> None:
    assert settings.SESSION_ENGINE == "traders.session_models"
    assert settings.SESSION_SERIALIZER == "django.contrib.sessions.serializers.JSONSerializer"
