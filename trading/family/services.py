"""A family compared: each trader, and each version that it ran, over the time that all have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from django.utils import timezone

from trading.analytics import queries as record
from trading.analytics.equity import one_series
from trading.analytics.flows import indexed
from trading.analytics.groups.grouping import Group, groups
from trading.analytics.groups.keys import GroupBy
from trading.analytics.intervals import Held, Period, exposure_pct
from trading.analytics.queries import Facts
from trading.analytics.summary import performance
from trading.family import queries
from trading.family.rules import (
    FamilyComparison,
    FamilyCurve,
    FamilyLine,
    FamilyTrader,
    FamilyUse,
    common_period,
    curve_of,
    family_of,
    return_pct,
    version_return_pct,
)
from trading.record.rules.errors import UnknownTrader
from trading.record.stored import transfers
from trading.record.stored.equity.bases import version_bases
from trading.schema.facts import Flow

MOST_MEMBERS = 30
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def members_of(trader_id: str) -> list[FamilyTrader]:
    """The original first. Raises UnknownTrader."""
    ids = family_of(trader_id, queries.parents())[:MOST_MEMBERS]
    found = queries.members(ids)
    if trader_id not in {member.trader_id for member in found}:
        raise UnknownTrader(trader_id)
    return found


def compare(trader_id: str) -> FamilyComparison:
    """The family of the trader over the common period of those members that ran. Raises UnknownTrader."""
    members = members_of(trader_id)
    ids = [member.trader_id for member in members]
    period, is_common = common_period(queries.spans(ids))
    if period is None:
        return FamilyComparison(tuple(members), None, False, (), ())
    # The end of a period is no part of it, and the last point is one of it.
    facts = record.facts(ids, since=_moment(period.from_ms), until=_moment(period.to_ms + 1))
    uses = queries.uses(ids, period)
    flows = {one: tuple(found) for one, found in transfers.flows(ids).items()}
    lines: list[FamilyLine] = []
    curves: list[FamilyCurve] = []
    for member in members:
        found = _of_member(member, facts, period, uses, flows.get(member.trader_id, ()))
        if found is not None:
            lines += found[0]
            curves.append(found[1])
    return FamilyComparison(tuple(members), period, is_common, tuple(lines), tuple(curves))


def _of_member(
    member: FamilyTrader,
    facts: Facts,
    period: Period,
    uses: Mapping[tuple[str, int | None], FamilyUse],
    flows: Sequence[Flow],
) -> tuple[list[FamilyLine], FamilyCurve] | None:
    """None where it has nothing in the period."""
    own = member.trader_id
    trades = [fact for fact in facts.trades if fact.trader_id == own]
    decisions = [fact for fact in facts.decisions if fact.trader_id == own]
    equity = [point for point in facts.equity if point.trader_id == own]
    if not (trades or decisions or equity):
        return None
    # What a trader began with before the period is no point of it.
    later = [flow for flow in flows if flow.ts_ms > period.from_ms and not flow.is_start]
    found = indexed(one_series(equity, later), later)
    held = [
        position
        for position in record.open_positions([own], until=timezone.now())
        if position.open_ts_ms <= period.to_ms
    ]
    used = {version: use for (trader, version), use in uses.items() if trader == own}
    whole = FamilyLine(
        member,
        None,
        performance(trades, (), decisions, equity, open_positions=held, period=period, flows=later),
        return_pct(found),
        sum(used.values(), FamilyUse()),
    )
    parts = groups(trades, (), decisions, equity, by=GroupBy.VERSION, open_positions=held, flows=later, period=period)
    both: list[Held] = [*trades, *held]
    in_market = {
        version: exposure_pct([one for one in both if one.entry_version == version], period)
        for version in {one.entry_version for one in both}
    }
    return [whole, *_versions(member, parts, used, in_market)], curve_of(own, found)


def _versions(
    member: FamilyTrader,
    parts: Sequence[Group],
    used: Mapping[int | None, FamilyUse],
    in_market: Mapping[int | None, float | None],
) -> list[FamilyLine]:
    """A line for each version, where the trader ran more than one. Time in market is of the whole period."""
    numbered = [part for part in parts if isinstance(part.value, int)]
    if len(numbered) < 2:
        return []
    versions = [int(part.value) for part in numbered if part.value is not None]
    bases = version_bases(member.trader_id, versions)
    return [
        FamilyLine(
            member,
            version,
            replace(part.performance, exposure_pct=in_market.get(version)),
            version_return_pct(part.performance.net, bases.get(version)),
            used.get(version, FamilyUse()),
        )
        for version, part in zip(versions, numbered, strict=True)
    ]


def _moment(ts_ms: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=ts_ms)
