"""Values a position without a fresh price at the last known price, and names the moment of that price."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from trading.schema.position import PositionRecord


def with_last_known(
    found: dict[str, Any], position: PositionRecord, price: Decimal | None, at_ms: int
) -> dict[str, Any]:
    """`found` is the position as last reported; `price` of `at_ms` is the last known one of its symbol, if any.

    The newer of both stands, with `price_is_stale` and `price_timestamp` (ms). A reported price whose moment is not
    known stays as it came. A price of 0 is none: what is not known is null.
    """
    reported = position.detail.reported
    reported_ms = reported.at_ms if reported else None
    if found["current_price"]:
        if reported_ms is None:
            return found
        if price is None or reported_ms >= at_ms:
            return found | {"price_is_stale": True, "price_timestamp": reported_ms}
    if price is None:
        unknown = {} if found["current_price"] is None else {"current_price": None, "unrealized_pnl": None}
        return found | unknown
    entry = position.detail.entry
    return found | {
        "current_price": price,
        "unrealized_pnl": position.side.sign * entry.quantity * (price - entry.price),
        "price_is_stale": True,
        "price_timestamp": at_ms,
    }
