"""How traders did: the record's facts through the analytics, a trader at a time where the parts are of one trader."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.utils import timezone

from trading.analytics import queries as record
from trading.analytics.groups.grouping import Group, groups
from trading.analytics.groups.keys import GroupBy, Key
from trading.record.rules.errors import UnknownTrader
from trading.record.stored import transfers
from trading.record.stored.equity.bases import version_bases
from trading.schema.facts import SetAsideCounts, TradeFact

_OF_ONE_TRADER = frozenset({GroupBy.TRADER, GroupBy.VERSION})


def performance_groups(
    trader_ids: Collection[str] = (),
    *,
    by: GroupBy = GroupBy.TRADER,
    since: datetime | None = None,
    until: datetime | None = None,
    symbol: str | None = None,
    side: str | None = None,
    start_capital: Decimal | None = None,
) -> Iterator[Group]:
    """Of these traders, or of all that have records: trades that closed, and decisions taken, from `since` on and
    before `until`; with `symbol` or `side` the trades of it alone. `start_capital` in USD is for each trader without
    recorded equity.

    Days, weeks and months are those of the site. By trader and by version one trader is in memory at a time; the other
    parts span traders, and so does the memory.
    Raises UnknownTrader before the first group.
    """
    ids = _known(trader_ids) if trader_ids else record.traders_with_records()
    for chosen in [[name] for name in ids] if by in _OF_ONE_TRADER else [ids]:
        found = record.facts(chosen, since=since, until=until, symbol=symbol, side=side)
        held = []
        if until is None:
            held = record.open_positions(chosen, until=timezone.now(), symbol=symbol, side=side)
        without_equity = set(chosen) - {point.trader_id for point in found.equity}
        aside = record.set_aside(chosen, since=since, until=until)
        made = groups(
            found.trades,
            found.signals,
            found.decisions,
            found.equity,
            by=by,
            start_capital=dict.fromkeys(without_equity, start_capital) if start_capital is not None else None,
            open_positions=held,
            flows=[flow for own in transfers.flows(chosen).values() for flow in own],
            bases=_bases(chosen[0], found.trades) if by is GroupBy.VERSION else None,
            is_whole=symbol is None and side is None,
            zone=settings.DESK_TIMEZONE,
        )
        yield from (replace(group, set_aside=aside) for group in made)


def set_aside(
    trader_ids: Collection[str] = (), *, since: datetime | None = None, until: datetime | None = None
) -> SetAsideCounts:
    """What `performance_groups` of the same question leaves out. Raises UnknownTrader."""
    ids = _known(trader_ids) if trader_ids else record.traders_with_records()
    return record.set_aside(ids, since=since, until=until)


def _bases(trader_id: str, trades: Collection[TradeFact]) -> dict[Key, Decimal]:
    opened = {trade.entry_version for trade in trades if trade.entry_version is not None}
    return {(trader_id, version): base for version, base in version_bases(trader_id, opened).items()}


def _known(trader_ids: Collection[str]) -> list[str]:
    asked = list(dict.fromkeys(trader_ids))
    existing = record.existing(asked)
    for trader_id in asked:
        if trader_id not in existing:
            raise UnknownTrader(trader_id)
    return asked
