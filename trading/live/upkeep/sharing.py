"""Another program that writes the keys of the live store: the Go engine's layout of hashes.

That layout has the names of this one, and other values: they do not say when they were true, their fields are ids in
small letters, and each write lets the whole hash expire. A value that does not say how old it is is never shown, and
two programs that write one hash take turns in replacing each other's fields. So this is said, and nothing is read.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from traders.schema.messages import TranslatableText, _, joined
from trading.live import keys
from trading.live.keys import Key
from trading.live.redis import codec
from trading.live.redis.layouts import PRESENT
from trading.live.redis.reads import KEPT, KEPT_AT

if TYPE_CHECKING:
    from trading.live.upkeep.inspect import KeyStatus

# A name that the Go engine writes and this program does not, in the value or in its first part.
MARKS = {
    keys.POSITIONS: "updated_at_ms",
    keys.TRADES_RECENT: "closed_at_ms",
    keys.ANALYTICS: "updated_at_rfc3339",
    keys.SINCE_INCEPTION: "total_pnl_usd",
    keys.DECISION_LAST: "timestamp_ms",
}
# For so long after the last EXPIRE was taken off, a program counts as one that shares the database.
LATELY_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class SharedKey:
    """`values` counts the values of the Go engine; `expires_seconds` is the time until the whole key is gone, None:
    never."""

    name: str
    values: int
    expires_seconds: float | None

    def said(self) -> TranslatableText:
        if self.expires_seconds is None:
            return _("%(name)s has %(values)d of its values", name=self.name, values=self.values)
        left = f"{self.expires_seconds:.0f}"
        if not self.values:
            return _("%(name)s expires in %(left)s s", name=self.name, left=left)
        return _(
            "%(name)s has %(values)d of its values and expires in %(left)s s",
            name=self.name,
            values=self.values,
            left=left,
        )


@dataclass(frozen=True, slots=True)
class KeySharing:
    """`persisted` counts by key how often a write took another program's EXPIRE off it, `persisted_at_ms` is the last
    time of all."""

    keys: tuple[SharedKey, ...]
    persisted: dict[str, int]
    persisted_at_ms: int | None
    now_ms: int

    @property
    def is_shared(self) -> bool:
        return bool(self.keys) or self._was_lately

    @property
    def is_go_engine(self) -> bool:
        return any(key.values for key in self.keys)

    @property
    def persisted_total(self) -> int:
        return sum(self.persisted.values())

    @property
    def _was_lately(self) -> bool:
        return self.persisted_at_ms is not None and self.now_ms - self.persisted_at_ms < LATELY_MS

    def words(self) -> TranslatableText:
        """Says which program shares the database, what it does, and what to do; for a shared database."""
        did = joined(", ", [key.said() for key in self.keys]) if self.keys else self._said_of_persisted()
        own = _(
            "Give each program a Redis database of its own: another number at the end of REDIS_URL "
            "(redis://host:6379/1), or in the engine's configuration."
        )
        if not self.is_go_engine:
            return joined(" ", [_("Another program lets keys of the live store expire: %(did)s.", did=did), own])
        who = _("The Go engine with its layout of hashes writes into this Redis database: %(did)s.", did=did)
        shown = _("Its values do not say how old they are, so those of PostgreSQL are shown instead.")
        return joined(" ", [who, shown, own])

    def _said_of_persisted(self) -> TranslatableText:
        names = ", ".join(f"{name} {count:,}" for name, count in sorted(self.persisted.items()))
        return _("it was taken off them, the last time within an hour (%(names)s times)", names=names)

    def json(self) -> dict[str, Any]:
        return {
            "is_shared": self.is_shared,
            "is_go_engine": self.is_go_engine,
            "keys": [
                {"name": key.name, "values": key.values, "expires_seconds": key.expires_seconds} for key in self.keys
            ],
            "persisted": self.persisted,
            "persisted_at_ms": self.persisted_at_ms,
            "message": str(self.words()) if self.is_shared else None,
        }


def of(found: Iterable[KeyStatus], control: Mapping[str, str], mode: str) -> KeySharing:
    """`control` is the control hash. In a mode of the switch-over the old engine lets the assets expire, as it may."""
    at_ms, now_ms = control.get(KEPT_AT, ""), time.time_ns() // 1_000_000
    shared = [
        SharedKey(one.name, one.go_engine, one.expires_seconds)
        for one in found
        if one.go_engine or (one.expires_seconds is not None and (mode == PRESENT or not _is_asset(one.name)))
    ]
    return KeySharing(tuple(shared), persisted(control), int(at_ms) if at_ms.isdigit() else None, now_ms)


def persisted(control: Mapping[str, str]) -> dict[str, int]:
    """{key: how often a write took another program's EXPIRE off it}, as the control hash has it."""
    return {
        field.removeprefix(f"{KEPT}:"): int(count)
        for field, count in control.items()
        if field.startswith(f"{KEPT}:") and count.isdigit()
    }


def _is_asset(name: str) -> bool:
    return name.startswith(keys.MARKET_ASSET.named(""))


def is_of_go_engine(raw: bytes, key: Key) -> bool:
    """Whether bytes that are no value of the key are a value of the Go engine."""
    if key not in MARKS or codec.as_of(raw) is not None:
        return False
    try:
        value = msgspec.json.decode(raw)
    except codec.NO_VALUE:
        return False
    return any(isinstance(part, Mapping) and MARKS[key] in part for part in _parts(value))


def _parts(value: Any) -> Iterable[Any]:
    """The value, and the first of its parts."""
    yield value
    held = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    yield from list(held)[:1]
