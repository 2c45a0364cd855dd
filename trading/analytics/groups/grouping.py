"""Performance in parts: by version, symbol, side, prompt, period or trader."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from decimal import Decimal

from trading.analytics.calendar import name_of, period_of
from trading.analytics.equity import by_trader, one_series, within
from trading.analytics.groups.keys import UNITS, GroupBy, Key
from trading.analytics.groups.parts import GroupPart, split
from trading.analytics.intervals import Held, OpenPosition, Period, overlap, span
from trading.analytics.stats import exact_sum
from trading.analytics.summary import Performance, measure
from trading.analytics.tables.overall import LastEquity
from trading.schema.facts import DecisionFact, EquityPoint, Flow, SetAsideCounts, SignalFact, TradeFact

NOTHING_ASIDE = SetAsideCounts()


@dataclass(frozen=True, slots=True)
class Group:
    """`value` is the version, symbol, side, prompt hash, name of the period or trader; None is what has none: by
    version the group 'before v1'. `trader_id` is set where the group is of one trader, as versions are.

    `set_aside` are the rows left out of the record that was split into this group and the others: of its trader, or of
    all traders where the parts span them.
    """

    by: GroupBy
    trader_id: str | None
    value: int | str | None
    performance: Performance
    set_aside: SetAsideCounts = NOTHING_ASIDE

    @property
    def label(self) -> str:
        if self.by is GroupBy.VERSION:
            return "before v1" if self.value is None else f"v{self.value}"
        return "unknown" if self.value is None else str(self.value)


def groups(
    trades: Sequence[TradeFact],
    signals: Sequence[SignalFact] = (),
    decisions: Sequence[DecisionFact] = (),
    equity: Sequence[EquityPoint] = (),
    *,
    by: GroupBy,
    start_capital: Mapping[str, Decimal] | None = None,
    open_positions: Sequence[OpenPosition] = (),
    period: Period | None = None,
    flows: Sequence[Flow] = (),
    bases: Mapping[Key, Decimal] | None = None,
    is_whole: bool = True,
    zone: tzinfo = UTC,
) -> list[Group]:
    """Every trade in exactly one group; sorted by trader and value, what has none first.

    `start_capital` is in USD by trader, by default its first equity. Recorded equity belongs to a trader, not to one of
    its symbols or versions: the groups by trader and by period are measured by it, the others by the equity derived
    from their own trades over the capital of their trader, or of all traders where they span them. `bases` are the
    equity that a group began with, in USD by its key: what a version had before it first ran. `is_whole` False: these
    are trades of one symbol or side alone, so that recorded equity measures no group. Days, weeks and months are those
    of `zone`.
    """
    held: tuple[Held, ...] = (*trades, *open_positions)
    whole = period or span(held, decisions)
    series = {trader_id: one_series(points, flows) for trader_id, points in by_trader(equity).items()}
    capital = {trader_id: points[0].equity for trader_id, points in series.items()} | dict(start_capital or {})
    everyone = {one.trader_id for one in held}
    parts = split(by, trades, signals, decisions, open_positions, zone)
    last_equity = LastEquity(equity)
    if by in UNITS:
        fleet = one_series(equity, flows) if is_whole else ()
        return _by_period(by, parts, last_equity, fleet, _total(capital, everyone), whole, flows, zone)
    found = []
    for (trader_id, value), part in parts:
        own = series.get(trader_id, ()) if by is GroupBy.TRADER and is_whole else ()
        own_flows = [flow for flow in flows if flow.trader_id == trader_id]
        own_capital = (bases or {}).get((trader_id, value), _total(capital, {trader_id} if trader_id else everyone))
        # Symbols and sides are compared over the same time; a version or a trader was there in its own.
        over = whole if by in (GroupBy.SYMBOL, GroupBy.SIDE) else None
        found.append(
            Group(by, trader_id or None, value, _measure(part, last_equity, own, own_capital, over, own_flows))
        )
    return found


def _by_period(
    by: GroupBy,
    parts: Sequence[tuple[Key, GroupPart]],
    equity: LastEquity,
    series: Sequence[EquityPoint],
    capital: Decimal | None,
    whole: Period | None,
    flows: Sequence[Flow],
    zone: tzinfo,
) -> list[Group]:
    """Each period starts with the capital that the ones before left."""
    found = []
    for (_, start_ms), part in parts:
        assert isinstance(start_ms, int)
        period = period_of(start_ms, UNITS[by], zone)
        clipped = overlap(period, whole) if whole else period
        result = _measure(part, equity, within(series, period), capital, clipped, flows)
        found.append(Group(by, None, name_of(start_ms, UNITS[by], zone), result))
        if capital is not None:
            capital = exact_sum([capital, result.net])
    return found


def _measure(
    part: GroupPart,
    equity: LastEquity,
    series: Sequence[EquityPoint],
    capital: Decimal | None,
    period: Period | None,
    flows: Sequence[Flow],
) -> Performance:
    return measure(part.trades, part.signals, part.decisions, equity, series, capital, part.held, period, flows)


def _total(capital: Mapping[str, Decimal], traders: Collection[str]) -> Decimal | None:
    """None where one of them has no capital that we know."""
    if not traders or not all(trader_id in capital for trader_id in traders):
        return None
    return exact_sum(capital[trader_id] for trader_id in traders)
