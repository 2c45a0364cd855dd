"""A row of `positions`, in the columns of the first generation, as a position."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from traders.schema.messages import _
from trading.imports.adopt.readers import values
from trading.imports.adopt.readers.kept import exchange_of, kept, origin
from trading.imports.adopt.readers.values import Ids, Row
from trading.imports.arena.fields import NO_ORDER, identifier
from trading.imports.arena.plans import plan_back, plan_of
from trading.imports.arena.unreadable_file import as_far_as_it_fits, shown
from trading.record.rules.errors import InvalidRecord
from trading.schema.ids import closed_position_id, open_position_id
from trading.schema.position import PositionDetail, PositionRecord, PositionStatus
from trading.schema.spelling import Spell

_ORDERS = ("entry_oid", "tp_oid", "sl_oid")
_REPORTED = ("unrealized_pnl", "margin", "liquidation_price", "commission", "slippage")
# Of an open position what is reported; of a closed one its close.
_OF_CLOSE = ("current_price", "closed_pnl")
_TAKEN = frozenset(
    {
        *(
            "id",
            "model_id",
            "exchange_provider",
            "symbol",
            "side",
            "status",
            "entry_time_ms",
            "entry_price",
            "quantity",
        ),
        *("updated_at", "created_at", "close_time_ms", "close_quantity", "extra", *_OF_CLOSE),
    }
)
_AT_SOURCE = {
    "entry.price": "entry_price",
    "entry.quantity": "quantity",
    "entry.time_ms": "entry_time_ms",
    "close.price": "current_price",
    "close.pnl": "closed_pnl",
    "close.quantity": "close_quantity",
    "origin.id": "id",
}


def read_position(row: Row, ids: Ids, spell: Spell) -> PositionRecord:
    """Raises InvalidRecord. `versions` is filled in by the caller."""
    trader_id, symbol = values.trader_id(row, ids), spell(values.symbol(row))
    quantity = values.number(row, "quantity")
    side = values.side(row, quantity)
    status = _status(row)
    detail = _detail(row, quantity, is_open=status is PositionStatus.OPEN)
    name = open_position_id(trader_id, symbol)
    bare = PositionRecord(name, trader_id, symbol, side, status, detail, created_at=values.moment(row, "created_at"))
    made = origin(str(values.given(row, "id")), kept(row, _TAKEN, _given_back(bare, row)))
    detail = detail.model_copy(update={"origin": made})
    own = name if bare.is_open else closed_position_id(trader_id, symbol, detail)
    return replace(bare, id=own, detail=detail)


def _status(row: Row) -> PositionStatus:
    value = values.given(row, "status")
    said = value.strip().lower() if isinstance(value, str) else ""
    if said not in tuple(PositionStatus):
        raise InvalidRecord("status", _("must be open or closed, was %(value)s", value=shown(value)))
    return PositionStatus(said)


def _detail(row: Row, quantity: Decimal, *, is_open: bool) -> PositionDetail:
    reported: dict[str, Any] = {name: values.number_or_none(row, name) for name in _REPORTED}
    if is_open:
        reported |= {name: values.number_or_none(row, name) for name in _OF_CLOSE}
    if any(value is not None for value in reported.values()) and (at := values.moment(row, "updated_at")):
        reported["at_ms"] = values.moment_ms({"updated_at": at}, "updated_at")
    parts: dict[str, Any] = {
        "entry": {
            "price": values.number(row, "entry_price"),
            "quantity": quantity.copy_abs(),
            "time_ms": values.moment_ms(row, "entry_time_ms"),
            "leverage": values.number_or_none(row, "leverage"),
        },
        "exchange": {"provider": exchange_of(row)},
        "orders": {name: identifier(row, name) for name in _ORDERS},
        "risk": {
            "confidence": values.confidence(row, is_of_engine=_is_of_engine(row)),
            "risk_usd": values.number_or_none(row, "risk_usd"),
        },
        "exit_plan": plan_of(row),
        "reported": reported,
        "close": None if is_open else _close(row, quantity),
        "extra": row.get("extra") or None,
    }
    return as_far_as_it_fits(PositionDetail, parts, _AT_SOURCE)


def _close(row: Row, quantity: Decimal) -> dict[str, Any]:
    """A row that names no time of its own was closed when it was last written: the engine writes it at the close, and
    not again."""
    when = "close_time_ms" if row.get("close_time_ms") is not None else "updated_at"
    closed = values.moment_ms(row, when)
    if closed < values.moment_ms(row, "entry_time_ms"):
        raise InvalidRecord(when, _("the close is before the entry"))
    size = values.number_or_none(row, "close_quantity")
    return {
        "price": values.number(row, "current_price"),
        "time_ms": closed,
        "quantity": (quantity if size is None else size).copy_abs(),
        "pnl": values.number_or_none(row, "closed_pnl"),
    }


def _is_of_engine(row: Row) -> bool:
    """Its ids have a `|`; those of the program that loaded published files have none."""
    return "|" in str(row.get("id"))


def _given_back(position: PositionRecord, row: Row) -> dict[str, Any]:
    detail = position.detail
    orders, risk, reported = detail.orders, detail.risk, detail.reported
    scale = 1 if _is_of_engine(row) else 100
    said = risk.confidence / scale if risk and risk.confidence is not None else None
    back: dict[str, Any] = {
        "leverage": detail.entry.leverage,
        "risk_usd": risk.risk_usd if risk else None,
        "confidence": said,
        "exit_plan": plan_back(detail.exit_plan),
        # Always false: the engine never set it.
        "wait_for_fill": False,
    }
    back |= {name: getattr(orders, name) if orders else None for name in _ORDERS}
    back |= {name: NO_ORDER for name in _ORDERS if back[name] is None}
    return back | {name: getattr(reported, name) if reported else None for name in _REPORTED}
