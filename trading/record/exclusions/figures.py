"""The figures of a trader that setting a row aside moves. Reads only."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from django.db import connection

from trading.live import queries as projection
from trading.record.stored.safe_sql import number

_COUNTS = f"""
SELECT c.id,
       (SELECT count(*) FROM positions p WHERE p.trader_id = c.id AND p.status = 'closed' AND p.exclusion_id IS NULL),
       (SELECT coalesce(sum({number("p.detail", "close.pnl")}), 0) FROM positions p
         WHERE p.trader_id = c.id AND p.status = 'closed' AND p.exclusion_id IS NULL),
       (SELECT count(*) FROM equity_snapshots e WHERE e.trader_id = c.id AND e.exclusion_id IS NULL)
  FROM trader_config c WHERE c.id = ANY (%s)
"""


@dataclass(frozen=True, slots=True)
class Figures:
    """P&L and equity in USD, rates in per cent; None where undefined."""

    trades: int
    wins: int
    net_pnl: Decimal
    gross_pnl: Decimal
    fees: Decimal
    win_rate_pct: float | None
    open_positions: int
    closed_positions: int
    closed_pnl: Decimal
    decisions: int
    equity_points: int
    equity: Decimal | None
    return_pct: float | None
    max_drawdown_pct: float | None


def of_traders(trader_ids: Collection[str]) -> dict[str, Figures]:
    """As every page and export shows them now."""
    found = projection.project(trader_ids)
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS, [list(trader_ids)])
        counts = {name: rest for name, *rest in cursor.fetchall()}
    figures = {}
    for name in found.traders:
        done, since = found.analytics[name], found.inception[name]
        closed, closed_pnl, points = counts[name]
        figures[name] = Figures(
            trades=done.trades or 0,
            wins=done.wins or 0,
            net_pnl=done.net_pnl_usd,
            gross_pnl=done.gross_pnl_usd or Decimal(0),
            fees=done.fees_usd or Decimal(0),
            win_rate_pct=done.win_rate_pct,
            open_positions=len(found.positions[name].positions),
            closed_positions=closed,
            closed_pnl=closed_pnl,
            decisions=since.decisions or 0,
            equity_points=points,
            equity=since.equity_usd,
            return_pct=done.return_pct,
            max_drawdown_pct=done.max_drawdown_pct,
        )
    return figures
