"""The live store follows the database: every writer of the trading record reports to this module.

Nothing is written to Redis before the commit, and nothing here fails because Redis is away: what is missed is caught
up with when it is back.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import partial

from django.db import transaction
from msgspec import structs

from trading.analytics.inception import leader
from trading.live import healing, keys, rebuild
from trading.live import queries as projection
from trading.live.keys import MARKET_ASSET, MARKET_CTX, PRICE
from trading.live.queries import Projection
from trading.live.redis import store
from trading.live.redis.mode import follower
from trading.live.redis.outage import outage
from trading.live.redis.writes import Writes
from trading.schema.live_store.values import US_PER_MS, MarketAsset, MarketContext, Price

TRADERS_AT_ONCE = 250


def changed(*trader_ids: str) -> None:
    """After the commit of what was recorded of these traders (trade, position, decision, equity), the store shows it.

    Outside a transaction: now. Errors of this are logged, not raised: the record itself is safe.
    """
    transaction.on_commit(partial(_follow, trader_ids), robust=True)


def fleet_changed() -> None:
    """As `changed`, after a bulk change of the record: the store is filled again."""
    transaction.on_commit(_rebuild, robust=True)


def catch_up(trader_ids: Collection[str]) -> bool:
    """Writes what the database says of these traders. False when Redis is away or refuses."""
    return store.write_all(writes_of(projection.project(trader_ids)))


def quoted(prices: Mapping[str, Price]) -> frozenset[str] | None:
    """The price feed's last prices, by `{symbol}` or `{provider}:{symbol}`. Returns the fields that were dropped, since
    a newer price stands there. None: Redis is away, and nothing was written."""
    return store.put(PRICE, prices)


def market_seen(contexts: Mapping[str, MarketContext]) -> bool:
    """By `{provider}:{symbol}`."""
    return store.write(MARKET_CTX, contexts)


def assets_listed(provider: str, assets: Mapping[str, MarketAsset]) -> bool:
    """By symbol. `updated_at` is filled in for readers of the old layout."""
    dated = {
        symbol: structs.replace(asset, updated_at=asset.updated_at or asset.as_of // US_PER_MS)
        for symbol, asset in assets.items()
    }
    return store.write(MARKET_ASSET, dated, part=provider)


def rebuild_all() -> int | None:
    """Everything that the database determines; how many traders. None when Redis is away or refuses."""
    parts = projections()
    first = next(parts)

    def work(client: object) -> int:
        with follower.in_use() as state:
            builder = rebuild.Builder(client, state, first.as_of)
            builder.add(writes_of(first), first.traders)
            count = len(first.traders)
            for part in parts:
                builder.add(writes_of(part), part.traders)
                count += len(part.traders)
            builder.take_over()
        return count

    return outage.attempt(work, None, what="write")


def _follow(trader_ids: Collection[str]) -> None:
    if catch_up(trader_ids):
        healing.heal_aside(rebuild_all)


def _rebuild() -> None:
    rebuild_all()


def heal() -> bool:
    """Fills the store again if needed; for loops that run anyway. True if it did."""
    return healing.heal(rebuild_all)


def projections() -> Iterator[Projection]:
    """The whole fleet in batches of traders; at least one batch, which may be empty."""
    fleet = list(projection.fleet())
    for start in range(0, max(1, len(fleet)), TRADERS_AT_ONCE):
        yield projection.project(fleet[start : start + TRADERS_AT_ONCE])


def writes_of(found: Projection) -> Writes:
    writes = Writes(
        conversations=dict(found.conversations),
        as_of=found.as_of,
        gone={keys.DECISION_LAST: [name for name in found.traders if name not in found.decisions]},
        silent=[name for name in found.traders if name not in found.conversations],
    )
    writes.add(keys.POSITIONS, found.positions)
    writes.add(keys.TRADES_RECENT, found.trades)
    writes.add(keys.ANALYTICS, found.analytics)
    writes.add(keys.SINCE_INCEPTION, found.inception)
    writes.add(keys.DECISION_LAST, found.decisions)
    writes.leaders = {
        trader_id: leader(found.analytics[trader_id], found.inception[trader_id], retired=is_retired)
        for trader_id, is_retired in found.retired.items()
    }
    return writes
