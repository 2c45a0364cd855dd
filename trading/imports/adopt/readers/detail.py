"""The second generation (trader_config, detail; migrations 008 to 011): rows in the columns of the first one.

The engine kept all but the core of positions and trades in `detail`; the other tables stayed as they were. What a
`detail` holds beyond the known leaves is kept as `extra`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeGuard

from trading.imports.adopt.readers.trades import ENGINE_TYPE
from trading.imports.adopt.readers.values import Row, unchanged

# {leaf of the detail: column of the first generation}. `prices` has two spellings: the plan's and the engine's.
POSITION = {
    "entry.price": "entry_price",
    "entry.quantity": "quantity",
    "entry.time_ms": "entry_time_ms",
    "entry.leverage": "leverage",
    "exchange.provider": "exchange_provider",
    "exchange.position_id": "exchange_position_id",
    "orders.entry_oid": "entry_oid",
    "orders.tp_oid": "tp_oid",
    "orders.sl_oid": "sl_oid",
    "exit_plan.tp_price": "exit_plan.profit_target",
    "exit_plan.sl_price": "exit_plan.stop_loss",
    "exit_plan.invalidation_condition": "exit_plan.invalidation_condition",
    "risk.confidence": "confidence",
    "risk.risk_usd": "risk_usd",
    "close.price": "current_price",
    "close.time_ms": "close_time_ms",
    "close.quantity": "close_quantity",
    "close.pnl": "closed_pnl",
    "metrics.unrealized_pnl": "unrealized_pnl",
}
TRADE = {
    "time.open_ts_ms": "entry_ts_ms",
    "prices.avg_entry": "entry_price",
    "prices.entry": "entry_price",
    "prices.avg_exit": "exit_price",
    "prices.exit": "exit_price",
    "quantity.total": "quantity",
    "pnl.gross": "realized_gross_pnl",
    "pnl.commission": "total_commission_dollars",
    "pnl.net": "realized_net_pnl",
    "risk.leverage": "leverage",
    "risk.confidence": "confidence",
    "exchange.provider": "exchange_provider",
}
_FILL = {
    "order_id": "oid",
    "fill_id": "tid",
    "price": "price",
    "quantity": "sz",
    "is_crossed": "crossed",
    "commission": "commission_dollars",
}
# Derived of the others, or the same as a column.
_DERIVED = frozenset({"time.duration_seconds", "time.close_ts_ms"})
_PLAN = "exit_plan."

decision = equity = unchanged


def position(row: Row) -> Row:
    columns, extra = _columns(row, POSITION)
    # A close without a P&L is one of 0, which the engine leaves out.
    if str(row.get("status")).lower() == "closed" and columns.get("current_price") is not None:
        columns.setdefault("closed_pnl", 0)
    return _named(row) | columns | ({"extra": extra} if extra else {})


def trade(row: Row) -> Row:
    columns, extra = _columns(row, TRADE)
    at = {"entry": columns.get("entry_ts_ms"), "exit": row.get("close_ts_ms")}
    if _is_one_an_end(fills := extra.get("fills")):
        del extra["fills"]
        for fill in fills:
            end = fill["type"]
            columns |= {f"{end}_{name}": fill[leaf] for leaf, name in _FILL.items() if leaf in fill}
            known = {*_FILL, "type", *(("ts_ms",) if fill.get("ts_ms") == at[end] else ())}
            extra |= {
                f"fills.{end}.{leaf}": inner for leaf, inner in fill.items() if leaf not in known and inner is not None
            }
    named = {"trade_type": ENGINE_TYPE, "exit_ts_ms": row.get("close_ts_ms")}
    return _named(row) | named | columns | ({"extra": extra} if extra else {})


def _is_one_an_end(fills: Any) -> TypeGuard[list[Row]]:
    """Columns hold one fill for each end. Several of an end, and what is no fill, stay as they came."""
    if not isinstance(fills, list) or not all(isinstance(fill, dict) for fill in fills):
        return False
    ends = [fill.get("type") for fill in fills]
    return all(end in ("entry", "exit") and ends.count(end) == 1 for end in ends)


def _named(row: Row) -> dict[str, Any]:
    """The core, with the trader under its first name."""
    found = {name: value for name, value in row.items() if name not in ("detail", "trader_id", "close_ts_ms")}
    return found | {"model_id": row.get("trader_id")}


def _columns(row: Row, names: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The columns that the detail fills, and its leaves that no column has, by path."""
    columns: dict[str, Any] = {}
    extra: dict[str, Any] = {}
    detail = row.get("detail")
    for section, value in detail.items() if isinstance(detail, dict) else ():
        leaves = value.items() if isinstance(value, dict) else [("", value)]
        for leaf, inner in leaves:
            path = f"{section}.{leaf}".rstrip(".")
            column = names.get(path)
            if column is None:
                extra |= {} if inner is None or path in _DERIVED else {path: inner}
            elif column.startswith(_PLAN):
                columns.setdefault("exit_plan", {})[column.removeprefix(_PLAN)] = inner
            elif inner is not None:
                columns[column] = inner
    return columns, extra
