"""A row of `account_equity_snapshots`, in the columns of the first generation, as a point of equity."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from trading.imports.adopt.readers import values
from trading.imports.adopt.readers.values import Ids, Row
from trading.imports.arena.equity import SOURCE, money
from trading.schema.facts import EquityPoint


def read_equity(row: Row, ids: Ids) -> EquityPoint:
    """Raises InvalidRecord. A realized P&L of 0 is the column's default, which the engine never changed: it is not
    known, and derived of the trades."""
    metadata = row.get("metadata")
    known: Mapping[str, Any] = metadata if isinstance(metadata, dict) else {}
    return EquityPoint(
        values.trader_id(row, ids),
        values.moment_ms(row, "ts_ms"),
        money(values.number(row, "dollar_equity"), "dollar_equity"),
        SOURCE,
        _amount(row, "realized_pnl") or None,
        _amount(row, "total_unrealized_pnl"),
        _amount(known, "available_balance_usd"),
    )


def _amount(row: Row, column: str) -> Decimal | None:
    value = values.number_or_none(row, column)
    return None if value is None else money(value, column)
