"""What Redis does not have fresh comes from PostgreSQL, and says so."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from django_redis import get_redis_connection
from pytest_django import DjangoCaptureOnCommitCallbacks
from pytest_django.fixtures import Settings as SettingsWrapper

from tests.live_factories import ago, make_positions, make_price
from tests.trading.live import big_fleet
from tests.trading.live.servers import own_server
from trading.export.cycle import Exporter
from trading.export.directory import manifest
from trading.export.directory.manifest import Manifest, ManifestEntry
from trading.export.directory.runs import ExportDirectory
from trading.export.parts.options import Options
from trading.live import keys
from trading.live import services as live
from trading.live.page import fresh as live_reads
from trading.live.page.fresh import ValueSource
from trading.live.redis import store

pytestmark = pytest.mark.django_db


def test_what_is_fresh_is_read_from_redis_alone() -> None:
    names = big_fleet.fill(2)
    live.rebuild_all()

    seen = live_reads.of_traders(keys.POSITIONS, names)

    assert {name: one.source for name, one in seen.items()} == dict.fromkeys(names, ValueSource.REDIS)


def test_missing_stale_and_spoilt_values_are_read_from_postgresql() -> None:
    names = big_fleet.fill(4)
    live.rebuild_all()
    redis = get_redis_connection("default")
    redis.hdel(keys.POSITIONS.name, names[0], names[1], names[2])
    store.write(keys.POSITIONS, {names[1]: make_positions("ETH", as_of=ago(4000))})
    redis.hset(keys.POSITIONS.name, names[2], "*")

    seen = live_reads.of_traders(keys.POSITIONS, names)

    assert [seen[name].source for name in names] == [*[ValueSource.POSTGRESQL] * 3, ValueSource.REDIS]
    assert [list(seen[name].value.positions) for name in names] == [["BTC"]] * 4


def test_without_redis_everything_is_read_from_postgresql() -> None:
    names = big_fleet.fill(2)
    live.rebuild_all()
    board = [name for name, _ in live_reads.leaderboard()]
    with own_server() as server:
        server.kill()

        conversations = live_reads.of_traders(keys.CONVERSATIONS, names)
        without = live_reads.leaderboard()

        assert {one.source for one in conversations.values()} == {ValueSource.POSTGRESQL}
        assert [name for name, _ in without] == board


def test_without_redis_prices_are_those_of_the_last_export_and_stale(tmp_path: Path, settings: SettingsWrapper) -> None:
    settings.EXPORT_DIR = tmp_path
    big_fleet.fill(1)
    live.quoted({"BTC": make_price("111317.50", as_of=ago(5)), "ETH": make_price("3900.25", as_of=ago(300))})
    Exporter(Options(tmp_path)).cycle()
    with own_server() as server:
        server.kill()

        seen = live_reads.markets(keys.PRICE)

        assert {symbol: seen[symbol].value.price for symbol in ("BTC", "ETH")} == {
            "BTC": Decimal("111317.50"),
            "ETH": Decimal("3900.25"),
        }
        assert {(one.source, one.is_stale) for one in seen.values()} == {(ValueSource.EXPORT, True)}
        assert 5 <= seen["BTC"].age_seconds < 30
        assert 300 <= seen["ETH"].age_seconds < 330
        assert live_reads.markets(keys.MARKET_CTX) == {}


@pytest.mark.parametrize("content", [b"{", b'{"prices":{"BTC":{"price":"x"}}}', None])
def test_without_redis_and_a_readable_export_there_are_no_prices(
    tmp_path: Path, settings: SettingsWrapper, content: bytes | None
) -> None:
    settings.EXPORT_DIR = tmp_path
    if content is not None:
        run = ExportDirectory(tmp_path).begin(1000)
        entry = run.put(ManifestEntry(name="crypto-prices", source=manifest.DocumentSource.LIVE, as_of=1000), content)
        ExportDirectory(tmp_path).publish(run, Manifest(1000, 1, [entry]))
    with own_server() as server:
        server.kill()

        assert live_reads.markets(keys.PRICE) == {}


def test_a_stale_price_is_marked() -> None:
    live.quoted({"BTC": make_price(as_of=ago(45)), "ETH": make_price()})

    seen = live_reads.markets(keys.PRICE)

    assert {symbol: one.is_stale for symbol, one in seen.items()} == {"BTC": True, "ETH": False}


def test_bulk_work_fills_the_store_anew_after_its_commit(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    names = big_fleet.fill(2)
    with django_capture_on_commit_callbacks(execute=True):
        live.fleet_changed()
        assert store.read_all(keys.POSITIONS) == {}

    assert sorted(store.read_all(keys.POSITIONS) or {}) == names
