"""The figures of a trader that setting a row aside moves. Reads only."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from trading.live import queries as projection
from trading.record.stored.safe_sql import EQUITY_IS_GOOD, number
from trading.record.stored.spread import reads

_COUNTS = f"""
SELECT wanted.id,
       (SELECT count(*) FROM positions p
         WHERE p.trader_id = wanted.id AND p.status = 'closed' AND p.exclusion_id IS NULL) AS closed_positions,
       (SELECT coalesce(sum({number("p.detail", "close.pnl")}), 0) FROM positions p
         WHERE p.trader_id = wanted.id AND p.status = 'closed' AND p.exclusion_id IS NULL) AS closed_pnl,
       (SELECT count(*) FROM equity_snapshots e WHERE e.trader_id = wanted.id AND {EQUITY_IS_GOOD}) AS equity_points
  FROM unnest(%(traders)s::text[]) AS wanted (id)
"""


@dataclass(frozen=True, slots=True)
class TraderFigures:
    """P&L and equity in USD, rates in per cent; None where undefined."""

    trades: int
    wins: int
    net_pnl: Decimal
    gross_pnl: Decimal
    fees: Decimal
    funding: Decimal
    win_rate_pct: float | None
    open_positions: int
    closed_positions: int
    closed_pnl: Decimal
    decisions: int
    equity_points: int
    equity: Decimal | None
    return_pct: float | None
    max_drawdown_pct: float | None


def of_traders(trader_ids: Collection[str]) -> dict[str, TraderFigures]:
    """As every page and export shows them now."""
    found = projection.project(trader_ids)
    counts = {row.id: row for row in reads.rows(_COUNTS, {"traders": list(trader_ids)})}
    figures = {}
    for name in found.traders:
        done, since = found.analytics[name], found.inception[name]
        counted = counts[name]
        figures[name] = TraderFigures(
            trades=done.trades or 0,
            wins=done.wins or 0,
            net_pnl=done.net_pnl_usd,
            gross_pnl=done.gross_pnl_usd or Decimal(0),
            fees=done.fees_usd or Decimal(0),
            funding=done.funding_usd or Decimal(0),
            win_rate_pct=done.win_rate_pct,
            open_positions=len(found.positions[name].positions),
            closed_positions=counted.closed_positions,
            closed_pnl=counted.closed_pnl,
            decisions=since.decisions or 0,
            equity_points=counted.equity_points,
            equity=since.equity_usd,
            return_pct=done.return_pct,
            max_drawdown_pct=done.max_drawdown_pct,
        )
    return figures
