"""Sums over what a filter matches, in a time that does not grow with the record.

From the roll-up of versions where the filter allows it, else over the newest rows that match, and saying so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TypeVar

from trading.record.browse.queries import ONLY_ASIDE, RecordFilter, Table, conditions
from trading.record.browse.tables import CLOSED_PNL, DECISIONS, POSITIONS, TRADES
from trading.record.stored.bounded import TookTooLong, fetch
from trading.record.stored.counted import COUNTS
from trading.record.stored.safe_sql import bounded, number

Totals = TypeVar("Totals")

# Each is tried for `LIMIT_MS`; the last resort is no totals at all.
NEWEST = (100_000, 10_000)
LIMIT_MS = 800

_ROLLED_UP = f"""
SELECT coalesce(sum(trades), 0) AS count, coalesce(sum(wins), 0) AS wins, coalesce(sum(losses), 0) AS losses,
       coalesce(sum({bounded("net_pnl")}), 0) AS net_pnl, coalesce(sum({bounded("gross_pnl")}), 0) AS gross_pnl,
       coalesce(sum({bounded("commission")}), 0) AS commission, ({{aside}}) AS set_aside
  FROM version_results WHERE {{tests}}
"""
_OF_TRADES = f"""count(*) FILTER (WHERE net > 0) AS wins, count(*) FILTER (WHERE net < 0) AS losses,
 coalesce(sum(net), 0) AS net_pnl, coalesce(sum({number("detail", "pnl.gross")}), 0) AS gross_pnl,
 coalesce(sum({number("detail", "pnl.commission")}), 0) AS commission"""
_OF_POSITIONS = """count(*) FILTER (WHERE status = 'open') AS open, count(*) FILTER (WHERE net > 0) AS wins,
 count(*) FILTER (WHERE net < 0) AS losses, coalesce(sum(net), 0) AS net_pnl"""
_OF_DECISIONS = f"""count(*) FILTER (WHERE NOT success) AS failed,
 coalesce(sum({number("detail", "usage.prompt_tokens")}), 0) AS prompt_tokens,
 coalesce(sum({number("detail", "usage.completion_tokens")}), 0) AS completion_tokens,
 sum({number("detail", "usage.cost_usd")}) AS cost_usd"""


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
    """None where even the newest take too long."""
    if where.given <= {"trader", "version", "aside"}:
        tests = ["true", *(f"{column} = %({name})s" for name, column in _ROLLED_UP_BY.items() if name in where.given)]
        (sums,) = fetch(
            _ROLLED_UP.format(tests=" AND ".join(tests), aside=_aside(TRADES, where)),
            {"trader": where.trader, "version": where.version},
            limit_ms=LIMIT_MS,
        )
        return TradeTotals(**sums._asdict())
    return _capped(TRADES, where, f"{bounded('r.net_pnl')} AS net, r.detail", _OF_TRADES, TradeTotals)


def of_positions(where: RecordFilter) -> PositionTotals | None:
    return _capped(POSITIONS, where, f"r.status, {CLOSED_PNL} AS net", _OF_POSITIONS, PositionTotals)


def of_decisions(where: RecordFilter) -> DecisionTotals | None:
    return _capped(DECISIONS, where, "r.success, r.detail", _OF_DECISIONS, DecisionTotals)


_ROLLED_UP_BY = {"trader": "trader_id", "version": "entry_version"}


def _capped(table: Table, where: RecordFilter, columns: str, sums: str, kind: Callable[..., Totals]) -> Totals | None:
    # What is set aside counts in no sum, whatever is listed.
    tests, parameters = conditions(table, replace(where, aside=""))
    tests += [f"r.{COUNTS}"] if where.id else []
    newest = (
        f"SELECT {columns} FROM {table.name} r{' WHERE ' + ' AND '.join(tests) if tests else ''}"
        f" ORDER BY r.{table.at} DESC LIMIT %(limit)s"
    )
    for limit in NEWEST:
        try:
            (found,) = fetch(
                f"SELECT count(*) AS count, {sums}, ({_aside(table, where)}) AS set_aside FROM ({newest}) AS newest",
                parameters | {"limit": limit},
                limit_ms=LIMIT_MS,
            )
        except TookTooLong:
            continue
        return kind(**found._asdict(), newest=limit if found.count == limit else None)
    return None


def _aside(table: Table, where: RecordFilter) -> str:
    """SQL, with the parameters of the filter: how many rows match and are set aside, from a tiny index."""
    tests, _parameters = conditions(table, replace(where, aside=ONLY_ASIDE))
    return f"SELECT count(*) FROM {table.name} r WHERE {' AND '.join(tests)}"
