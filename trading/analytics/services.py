"""How traders did: the record's facts through the analytics, a trader at a time where the parts are of one trader."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from django.utils import timezone

from trading.analytics import queries as record
from trading.analytics.groups.grouping import Group, groups
from trading.analytics.groups.keys import By
from trading.record.rules.errors import UnknownTrader
from trading.record.stored import transfers
from trading.schema.facts import SetAsideCounts

_OF_ONE_TRADER = frozenset({By.TRADER, By.VERSION})


def performance_groups(
    trader_ids: Collection[str] = (),
    *,
    by: By = By.TRADER,
    since: datetime | None = None,
    until: datetime | None = None,
    start_capital: Decimal | None = None,
) -> Iterator[Group]:
    """Of these traders, or of all that have records: trades that closed, and decisions taken, from `since` on and
    before `until`. `start_capital` in USD is for each trader without recorded equity.

    By trader and by version one trader is in memory at a time; the other parts span traders, and so does the memory.
    Raises UnknownTrader before the first group.
    """
    ids = _known(trader_ids) if trader_ids else record.traders_with_records()
    for chosen in [[name] for name in ids] if by in _OF_ONE_TRADER else [ids]:
        found = record.facts(chosen, since=since, until=until)
        held = record.open_positions(chosen, until=timezone.now()) if until is None else []
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
        )
        yield from (replace(group, set_aside=aside) for group in made)


def set_aside(
    trader_ids: Collection[str] = (), *, since: datetime | None = None, until: datetime | None = None
) -> SetAsideCounts:
    """What `performance_groups` of the same question leaves out. Raises UnknownTrader."""
    ids = _known(trader_ids) if trader_ids else record.traders_with_records()
    return record.set_aside(ids, since=since, until=until)


def _known(trader_ids: Collection[str]) -> list[str]:
    asked = list(dict.fromkeys(trader_ids))
    existing = record.existing(asked)
    for trader_id in asked:
        if trader_id not in existing:
            raise UnknownTrader(trader_id)
    return asked
