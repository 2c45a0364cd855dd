"""Copies the new layout into the old one, for the way back.

Each value gets the rest of its old time to live, so that its age stays known; values that would have expired are left
out. Writers write both layouts meanwhile, the new one first: values that change during the copy are copied again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from trading.live.keys import CONVERSATIONS
from trading.live.migration import legacy, legacy_store
from trading.live.migration.legacy import OldKey
from trading.live.redis import codec, hashes, lists, reads, scripts
from trading.live.redis.outage import Client
from trading.live.redis.reads import counts
from trading.schema.live_store.values import US_PER_MS

Read = Callable[[Sequence[str]], Mapping[str, Any]]
Write = Callable[[Mapping[str, Any]], None]


def fill_old(client: Client) -> int:
    """Copies the values and returns their number."""
    count = 0
    for old in legacy.STRINGS:
        fields = list(hashes.get_all(client, old.key.name))
        count += _copy(fields, _reader(client, old), _writer(client, old))
    traders = sorted(legacy_store.trader_ids(client))
    return count + _copy(traders, lambda some: lists.get(client, some), lambda found: _write_lists(client, found))


def _copy(fields: Sequence[str], read: Read, write: Write) -> int:
    for start in range(0, len(fields), hashes.BATCH):
        pending = list(fields[start : start + hashes.BATCH])
        while pending:
            before = read(pending)
            write(before)
            after = read(pending)
            pending = [name for name in pending if after.get(name) != before.get(name)]
    return len(fields)


def _reader(client: Client, old: OldKey) -> Read:
    return lambda some: hashes.get(client, old.key.name, some)


def _writer(client: Client, old: OldKey) -> Write:
    def write(found: Mapping[str, bytes]) -> None:
        now = reads.now_us()
        scripts.together(client, [_put(old, name, raw, now) for name, raw in found.items()])

    return write


def _put(old: OldKey, field: str, raw: bytes, now: int) -> scripts.Command:
    name = old.name(field)
    try:
        value = codec.decode(raw, old.key)
    except codec.NotAValue as error:
        counts.report(old.key, field, str(error))
        return lambda pipe: pipe.unlink(name)
    left_ms = old.seconds * 1000 - (now - value.as_of) // US_PER_MS
    if left_ms <= 0 or (old is legacy.POSITIONS and not value.positions):
        return lambda pipe: pipe.unlink(name)
    text = old.text(field, value)
    return lambda pipe: pipe.set(name, text, px=min(left_ms, old.seconds * 1000))


def _write_lists(client: Client, found: Mapping[str, list[bytes]]) -> None:
    decoded = {}
    for trader_id, items in found.items():
        answer = reads.list_answer(CONVERSATIONS, trader_id, items, reads.now_us())
        if hasattr(answer, "value"):
            decoded[trader_id] = answer.value
    legacy_store.put_conversations(client, decoded)
