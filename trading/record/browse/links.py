"""Which decisions stand behind a trade: those whose actions name its orders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from trading.record.stored.bounded import TookTooLong, fetch
from trading.record.stored.safe_sql import items

# An order is made by the decision just before it: looked for around the trade's entry and its exit alone.
AROUND = timedelta(minutes=30)
LIMIT_MS = 1_000
MOST = 10
_NAMING = f"""
SELECT j.id, j.cycle_number, j.decided_at
  FROM decision_journal j
 WHERE j.trader_id = %(trader)s
   AND (j.decided_at BETWEEN %(entry_from)s AND %(entry_to)s OR j.decided_at BETWEEN %(exit_from)s AND %(exit_to)s)
   AND EXISTS (SELECT FROM jsonb_array_elements({items("j.detail", "actions")}) AS a
                WHERE a ->> 'order_id' = ANY (%(orders)s))
 ORDER BY j.decided_at, j.id LIMIT %(most)s
"""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Naming:
    id: int
    cycle_number: int
    decided_at: datetime


def decisions_naming(
    trader_id: str, order_ids: Sequence[int | str | None], *, between: tuple[int, int]
) -> list[Naming]:
    """Oldest first. `between` are the milliseconds of the entry and of the exit. Empty when it would take too long:
    the page can be read without."""
    orders = sorted({str(order) for order in order_ids if order is not None})
    if not orders:
        return []
    entry, left = (_EPOCH + timedelta(milliseconds=ms) for ms in between)
    asked = {
        "trader": trader_id,
        "orders": orders,
        "entry_from": entry - AROUND,
        "entry_to": entry + AROUND,
        "exit_from": left - AROUND,
        "exit_to": left + AROUND,
        "most": MOST,
    }
    try:
        return [Naming(**row._asdict()) for row in fetch(_NAMING, asked, limit_ms=LIMIT_MS)]
    except TookTooLong:
        return []
