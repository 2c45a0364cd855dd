"""The live store follows the database: every writer of the trading record reports to this module.

Nothing is written to Redis before the commit, and nothing here fails because Redis is away: missed writes are repeated
when it is back.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import partial

from django.db import InterfaceError, OperationalError, transaction

from trading.analytics.inception import leader
from trading.live import healing, keys, rebuild
from trading.live import queries as projection
from trading.live.keys import PRICE
from trading.live.queries import FiguresProjection, FleetProjection
from trading.live.redis import store
from trading.live.redis.mode import follower
from trading.live.redis.outage import outage
from trading.live.redis.writes import StoreWrites
from trading.schema.live_store.values import Price

TRADERS_AT_ONCE = 250
# So that what equity does not move is never old: several times within the allowed age.
WHOLE_EVERY_SECONDS = keys.POSITIONS.allowed_age / 3
# {trader: when this process last wrote all its values}. Other processes only make it more often.
_written_whole: dict[str, float] = {}


def changed(*trader_ids: str) -> None:
    """After the commit the store shows the new records of these traders (trade, position, decision, equity).

    Outside a transaction: now. Errors are logged, not raised: the record itself is safe.
    """
    transaction.on_commit(partial(follow, trader_ids), robust=True)


def equity_changed(trader_id: str) -> None:
    """As `changed`, after equity alone: writes the figures that equity moves. The other values stay as they are, but
    they are written too before a reader takes them for stale."""
    transaction.on_commit(partial(_follow_equity, trader_id), robust=True)


def fleet_changed() -> None:
    """As `changed`, after a bulk change of the record: the store is filled again."""
    transaction.on_commit(_rebuild, robust=True)


def catch_up(trader_ids: Collection[str]) -> bool:
    """Writes the values of these traders as the database has them. False when Redis is away or refuses.

    Raises django.db.Error: the store is filled again by the next call that can write.
    """
    started = time.monotonic()
    with _filled_again_later():
        found = projection.project(trader_ids)
    if not store.write_all(writes_of(found)):
        return False
    _written_whole.update(dict.fromkeys(trader_ids, started))
    return True


def quoted(prices: Mapping[str, Price]) -> frozenset[str] | None:
    """The price feed's last prices, by `{symbol}` or `{provider}:{symbol}`. Returns the fields that were dropped
    because a newer price is stored. None: Redis is away, and nothing was written."""
    return store.put(PRICE, prices)


def rebuild_all() -> int | None:
    """Writes everything that the database determines; returns the number of traders. None when Redis is away or
    refuses."""
    parts = projections()
    first = next(parts)

    def work(client: object) -> int:
        with follower.in_use() as state:
            builder = rebuild.StoreBuilder(client, state, first.as_of)
            builder.add(writes_of(first), first.traders)
            count = len(first.traders)
            for part in parts:
                builder.add(writes_of(part), part.traders)
                count += len(part.traders)
            builder.take_over()
        return count

    return outage.attempt(work, None, what="write")


def follow(trader_ids: Collection[str]) -> bool:
    """As `catch_up`; what was missed before is repaired aside."""
    if not catch_up(trader_ids):
        return False
    healing.heal_aside(rebuild_all)
    return True


def _follow_equity(trader_id: str) -> None:
    written = _written_whole.get(trader_id)
    if written is None or time.monotonic() - written >= WHOLE_EVERY_SECONDS:
        follow([trader_id])
        return
    with _filled_again_later():
        found = projection.figures([trader_id])
    if store.write_all(_figures_of(found)):
        healing.heal_aside(rebuild_all)


@contextmanager
def _filled_again_later() -> Iterator[None]:
    """What PostgreSQL does not tell now is missed as a write that Redis does not take."""
    try:
        yield
    except (InterfaceError, OperationalError):
        outage.want_healing()
        raise


def _rebuild() -> None:
    rebuild_all()


def heal() -> bool:
    """Fills the store again if needed; for loops that run anyway. True if it did."""
    return healing.heal(rebuild_all)


def projections() -> Iterator[FleetProjection]:
    """The whole fleet in batches of traders; at least one batch, which may be empty."""
    fleet = list(projection.fleet())
    for start in range(0, max(1, len(fleet)), TRADERS_AT_ONCE):
        yield projection.project(fleet[start : start + TRADERS_AT_ONCE])


def writes_of(found: FleetProjection) -> StoreWrites:
    writes = _figures_of(found)
    writes.conversations = dict(found.conversations)
    writes.gone = {keys.DECISION_LAST: [name for name in found.traders if name not in found.decisions]}
    writes.silent = [name for name in found.traders if name not in found.conversations]
    writes.add(keys.POSITIONS, found.positions)
    writes.add(keys.TRADES_RECENT, found.trades)
    writes.add(keys.DECISION_LAST, found.decisions)
    return writes


def _figures_of(found: FiguresProjection) -> StoreWrites:
    writes = StoreWrites(as_of=found.as_of)
    writes.add(keys.ANALYTICS, found.analytics)
    writes.add(keys.SINCE_INCEPTION, found.inception)
    writes.leaders = {
        trader_id: leader(found.analytics[trader_id], found.inception[trader_id], retired=is_retired)
        for trader_id, is_retired in found.retired.items()
    }
    return writes
