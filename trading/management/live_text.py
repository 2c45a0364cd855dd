"""The state of the live store as text for a terminal."""

from __future__ import annotations

import time
from collections.abc import Iterator

from traders.management.table import table
from trading.live.upkeep.inspect import KeyStatus
from trading.live.upkeep.status import StoreStatus
from trading.schema.live_store.verdicts import Verdict

_HEADER = ("key", "type", "keys", "fields", "bytes", "encoding", "oldest", "stale", "foreign")


def status_lines(status: StoreStatus) -> Iterator[str]:
    yield f"mode: {status.mode}; followed by {len(status.followers)} processes"
    yield from table([_HEADER, *map(_row, status.keys)])
    total = sum(key.bytes for key in status.keys)
    yield f"{sum(key.keys for key in status.keys)} keys, {total:,} bytes"
    if status.old.keys:
        yield f"old layout: {status.old.keys} keys, {status.old.bytes:,} bytes"
    if status.sharing.is_shared:
        yield f"shared: {status.sharing.words()}"
    if status.sharing.persisted:
        times = ", ".join(f"{name} {count:,} times" for name, count in sorted(status.sharing.persisted.items()))
        yield f"an EXPIRE of another program was taken off {times}"
    if status.fresh_pct is not None:
        yield f"{status.fresh_pct:.2f} % of all reads found a fresh value"
    for name, counts in sorted(status.reads.items()):
        yield f"reads of {name}: {', '.join(f'{count:,} {how}' for how, count in sorted(counts.items()))}"
    yield verdict_line(status.verified)


def verdict_line(verdict: Verdict | None) -> str:
    if verdict is None:
        return "verify: not run yet"
    minutes = (time.time() - verdict.at_ms / 1000) / 60
    result = "equal" if verdict.passed else f"{verdict.count} differences"
    return f"verify: {verdict.checked:,} values compared {minutes:.0f} minutes ago, {result}"


def _row(key: KeyStatus) -> tuple[str, ...]:
    oldest = "" if key.oldest_seconds is None else f"{key.oldest_seconds:,.0f} s"
    numbers = (f"{key.keys:,}", f"{key.fields:,}", f"{key.bytes:,}")
    return (key.name, key.kind, *numbers, key.encoding, oldest, str(key.stale), str(key.foreign))
