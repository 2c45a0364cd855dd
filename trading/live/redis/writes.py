"""Values that are written together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from trading.live.keys import Key
from trading.schema.live_store.values import Conversation, Leader, Value


@dataclass
class StoreWrites:
    """Values for one round trip: {(key, part): {trader or symbol: value}}, and the values that are no hash.

    `gone` and `silent` are traders that had no such value, and no conversation, at `as_of` (microseconds): stored ones
    are removed where they are not newer.
    """

    values: dict[tuple[Key, str], dict[str, Value]] = field(default_factory=dict)
    leaders: dict[str, Leader] = field(default_factory=dict)
    conversations: dict[str, Sequence[Conversation]] = field(default_factory=dict)
    as_of: int = 0
    gone: dict[Key, Sequence[str]] = field(default_factory=dict)
    silent: Sequence[str] = ()

    def add(self, key: Key, values: Mapping[str, Value], part: str = "") -> None:
        self.values.setdefault((key, part), {}).update(values)
