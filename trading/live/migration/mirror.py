"""Copies the old layout into the new one, for engines that cannot be changed.

Looks at every old key a few times a second and writes what changed, with the moment at which the engine wrote it, so
that a value that the engine stopped writing grows stale here as well. Where the engine deletes the positions of a
trader (it holds nothing any more) instead of letting them expire, the mirror writes that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from trading.live.keys import CONVERSATIONS, POSITIONS
from trading.live.migration import legacy, legacy_store
from trading.live.migration.legacy import OldKey
from trading.live.migration.spelling import ExchangeSpelling
from trading.live.redis import board, hashes, lists, scan
from trading.live.redis.outage import Client
from trading.live.redis.reads import now_us
from trading.schema.live_store.answers import FreshValue, StaleValue
from trading.schema.live_store.values import US_PER_SECOND, Positions

# What is left of a time to live is known to the millisecond, and read some milliseconds later.
SAME_US = 100_000
# A key that vanished while it had at least so long to live was deleted.
EARLY_US = 1_500_000


@dataclass
class MirrorRound:
    """`lag_seconds`: the age of the oldest value that was copied in this round; None if none was copied."""

    copied: int = 0
    emptied: int = 0
    lag_seconds: float | None = None


@dataclass
class Mirror:
    client: Client
    only: Sequence[OldKey] = legacy.STRINGS
    _seen: dict[str, int] = field(default_factory=dict)
    _spelling: ExchangeSpelling = field(default_factory=ExchangeSpelling)
    _ends: dict[str, int] = field(default_factory=dict)

    def once(self) -> MirrorRound:
        """Copies all values that changed since the previous round; the first time, all values."""
        done = MirrorRound()
        self._spelling.refresh()
        for old in self.only:
            self._strings(old, done)
        if self.only is legacy.STRINGS:
            self._conversations(done)
            board.put(self.client, legacy_store.get_leader(self.client))
        return done

    def _strings(self, old: OldKey, done: MirrorRound) -> None:
        fields = legacy_store.fields(self.client, old.key)
        for batch in _batches(fields):
            answers = legacy_store.get(self.client, old.key, batch)
            changed: dict[str, Any] = {}
            for name, answer in answers.items():
                if isinstance(answer, FreshValue | StaleValue) and self._is_new(old.name(name), answer.value.as_of):
                    spelled = self._spelling.field(old, name)
                    # Two names of one symbol: the newer value stays.
                    if spelled not in changed or changed[spelled].as_of < answer.value.as_of:
                        changed[spelled] = self._spelling.value(old, name, answer.value)
                    self._note(done, answer.value.as_of)
                    self._ends[old.name(name)] = answer.value.as_of + old.seconds * US_PER_SECOND
            if changed:
                done.copied += len(changed) - len(hashes.put(self.client, old.key, old.key.name, changed))
        if old.key is POSITIONS:
            self._empty(old, set(fields), done)

    def _empty(self, old: OldKey, present: set[str], done: MirrorRound) -> None:
        now = now_us()
        for name, ends in list(self._ends.items()):
            trader_id = old.field(name)
            if not name.startswith(old.prefix) or trader_id in present:
                continue
            del self._ends[name]
            if ends - now > EARLY_US:
                done.emptied += not hashes.put(self.client, old.key, old.key.name, {trader_id: Positions(now)})

    def _conversations(self, done: MirrorRound) -> None:
        prefix = CONVERSATIONS.named("")
        traders = [name.removeprefix(prefix) for name in scan.names(self.client, prefix + "*")]
        for batch in _batches(traders):
            found = legacy_store.get_conversations(self.client, CONVERSATIONS, batch)
            changed = {
                trader_id: answer.value
                for trader_id, answer in found.items()
                if isinstance(answer, FreshValue | StaleValue)
                and self._is_new(prefix + trader_id, answer.value[0].as_of)
            }
            done.copied += lists.put(self.client, changed, aside=True)

    def _is_new(self, name: str, as_of: int) -> bool:
        is_new = abs(as_of - self._seen.get(name, 0)) > SAME_US
        if is_new:
            self._seen[name] = as_of
        return is_new

    def _note(self, done: MirrorRound, as_of: int) -> None:
        done.lag_seconds = max(done.lag_seconds or 0.0, (now_us() - as_of) / US_PER_SECOND)


def market_only(client: Client) -> Mirror:
    return Mirror(client, only=(legacy.PRICE, legacy.CONTEXT))


def _batches(names: Sequence[str]) -> Iterator[list[str]]:
    for start in range(0, len(names), hashes.BATCH):
        yield list(names[start : start + hashes.BATCH])
