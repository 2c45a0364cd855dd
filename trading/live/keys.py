"""The ten keys of the live store, and the one hash that steers it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from trading.schema.live_store import values as live

MINUTE, HOUR, DAY = 60, 3600, 86_400
# A dictionary saves something from here on; prices and market data, which engines read too, are left plain while small.
SMALL_BYTES, LARGE_BYTES = 64, 1024


class RedisType(StrEnum):
    HASH = "hash"
    ZSET = "zset"
    LIST = "list"
    STRING = "string"


@dataclass(frozen=True, slots=True)
class Key:
    """Up to the age `allowed_age` (seconds) a value is fresh; after `dead_after` the sweep removes it. `compress_from`
    is the encoded size in bytes from which a value is compressed; None: always plain. `from_postgres`: the database
    determines it, so `rebuild` restores it and `verify` proves it."""

    name: str
    kind: RedisType
    field: str
    value: type[live.Value]
    writer: str
    allowed_age: int
    dead_after: int
    from_postgres: bool
    compress_from: int | None = SMALL_BYTES

    def named(self, part: str) -> str:
        """The name of one key of a pattern such as `nof0:market:asset:{provider}`."""
        return self.name[: self.name.index("{")] + part if "{" in self.name else self.name


def beside(name: str, what: str) -> str:
    """A further key in the same slot of a cluster: the braces make Redis hash the name between them."""
    return f"{{{name}}}:{what}"


PRICE = Key(
    name="nof0:price:latest",
    kind=RedisType.HASH,
    field="`{symbol}` and `{provider}:{symbol}`",
    value=live.Price,
    writer="price feed",
    allowed_age=30,
    dead_after=DAY,
    from_postgres=False,
    compress_from=LARGE_BYTES,
)
MARKET_ASSET = Key(
    name="nof0:market:asset:{provider}",
    kind=RedisType.HASH,
    field="`{symbol}`",
    value=live.MarketAsset,
    writer="price feed",
    allowed_age=15 * MINUTE,
    dead_after=DAY,
    from_postgres=False,
    compress_from=None,
)
MARKET_CTX = Key(
    name="nof0:market:ctx",
    kind=RedisType.HASH,
    field="`{provider}:{symbol}`",
    value=live.MarketContext,
    writer="price feed",
    allowed_age=2 * MINUTE,
    dead_after=DAY,
    from_postgres=False,
    compress_from=LARGE_BYTES,
)
POSITIONS = Key(
    name="nof0:trader:positions",
    kind=RedisType.HASH,
    field="trader id",
    value=live.Positions,
    writer="open, update and close of a position",
    allowed_age=15 * MINUTE,
    dead_after=7 * DAY,
    from_postgres=True,
)
TRADES_RECENT = Key(
    name="nof0:trader:trades_recent",
    kind=RedisType.HASH,
    field="trader id",
    value=live.RecentTrades,
    writer="every recorded trade",
    allowed_age=15 * MINUTE,
    dead_after=7 * DAY,
    from_postgres=True,
)
ANALYTICS = Key(
    name="nof0:trader:analytics",
    kind=RedisType.HASH,
    field="trader id",
    value=live.Analytics,
    writer="every trade and equity",
    allowed_age=15 * MINUTE,
    dead_after=7 * DAY,
    from_postgres=True,
)
SINCE_INCEPTION = Key(
    name="nof0:trader:since_inception",
    kind=RedisType.HASH,
    field="trader id",
    value=live.SinceInception,
    writer="every trade, decision and equity",
    allowed_age=15 * MINUTE,
    dead_after=7 * DAY,
    from_postgres=True,
)
DECISION_LAST = Key(
    name="nof0:trader:decision_last",
    kind=RedisType.HASH,
    field="trader id",
    value=live.DecisionLast,
    writer="every recorded decision",
    allowed_age=15 * MINUTE,
    dead_after=7 * DAY,
    from_postgres=True,
)
LEADERBOARD = Key(
    name="nof0:leaderboard",
    kind=RedisType.ZSET,
    field="trader id, scored by return since inception in %",
    value=live.Leader,
    writer="every trade and equity",
    allowed_age=15 * MINUTE,
    dead_after=7 * DAY,
    from_postgres=True,
    compress_from=None,
)
CONVERSATIONS = Key(
    name="nof0:conversations:{trader_id}",
    kind=RedisType.LIST,
    field="newest first",
    value=live.Conversation,
    writer="every recorded decision",
    allowed_age=15 * MINUTE,
    dead_after=7 * DAY,
    from_postgres=True,
)

KEYS = (
    *(PRICE, MARKET_ASSET, MARKET_CTX, POSITIONS, TRADES_RECENT, ANALYTICS, SINCE_INCEPTION, DECISION_LAST),
    *(LEADERBOARD, CONVERSATIONS),
)
TRADER_HASHES = (POSITIONS, TRADES_RECENT, ANALYTICS, SINCE_INCEPTION, DECISION_LAST)

# Mode, acknowledgements, last verify and counters: fields of one hash, so that all of it is one slot and one poll.
CONTROL = "nof0:live"
# A ZSet holds scores only; when each was true stands in a hash beside it.
LEADERBOARD_AS_OF = beside(LEADERBOARD.name, "as_of")
