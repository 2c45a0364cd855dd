"""Sums over what a filter matches, in a time that does not grow with the record.

They come from the roll-up of versions if the filter allows it, else from the newest rows that match, and say so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, TypeVar

from django.db.models import Count, Q, Sum
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce

from trading.fields import NumericField
from trading.models import COUNTED, VersionResult
from trading.record.browse.queries import ONLY_ASIDE, RecordFilter, RecordTable
from trading.record.browse.tables import DECISIONS, POSITIONS, TRADES
from trading.record.stored.bounded import TookTooLong, time_limit
from trading.record.stored.safe_sql import bounded, number

Totals = TypeVar("Totals")

# The sums are tried over this many rows, each for `LIMIT_MS`. If all take too long, there are no totals.
NEWEST = (100_000, 10_000)
LIMIT_MS = 800


def _number(statement: str) -> RawSQL:
    """SQL of a number in one column; NULL for a value that no sum can work with."""
    return RawSQL(statement, [], output_field=NumericField())


def _sum(column: str | RawSQL) -> Coalesce:
    return Coalesce(Sum(column, output_field=NumericField()), Decimal(0), output_field=NumericField())


_WON_AND_LOST = {"wins": Count("pk", filter=Q(net__gt=0)), "losses": Count("pk", filter=Q(net__lt=0))}


@dataclass(frozen=True, slots=True)
class TradeTotals:
    """`newest` is how many rows were looked at when there are more, None when these are all. P&L in USD.

    `set_aside` is how many rows match and count in nothing here.
    """

    count: int
    wins: int
    losses: int
    net_pnl: Decimal
    gross_pnl: Decimal
    commission: Decimal
    newest: int | None = None
    set_aside: int = 0

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
    prompt_tokens: Decimal | int
    completion_tokens: Decimal | int
    cost_usd: Decimal | None
    newest: int | None = None
    set_aside: int = 0


def of_trades(where: RecordFilter) -> TradeTotals | None:
    """None if even the newest rows take too long."""
    if where.given <= {"trader", "version", "aside"}:
        named = {"trader": where.trader, "entry_version": where.version}
        results = VersionResult.objects.filter(
            **{name: value for name, value in named.items() if value not in ("", None)}
        )
        with time_limit(LIMIT_MS):
            sums = results.aggregate(
                count=_sum("trades"),
                **{name: _sum(name) for name in ("wins", "losses")},
                **{name: _sum(_number(bounded(name))) for name in ("net_pnl", "gross_pnl", "commission")},
            )
            return TradeTotals(**sums, set_aside=_set_aside(TRADES, where))
    columns = {
        "net": _number(bounded('"trades"."net_pnl"')),
        "gross": _number(number('"trades"."detail"', "pnl.gross")),
        "fee": _number(number('"trades"."detail"', "pnl.commission")),
    }
    sums = {**_WON_AND_LOST, "net_pnl": _sum("net"), "gross_pnl": _sum("gross"), "commission": _sum("fee")}
    return _of_newest(TRADES, where, columns, sums, TradeTotals)


def of_positions(where: RecordFilter) -> PositionTotals | None:
    """None if even the newest rows take too long."""
    columns = {"net": _number(number('"positions"."detail"', "close.pnl"))}
    sums = {**_WON_AND_LOST, "open": Count("pk", filter=Q(status="open")), "net_pnl": _sum("net")}
    return _of_newest(POSITIONS, where, columns, sums, PositionTotals)


def of_decisions(where: RecordFilter) -> DecisionTotals | None:
    """None if even the newest rows take too long."""
    names = {"prompt": "prompt_tokens", "completion": "completion_tokens", "cost": "cost_usd"}
    columns = {short: _number(number('"decision_journal"."detail"', f"usage.{name}")) for short, name in names.items()}
    sums = {
        "failed": Count("pk", filter=Q(success=False)),
        "prompt_tokens": _sum("prompt"),
        "completion_tokens": _sum("completion"),
        # Unknown costs are no costs of 0.
        "cost_usd": Sum("cost", output_field=NumericField()),
    }
    return _of_newest(DECISIONS, where, columns, sums, DecisionTotals)


def _of_newest(
    table: RecordTable,
    where: RecordFilter,
    columns: Mapping[str, Any],
    sums: Mapping[str, Any],
    kind: Callable[..., Totals],
) -> Totals | None:
    """The sums over the newest matching rows that count, whatever the list shows of those set aside."""
    matching = table.matching(replace(where, aside="")).filter(COUNTED).annotate(**columns)
    for limit in NEWEST:
        newest = matching.order_by(table.order[0])[:limit]
        try:
            with time_limit(LIMIT_MS):
                found = newest.aggregate(count=Count("*"), **sums)
                aside = _set_aside(table, where)
        except TookTooLong:
            continue
        return kind(**found, newest=limit if found["count"] == limit else None, set_aside=aside)
    return None


def _set_aside(table: RecordTable, where: RecordFilter) -> int:
    """How many rows match and are set aside, from a small partial index."""
    return table.matching(replace(where, aside=ONLY_ASIDE)).count()
