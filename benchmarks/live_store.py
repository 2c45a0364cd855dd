"""The live store against the old layout of Redis, with the same values, in one run, on one server."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from django.test import override_settings
from django_redis import get_redis_connection

from benchmarks import live_values
from benchmarks.meter import percentile
from benchmarks.report import Table
from trading.live import keys
from trading.live.keys import CONVERSATIONS, LEADERBOARD, Key
from trading.live.migration import legacy
from trading.live.migration.legacy import OF_KEY
from trading.live.migration.modes import LayoutMode
from trading.live.redis import codec, hashes, scan, store
from trading.live.redis.mode import follower, switch
from trading.live.redis.writes import StoreWrites
from trading.live.upkeep import inspect
from trading.schema.live_store.limits import MOST_TRADES

SIZES = (100, 1_000)
# Of each trader of a fleet that has just begun.
YOUNG_TRADES = 3
READS, WRITES, CODINGS = 40, 1_500, 300
SMALL = (keys.ANALYTICS, keys.SINCE_INCEPTION, keys.DECISION_LAST, keys.POSITIONS)
Say = Callable[[str], None]
Timed = dict[str, list[float]]


def run(directory: Path, sizes: Sequence[int], say: Say) -> list[Table]:
    redis = get_redis_connection("default")
    say(f"live store, a young fleet of {SIZES[0]}")
    tables = [_memory(redis, SIZES[0], YOUNG_TRADES)]
    for traders in SIZES:
        say(f"live store, {traders:,} traders")
        tables += [_memory(redis, traders, MOST_TRADES), _reads(redis, traders), _writes(redis, traders)]
    tables.append(_coding())
    follower.forget()
    server = redis.info("server")
    name = "Valkey" if "valkey_version" in server else "Redis"
    version = server.get("valkey_version", server["redis_version"])
    tables[0] = Table(
        tables[0].title, tables[0].header, tables[0].rows, [f"Measured on {name} {version}.", *tables[0].notes]
    )
    return tables


def _filled(redis: Any, mode: LayoutMode, writes: StoreWrites) -> int:
    """The bytes by which the server's memory grew. One layout at a time."""
    redis.flushdb()
    switch(redis, mode, 0 if mode == LayoutMode.LEGACY else 100)
    before = _settled_memory(redis)
    store.write_all(writes)
    return _settled_memory(redis) - before


def _settled_memory(redis: Any) -> int:
    """The server frees what was flushed in a thread of its own, and shrinks the buffers of its clients later."""
    found = [0, 1]
    while found[-1] != found[-2]:
        time.sleep(1.5)
        found.append(int(redis.info("memory")["used_memory_dataset"]))
    return found[-1]


def _memory(redis: Any, traders: int, trades: int) -> Table:
    same, ours = (live_values.fleet(traders, as_written=as_written, trades=trades) for as_written in (False, True))
    old_total = _filled(redis, LayoutMode.LEGACY, same)
    old, old_keys = _old_bytes(redis), redis.dbsize() - 1
    with override_settings(LIVE_STORE_PLAIN=["all"]):
        hashes.plain_keys.cache_clear()
        plain_total = _filled(redis, LayoutMode.HASH, same)
        plain = _new_bytes(redis)
    hashes.plain_keys.cache_clear()
    new_total = _filled(redis, LayoutMode.HASH, same)
    new, new_keys = _new_bytes(redis), redis.dbsize() - 1
    ours_total = _filled(redis, LayoutMode.HASH, ours)
    rows = [_line(name, old[name], plain[name], new[name]) for name in old]
    rows.append(_line("all, as the server's memory grew", old_total, plain_total, new_total))
    rows.append(("all that this site writes", _kib(old_total), "", "", _kib(ours_total), _less(ours_total, old_total)))
    lists = len(same.conversations)
    return Table(
        f"Memory of {traders:,} traders with {trades:,} trades each in KiB, old layout against new",
        ("Key", "old", "new, plain", "less", "new, zstd", "less"),
        rows,
        (
            f"Keys: {old_keys:,} in the old layout, {new_keys:,} in the new one, of which {lists:,} are lists of "
            "conversations and one is the age of the leaderboard's scores. One to five positions and twenty "
            "conversations a trader. The last line is what this site writes: with the rows in PostgreSQL, wins, fees, "
            "equity and moments that the old layout does not have.",
        ),
    )


def _line(name: str, old: int, plain: int, new: int) -> tuple[str, ...]:
    return (name, _kib(old), _kib(plain), _less(plain, old), _kib(new), _less(new, old))


def _old_bytes(redis: Any) -> dict[str, int]:
    found = {old.key.name: _usage(redis, old.prefix + "*") for old in legacy.STRINGS}
    found[keys.PRICE.name] += _usage(redis, legacy.PRICES_OF_ALL)
    found[CONVERSATIONS.name] = _usage(redis, legacy.CONVERSATIONS_PREFIX + "*")
    found[LEADERBOARD.name] = _usage(redis, legacy.LEADER)
    return found


def _usage(redis: Any, pattern: str) -> int:
    return sum(redis.memory_usage(name, samples=0) for name in scan.names(redis, pattern))


def _new_bytes(redis: Any) -> dict[str, int]:
    return {status.name: status.bytes for status in inspect.statuses(redis)}


def _reads(redis: Any, traders: int) -> Table:
    writes = live_values.fleet(traders, as_written=False)
    redis.flushdb()
    switch(redis, LayoutMode.DUAL, 100)
    store.write_all(writes)
    names = list(writes.values[keys.ANALYTICS, ""])
    old_names = [legacy.ANALYTICS.name(name) for name in names]
    ways: dict[str, Callable[[], Any]] = {
        "old: GET per key": lambda: [redis.get(name) for name in old_names],
        "old: one MGET": lambda: redis.mget(old_names),
        "new: the whole hash": lambda: hashes.get_all(redis, keys.ANALYTICS.name),
        "old: GET per key, decoded": lambda: [json.loads(redis.get(name)) for name in old_names],
        "old: one MGET, decoded": lambda: [json.loads(raw) for raw in redis.mget(old_names)],
        "new: read_all, checked and aged": lambda: store.read_all(keys.ANALYTICS),
    }
    for way in ways.values():
        assert len(way()) == traders
    timed = _interleaved(ways, READS)
    rows = []
    for group in (list(ways)[:3], list(ways)[3:]):
        single, many, new = (statistics.median(timed[name]) for name in group)
        for name in group:
            mine = statistics.median(timed[name])
            rows.append(
                (name, _ms(mine), _ms(percentile(timed[name], 0.95)), f"{many / mine:.2f} x", f"{single / mine:.1f} x")
            )
        assert new
    return Table(
        f"Read the analytics of {traders:,} traders, ms",
        ("Way", "p50", "p95", "against MGET", "against GETs"),
        rows,
        (
            f"{READS} rounds, the ways taking turns. Decoded: json.loads gives unchecked dicts with floats; read_all "
            "gives typed values with exact Decimals, each with its age, and counts them.",
        ),
    )


def _writes(redis: Any, traders: int) -> Table:
    writes = live_values.fleet(traders, as_written=False)
    redis.flushdb()
    switch(redis, LayoutMode.HASH, 100)
    store.write_all(writes)
    rows = []
    for key in (*SMALL, keys.TRADES_RECENT):
        old = OF_KEY[key.name]
        [(name, value), *_] = writes.values[key, ""].items()
        as_dict = json.loads(old.text(name, value))
        encoded = hashes.encoded(key, value)
        text = json.dumps(as_dict).encode()
        ways: dict[str, Callable[[], Any]] = {
            "old": _setter(redis, old.name(name), as_dict, old.seconds),
            "new": _writer(key, name, value),
            "old sent": partial(redis.set, old.name(name), text, ex=old.seconds),
            "new sent": partial(redis.hset, key.name, name, encoded),
        }
        timed = _interleaved(ways, WRITES if key in SMALL else WRITES // 5)
        p50, p95 = ({way: percentile(found, share) for way, found in timed.items()} for share in (0.5, 0.95))
        sizes = (f"{len(text):,}", f"{len(encoded):,}")
        sent = f"{p50['new sent'] / p50['old sent']:.2f}"
        rows.append((key.name, *sizes, *_ratio(p50), *_ratio(p95), sent))
    return Table(
        f"Write one of {traders:,} traders, us",
        ("Key", "bytes old", "new", "p50 old", "new", "ratio", "p95 old", "new", "ratio", "HSET/SET alone"),
        rows,
        (
            f"{WRITES:,} writes of each (a fifth of it for the trades), old and new taking turns. Old: json.dumps and "
            f"SET with a time to live. New: encoded, compressed from {keys.SMALL_BYTES} bytes on, compared with the "
            "age of what stands there and set, in one script. The last column sends bytes that are encoded already, "
            "without the comparison.",
        ),
    )


def _ratio(at: dict[str, float]) -> tuple[str, str, str]:
    return _us(at["old"]), _us(at["new"]), f"{at['new'] / at['old']:.2f}"


def _setter(redis: Any, name: str, value: Any, seconds: int) -> Callable[[], Any]:
    return lambda: redis.set(name, json.dumps(value), ex=seconds)


def _writer(key: Key, name: str, value: Any) -> Callable[[], Any]:
    return lambda: store.write(key, {name: value})


def _coding() -> Table:
    writes = live_values.fleet(20, as_written=False)
    rows = []
    for key in (*SMALL, keys.TRADES_RECENT, keys.MARKET_CTX):
        old = OF_KEY[key.name]
        [(name, value), *_] = writes.values[key, ""].items()
        text, plain, packed = old.text(name, value), codec.encode(value, None), codec.encode(value, 1)
        as_dict = json.loads(text)
        ways: dict[str, Callable[[], Any]] = {
            "json.dumps": partial(json.dumps, as_dict),
            "plain": partial(codec.encode, value, None),
            "zstd": partial(codec.encode, value, 1),
            "json.loads": partial(json.loads, text),
            "from plain": partial(codec.decode, plain, key),
            "from zstd": partial(codec.decode, packed, key),
        }
        timed = _interleaved(ways, CODINGS)
        sizes = (f"{len(text):,}", f"{len(plain):,}", f"{len(packed):,}")
        rows.append((key.name, *sizes, *(_us(statistics.median(timed[way])) for way in ways)))
    return Table(
        "Encode and decode one value, us",
        ("Key", "bytes old", "plain", "zstd", "json.dumps", "plain", "zstd", "json.loads", "from plain", "from zstd"),
        rows,
        (f"Medians of {CODINGS}. The new values are checked and exact; json reads floats.",),
    )


def _interleaved(ways: dict[str, Callable[[], Any]], rounds: int) -> Timed:
    timed: Timed = {name: [] for name in ways}
    for warming in (True, False):
        for _ in range(rounds // 10 + 1 if warming else rounds):
            for name, way in ways.items():
                started = time.perf_counter()
                way()
                if not warming:
                    timed[name].append(time.perf_counter() - started)
    return timed


def _less(new: int, old: int) -> str:
    return f"{100 * (1 - new / old):.1f} %"


def _kib(size: int) -> str:
    return f"{size / 1024:,.1f}"


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:.2f}"


def _us(seconds: float) -> str:
    return f"{seconds * 1e6:.0f}"
