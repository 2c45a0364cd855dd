"""Which values readers find fresh in Redis at this moment. Reads only, and counts no read."""

from __future__ import annotations

from dataclasses import dataclass, field

from trading.live import queries as projection
from trading.live.keys import CONVERSATIONS, DECISION_LAST, LEADERBOARD, TRADER_HASHES
from trading.live.redis import board, codec, hashes, lists, reads
from trading.live.redis.outage import Client, demand
from trading.schema.live_store.values import US_PER_SECOND


@dataclass
class StoreCoverage:
    """`wanted` values come from PostgreSQL, `fresh` of them are in Redis and within their allowed age."""

    wanted: int = 0
    fresh: int = 0
    missing: list[str] = field(default_factory=list)

    @property
    def pct(self) -> float:
        return 100 * self.fresh / self.wanted if self.wanted else 100.0

    def add(self, name: str, as_of: int | None, allowed_age: int) -> None:
        self.wanted += 1
        if as_of is not None and (reads.now_us() - as_of) / US_PER_SECOND <= allowed_age:
            self.fresh += 1
        else:
            self.missing.append(name)


def coverage() -> StoreCoverage:
    """Of every trader. Raises Unavailable."""
    traders = list(projection.fleet())
    decided = projection.deciding()
    return demand(lambda client: _coverage(client, traders, decided))


def _coverage(client: Client, traders: list[str], decided: frozenset[str]) -> StoreCoverage:
    found = StoreCoverage()
    for key in TRADER_HASHES:
        raw = hashes.get(client, key.name, traders)
        for name in traders:
            if key is not DECISION_LAST or name in decided:
                found.add(f"{key.name} {name}", codec.as_of(raw.get(name, b"")), key.allowed_age)
    for name, leader in board.get_all(client).items():
        found.add(f"{LEADERBOARD.name} {name}", leader.as_of, LEADERBOARD.allowed_age)
    for name, items in lists.get(client, traders).items():
        found.add(CONVERSATIONS.named(name), codec.as_of(items[0]), CONVERSATIONS.allowed_age)
    return found
