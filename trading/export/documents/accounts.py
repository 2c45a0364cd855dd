"""account-totals: each trader's equity hour by hour, and its open positions.

The hours are counted from the fleet's first equity, so that one number says for all traders what a client has seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from trading.export.documents.wire import amount, encode, seconds
from trading.schema.contract import TRADER
from trading.schema.published import AccountPoint

KEY = "accountTotals"
HOUR_MS, MINUTE_MS = 3_600_000, 60_000
# Hours before the newest that are never thinned.
WHOLE_HOURS = 48


def hourly_marker(ts_ms: int, inception_ms: int) -> int:
    return (ts_ms - inception_ms) // HOUR_MS


def thinning_step(hours: int, most: int) -> int:
    """Which hours before the last two days stay so that a trader has about `most` rows: every 1st, 2nd, 4th, 8th...
    What stays now stays until the step doubles."""
    step = 1
    while (hours - WHOLE_HOURS) // step > max(most - WHOLE_HOURS, 1):
        step *= 2
    return step


def stays(marker: int, newest: int, step: int) -> bool:
    return marker % step == 0 or marker > newest - WHOLE_HOURS


def by_hour(points: Iterable[AccountPoint], inception_ms: int) -> dict[int, AccountPoint]:
    """{marker: point} of an ascending series: the first point of each hour, which stays when equity is thinned, and the
    last point of the newest hour."""
    found: dict[int, AccountPoint] = {}
    last: AccountPoint | None = None
    for last in points:
        found.setdefault(hourly_marker(last.ts_ms, inception_ms), last)
    if last is not None:
        found[hourly_marker(last.ts_ms, inception_ms)] = last
    return found


def account_row(
    point: AccountPoint,
    return_pct: Decimal | None,
    inception_ms: int,
    positions: Mapping[str, Any],
    sharpe: float | None,
) -> dict[str, Any]:
    """The row has `derived` where the equity is made of trades."""
    marker = hourly_marker(point.ts_ms, inception_ms)
    row = {
        "id": f"{point.trader_id}_{marker}",
        TRADER: point.trader_id,
        "timestamp": seconds(point.ts_ms),
        "dollar_equity": amount(point.equity),
        "realized_pnl": amount(point.realized),
        "total_unrealized_pnl": amount(point.unrealized),
        "cum_pnl_pct": amount(return_pct),
        "sharpe_ratio": sharpe,
        "since_inception_hourly_marker": marker,
        "since_inception_minute_marker": (point.ts_ms - inception_ms) // MINUTE_MS,
        "positions": positions,
    }
    return row | {"derived": True} if point.is_derived else row


@dataclass(frozen=True, slots=True)
class AccountRow:
    ts_ms: int
    trader_id: str
    marker: int
    encoded: bytes


def encoded_row(point: AccountPoint, inception_ms: int, row: dict[str, Any]) -> AccountRow:
    return AccountRow(point.ts_ms, point.trader_id, hourly_marker(point.ts_ms, inception_ms), encode(row))


def in_order(rows: Iterable[AccountRow]) -> list[AccountRow]:
    """Rows in order of time: clients take the last row of a trader for the newest."""
    return sorted(rows, key=lambda row: (row.ts_ms, row.trader_id))


def unrealized_of(held: Mapping[str, Mapping[str, Any]]) -> Decimal | None:
    """The sum over a trader's positions; None where one of them is not known."""
    total = Decimal(0)
    for position in held.values():
        gained = position["unrealized_pnl"]
        # An arena's own text stands where the record kept one.
        if not isinstance(gained, Decimal | int):
            return None
        total += gained
    return total
