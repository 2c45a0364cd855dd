"""trades: 33 fields a trade, and one more where its funding is not known. A trade of an arena is published digit for
digit."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from trading.export.documents.wire import fraction, seconds, signed, with_texts_of_large_ids
from trading.imports.arena.plans import plan_back
from trading.imports.arena.remains import restored
from trading.imports.arena.trades import human_time
from trading.schema.contract import FUNDING_UNKNOWN, TRADER
from trading.schema.trade import Fill, FillType, TradeRecord

IDS = ("entry_oid", "entry_tid", "exit_oid", "exit_tid")


def trade_object(trade: TradeRecord) -> dict[str, Any]:
    detail, side = trade.detail, trade.side
    time, risk, origin = detail.time, detail.risk, detail.origin
    opened, closed = seconds(time.open_ts_ms), seconds(time.close_ts_ms)
    found = {
        "id": origin.id if origin and origin.id else trade.id,
        TRADER: trade.trader_id,
        "symbol": trade.symbol,
        "side": str(side),
        "trade_type": str(side),
        "trade_id": f"{float(opened)}_{trade.symbol}_{float(closed)}_{trade.trader_id}",
        "quantity": signed(detail.quantity.total, side.sign),
        "leverage": risk.leverage if risk else None,
        "confidence": fraction(risk.confidence if risk else None),
        **_end(trade, FillType.ENTRY, detail.prices.avg_entry, time.open_ts_ms),
        **_end(trade, FillType.EXIT, detail.prices.avg_exit, time.close_ts_ms),
        "exit_plan": plan_back(detail.exit_plan),
        "realized_gross_pnl": detail.pnl.gross,
        "realized_net_pnl": detail.pnl.net,
        "total_commission_dollars": detail.pnl.commission,
        **({FUNDING_UNKNOWN: True} if detail.pnl.is_funding_unknown else {}),
    }
    return with_texts_of_large_ids(restored(found, origin.fields if origin else None), IDS)


def _end(trade: TradeRecord, end: FillType, price: Decimal, ts_ms: int) -> dict[str, Any]:
    """One end of a trade: the sums of its fills, and the order and fill of the first."""
    fills = [fill for fill in trade.detail.fills if fill.type is end]
    first = fills[0] if fills else None
    return {
        f"{end}_price": fills[0].price if len(fills) == 1 else price,
        f"{end}_time": seconds(ts_ms),
        f"{end}_human_time": human_time(ts_ms),
        f"{end}_sz": sum((fill.quantity for fill in fills), Decimal(0)) if fills else trade.detail.quantity.total,
        f"{end}_tid": first.fill_id if first else None,
        f"{end}_oid": first.order_id if first else None,
        f"{end}_crossed": first.is_crossed if first else None,
        f"{end}_liquidation": first.liquidation if first else None,
        f"{end}_commission_dollars": _total(fills, "commission"),
        f"{end}_closed_pnl": _total(fills, "closed_pnl"),
    }


def _total(fills: Sequence[Fill], name: str) -> Decimal | None:
    known = [value for fill in fills if (value := getattr(fill, name)) is not None]
    return sum(known[1:], known[0]) if known else None
