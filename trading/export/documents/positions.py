"""positions: the open positions of each trader, 21 fields a position. Quantities are signed, a short is negative."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from trading.export.documents.wire import encode, fraction, seconds, signed, with_texts_of_large_ids
from trading.imports.arena.plans import plan_back
from trading.imports.arena.remains import restored
from trading.schema.contract import TRADER
from trading.schema.live_store.quotes import PositionMark
from trading.schema.live_store.values import US_PER_MS
from trading.schema.position import PositionRecord
from trading.schema.published import TraderLabel

NO_ORDER = -1
IDS = ("entry_oid", "tp_oid", "sl_oid", "oid")
# In real money and prices more decimals say nothing.
_CENT_OF_A_CENT = Decimal("0.00000001")


def position_object(position: PositionRecord, mark: PositionMark | None) -> dict[str, Any]:
    """Without a mark the price and P&L last reported stand, whatever their age. A mark that is neither the exchange's
    nor the market provider's is named: `price_provider` (null: of no particular one) and `price_timestamp` (ms)."""
    detail, sign = position.detail, position.side.sign
    entry, orders, risk, reported = detail.entry, detail.orders, detail.risk, detail.reported
    entry_oid = orders.entry_oid if orders else None
    found = {
        "entry_oid": entry_oid,
        "risk_usd": risk.risk_usd if risk else None,
        "confidence": fraction(risk.confidence if risk else None),
        "index_col": None,
        "exit_plan": plan_back(detail.exit_plan),
        "entry_time": seconds(entry.time_ms),
        "symbol": position.symbol,
        "entry_price": entry.price,
        "tp_oid": _order(orders.tp_oid if orders else None),
        "margin": reported.margin if reported else None,
        "wait_for_fill": False,
        "sl_oid": _order(orders.sl_oid if orders else None),
        "oid": entry_oid,
        "current_price": reported.current_price if reported else None,
        "closed_pnl": reported.closed_pnl if reported else None,
        "liquidation_price": reported.liquidation_price if reported else None,
        "commission": reported.commission if reported else None,
        "leverage": entry.leverage,
        "slippage": reported.slippage if reported else None,
        "quantity": signed(entry.quantity, sign),
        "unrealized_pnl": reported.unrealized_pnl if reported else None,
    }
    found = restored(found, detail.origin.fields if detail.origin else None)
    if found["margin"] is None and entry.leverage:
        found["margin"] = (entry.price * entry.quantity / entry.leverage).quantize(_CENT_OF_A_CENT)
    if mark is not None:
        gain = sign * entry.quantity * (mark.price - entry.price)
        found |= {"current_price": mark.price, "unrealized_pnl": gain}
        if mark.is_of_another:
            found |= {"price_provider": mark.provider, "price_timestamp": mark.as_of // US_PER_MS}
    return with_texts_of_large_ids(found, IDS)


def holdings(objects: Iterable[tuple[PositionRecord, dict[str, Any]]]) -> dict[str, dict[str, dict[str, Any]]]:
    """{trader: {symbol: its position}}, in order of symbols, out of positions with their objects."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for one, shown in sorted(objects, key=lambda pair: (pair[0].trader_id, pair[0].symbol)):
        found.setdefault(one.trader_id, {})[one.symbol] = shown
    return found


def positions_document(
    held: Mapping[str, Mapping[str, Any]], labels: Mapping[str, TraderLabel], *, as_of_ms: int
) -> bytes:
    """Every trader of the fleet; a trader that holds nothing has no position."""
    rows = [{TRADER: name, "positions": held.get(name, {}), **labels[name].fields()} for name in sorted(labels)]
    return encode({"accountTotals": rows, "serverTime": as_of_ms})


def _order(order_id: int | str | None) -> int | str:
    return NO_ORDER if order_id is None else order_id
