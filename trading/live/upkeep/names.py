"""The names of the keys in Redis against the declared patterns. Reads only."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from trading.live.keys import CONTROL, KEYS, LEADERBOARD_AS_OF, Key
from trading.live.redis import mode, scan, scripts
from trading.live.redis.outage import Client, demand

PREFIX = "nof0:"
# Pages and sessions keep copies under it; they are not of the live store.
CACHE = "nof0:cache"
_BATCH = 500


@dataclass
class NamesSeen:
    """`patterns` counts the keys of each declared pattern, `strangers` are keys of our prefix and of none, and
    `mistyped` says which keys have another Redis type than declared."""

    mode: str
    patterns: Counter[str] = field(default_factory=Counter)
    strangers: list[str] = field(default_factory=list)
    mistyped: list[str] = field(default_factory=list)

    @property
    def keys(self) -> int:
        return sum(self.patterns.values())


def seen() -> NamesSeen:
    """Raises Unavailable."""
    return demand(_seen)


def key_of(name: str) -> Key | None:
    """The declared key whose pattern the name has. A part of a pattern has no colon, so that former names, which
    are longer, are strangers."""
    for key in KEYS:
        start = key.named("")
        if name == key.name or ("{" in key.name and name.startswith(start) and ":" not in name[len(start) :]):
            return key
    return None


def _seen(client: Client) -> NamesSeen:
    found = NamesSeen(str(mode.stored(client).mode))
    typed: list[tuple[str, Key]] = []
    for name in scan.names(client, f"{PREFIX}*"):
        key = key_of(name)
        if key is not None:
            found.patterns[key.name] += 1
            typed.append((name, key))
        elif name != CONTROL and not name.startswith(CACHE):
            found.strangers.append(name)
    if client.exists(LEADERBOARD_AS_OF):
        found.patterns[LEADERBOARD_AS_OF] += 1
    for start in range(0, len(typed), _BATCH):
        some = typed[start : start + _BATCH]
        kinds = scripts.together(client, [_type(name) for name, _key in some])
        found.mistyped += [
            f"{name} ({kind.decode()})"
            for (name, key), kind in zip(some, kinds, strict=True)
            if kind.decode() not in (key.kind, "none")
        ]
    return found


def _type(name: str) -> scripts.Command:
    return lambda pipe: pipe.type(name)
