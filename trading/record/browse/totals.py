"""Sums over what a filter matches, in a time that does not grow with the record.

They come from the roll-up of versions if the filter allows it, else from the newest rows that match, and say so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import partial
from typing import Any, TypeVar

from django.db.models import Count, F, Func, Q, Sum
from django.db.models.expressions import RawSQL
from django.db.models.fields.json import KeyTransform
from django.db.models.functions import Coalesce

from traders.database.apart import TookTooLong, time_limit
from trading.fields import NumericField
from trading.models import COUNTED, FUNDING_UNKNOWN, VersionResult
from trading.record.browse.queries import ONLY_ASIDE, RecordFilter, RecordTable
from trading.record.browse.tables import DECISIONS, POSITIONS, TRADES
from trading.record.stored.safe_sql import bounded, number

Totals = TypeVar("Totals")

# The sums are tried over this many rows, each for so many milliseconds. If all take too long, there are no totals. From
# an index alone 10,000 rows take some hundredths of a second; by a filter that none serves each may lie in a page of
# its own, and then the page does not wait for long.
NEWEST = ((10_000, 100), (1_000, 250))
LIMIT_MS = 250
# At most so many details are unpacked for a sum: 10,000 of them took a third of a second.
UNPACKED = 1_000


def _number(statement: str) -> RawSQL:
    """SQL of a number in one column; NULL for a value that no sum can work with."""
    return RawSQL(statement, [], output_field=NumericField())


def _leaf(part: str, name: str) -> Func:
    """The number `name` of a column that holds JSON; NULL for what no sum can work with."""
    return Func(F(part), template=number("%(expressions)s", name), output_field=NumericField())


def _sum(column: str | RawSQL | Func | F) -> Coalesce:
    return Coalesce(Sum(column, output_field=NumericField()), Decimal(0), output_field=NumericField())


_WON_AND_LOST = {"wins": Count("net", filter=Q(net__gt=0)), "losses": Count("net", filter=Q(net__lt=0))}


@dataclass(frozen=True, slots=True)
class TradeTotals:
    """`newest` is how many rows were looked at when there are more, None when these are all. P&L in USD.

    `set_aside` is how many rows match and count in nothing here. The parts of the net P&L are None where the details
    of more than `UNPACKED` trades would have to be read for them. `funding_unknown` is how many of all that match are
    without funding that was due.
    """

    count: int
    wins: int
    losses: int
    net_pnl: Decimal
    gross_pnl: Decimal | None
    commission: Decimal | None
    funding: Decimal | None
    newest: int | None = None
    set_aside: int = 0
    funding_unknown: int = 0

    @property
    def win_rate_pct(self) -> Decimal | None:
        return Decimal(100) * self.wins / self.count if self.count else None


@dataclass(frozen=True, slots=True)
class PositionTotals:
    count: int
    open: int
    wins: int
    losses: int
    net_pnl: Decimal
    newest: int | None = None
    set_aside: int = 0

    @property
    def win_rate_pct(self) -> Decimal | None:
        closed = self.count - self.open
        return Decimal(100) * self.wins / closed if closed else None


@dataclass(frozen=True, slots=True)
class DecisionTotals:
    count: int
    failed: int
    tokens_in: Decimal | int
    tokens_out: Decimal | int
    cost: Decimal | None
    newest: int | None = None
    set_aside: int = 0


def of_trades(where: RecordFilter) -> TradeTotals | None:
    """None if even the newest rows take too long."""
    found = _of_trades(where)
    return found and replace(found, funding_unknown=_funding_unknown(where))


def _funding_unknown(where: RecordFilter) -> int:
    """From a small partial index."""
    return TRADES.matching(replace(where, aside="")).filter(FUNDING_UNKNOWN, COUNTED).count()


def _of_trades(where: RecordFilter) -> TradeTotals | None:
    if where.given <= {"trader", "version", "is_current", "aside"}:
        current = F("trader__version") if where.is_current else None
        named = {"trader__in": where.trader, "entry_version": where.version if current is None else current}
        results = VersionResult.objects.filter(
            **{name: value for name, value in named.items() if value not in ((), None)}
        )
        with time_limit(LIMIT_MS):
            sums = results.aggregate(
                count=_sum("trades"),
                **{name: _sum(name) for name in ("wins", "losses")},
                **{name: _sum(_number(bounded(name))) for name in ("net_pnl", "gross_pnl", "commission", "funding")},
            )
            return TradeTotals(**sums, set_aside=_set_aside(TRADES, where))
    columns = {"net": _number(bounded('"trades"."net_pnl"'))}
    found = _of_newest(TRADES, where, columns, {**_WON_AND_LOST, "net_pnl": _sum("net")}, _without_parts)
    if found is None or found.count > UNPACKED:
        return found
    # Parts of `detail`, so that each row is unpacked once and not once a sum.
    parts = {
        name: _sum(_leaf("pnl", leaf))
        for name, leaf in (("gross_pnl", "gross"), ("commission", "commission"), ("funding", "funding"))
    }
    return (
        _of_newest(TRADES, where, {"pnl": KeyTransform("pnl", "detail")}, parts, partial(_with_parts, found)) or found
    )


def _without_parts(**sums: Any) -> TradeTotals:
    return TradeTotals(**sums, gross_pnl=None, commission=None, funding=None)


def _with_parts(totals: TradeTotals, *, gross_pnl: Decimal, commission: Decimal, funding: Decimal, **_: Any) -> Any:
    return replace(totals, gross_pnl=gross_pnl, commission=commission, funding=funding)


def of_positions(where: RecordFilter) -> PositionTotals | None:
    """None if even the newest rows take too long."""
    columns = {"net": F("closed_pnl")}
    sums = {**_WON_AND_LOST, "open": Count("status", filter=Q(status="open")), "net_pnl": _sum("net")}
    return _of_newest(POSITIONS, where, columns, sums, PositionTotals)


def of_decisions(where: RecordFilter) -> DecisionTotals | None:
    """None if even the newest rows take too long."""
    sums = {
        "failed": Count("success", filter=Q(success=False)),
        **{name: _sum(F(of)) for name, of in (("tokens_in", "prompt_tokens"), ("tokens_out", "completion_tokens"))},
        # Unknown costs are no costs of 0.
        "cost": Sum("cost_usd", output_field=NumericField()),
    }
    return _of_newest(DECISIONS, where, {}, sums, DecisionTotals)


def _of_newest(
    table: RecordTable,
    where: RecordFilter,
    columns: Mapping[str, Any],
    sums: Mapping[str, Any],
    kind: Callable[..., Totals],
) -> Totals | None:
    """The sums over the newest matching rows that count, whatever the list shows of those set aside."""
    matching = table.matching(replace(where, aside="")).filter(COUNTED).annotate(**columns)
    for limit, limit_ms in NEWEST:
        newest = matching.order_by(table.order[0])[:limit]
        try:
            with time_limit(limit_ms):
                found = newest.aggregate(count=Count("*"), **sums)
                aside = _set_aside(table, where)
        except TookTooLong:
            continue
        return kind(**found, newest=limit if found["count"] == limit else None, set_aside=aside)
    return None


def _set_aside(table: RecordTable, where: RecordFilter) -> int:
    """How many rows match and are set aside, from a small partial index."""
    return table.matching(replace(where, aside=ONLY_ASIDE)).count()
