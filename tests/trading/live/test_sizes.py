from __future__ import annotations

from typing import Any

import pytest
from django_redis import get_redis_connection
from pytest_django.fixtures import Settings as SettingsWrapper

from benchmarks import live_values
from trading.live.migration.modes import LayoutMode
from trading.live.redis import hashes, store
from trading.live.redis.layouts import former
from trading.live.redis.mode import switch
from trading.live.upkeep import sizes
from trading.schema.live_store.limits import MOST_TRADES


@pytest.mark.parametrize(("trades", "less_pct", "of_redis_pct"), [(3, 25, 15), (MOST_TRADES, 75, 70)])
def test_fleets_take_less_memory_than_the_texts_and_names_of_the_old_layout(
    trades: int, less_pct: int, of_redis_pct: int
) -> None:
    """Redis spends more than Valkey on each value of a hash."""
    assert store.write_all(live_values.fleet(40, as_written=True, trades=trades))

    found = sizes.compared()

    assert found.less_pct is not None
    is_valkey = "valkey_version" in get_redis_connection("default").info("server")
    assert found.less_pct > (less_pct if is_valkey else of_redis_pct)


def test_the_size_of_the_old_layout_is_not_overstated() -> None:
    writes = live_values.fleet(10, as_written=False, trades=3)
    redis = get_redis_connection("default")
    switch(redis, LayoutMode.LEGACY, 0)
    assert store.write_all(writes)
    [old] = former()

    assert old.needed(writes).bytes <= old.footprint(redis).bytes


def test_a_plain_store_has_the_names_of_each_conversation(settings: SettingsWrapper) -> None:
    settings.LIVE_STORE_PLAIN = ["all"]
    hashes.plain_keys.cache_clear()
    try:
        assert store.write_all(live_values.fleet(1, as_written=True, trades=1))
    finally:
        hashes.plain_keys.cache_clear()

    items: list[Any] = get_redis_connection("default").lrange("nof0:conversations:trader_00000_momentum", 0, -1)
    assert all(item.startswith(b'{"as_of":') for item in items)
