"""positions.json: what each model held when the file was served, 13 to 21 fields a position."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from traders.schema.jsonio import Json
from traders.schema.messages import _
from trading.imports.arena import fields
from trading.imports.arena.broken import refusal_of, shown
from trading.imports.arena.fields import NO_ORDER, Record
from trading.imports.arena.plans import plan_back, plan_of
from trading.imports.arena.remains import origin_of, restored
from trading.record.rules.errors import InvalidRecord
from trading.schema.ids import open_position_id
from trading.schema.position import PositionDetail, PositionRecord, PositionStatus
from trading.schema.spelling import Spell, as_it_came
from trading.schema.trade import MS_PER_SECOND

KEY = "accountTotals"
_ORDERS = ("entry_oid", "tp_oid", "sl_oid")
_RISK = ("risk_usd",)
_REPORTED = (
    *("current_price", "unrealized_pnl", "closed_pnl", "margin"),
    *("liquidation_price", "commission", "slippage"),
)
_AT_SOURCE = {
    "entry.price": "entry_price",
    "entry.quantity": "quantity",
    "entry.time_ms": "entry_time",
    "entry.leverage": "leverage",
    "exit_plan.tp_price": "exit_plan.profit_target",
    "exit_plan.sl_price": "exit_plan.stop_loss",
    "risk.risk_usd": "risk_usd",
    **{f"reported.{name}": name for name in _REPORTED},
}


def read_account(record: Json, spell: Spell = as_it_came) -> Iterator[tuple[str, Json, PositionRecord | InvalidRecord]]:
    """(trader, record, position) of each position of one account; a bad one is given as why it is refused.

    Raises InvalidRecord when the account itself is not to be read.
    """
    record = fields.require_object(record)
    trader_id = fields.trader_id(record)
    for symbol, held in fields.require_object(fields.given(record, "positions"), "positions").items():
        try:
            yield trader_id, held, read_position(trader_id, symbol, held, spell)
        except InvalidRecord as error:
            field = f"positions.{symbol}.{error.field}".rstrip(".")
            yield trader_id, held, InvalidRecord(field, error.reason)


def read_position(trader_id: str, key: str, record: Json, spell: Spell = as_it_came) -> PositionRecord:
    """Of an open position. Raises InvalidRecord."""
    record = fields.require_object(record)
    symbol = fields.symbol(record)
    if symbol != key:
        raise InvalidRecord(
            "symbol", _("is %(symbol)s, but the position stands under %(value)s", symbol=symbol, value=shown(key))
        )
    symbol = spell(symbol)
    quantity = fields.number(record, "quantity")
    side = fields.side_of(record, quantity)
    bare = PositionRecord(
        open_position_id(trader_id, symbol), trader_id, symbol, side, PositionStatus.OPEN, _detail(record, quantity)
    )
    origin = origin_of(record, _from_row(bare))
    return replace(bare, detail=bare.detail.model_copy(update={"origin": origin}))


def to_source(position: PositionRecord) -> dict[str, Json]:
    """What `read_position` read; a field that it did not have is null, of an order -1."""
    origin = position.detail.origin
    return restored(_from_row(position), origin.fields if origin else None)


def _detail(record: Record, quantity: Decimal) -> PositionDetail:
    parts: dict[str, Any] = {
        "entry": {
            "price": fields.number(record, "entry_price"),
            "quantity": quantity.copy_abs(),
            "time_ms": fields.moment_ms(record, "entry_time"),
            "leverage": fields.number_or_none(record, "leverage"),
        },
        "orders": {name: fields.identifier(record, name) for name in _ORDERS},
        "risk": {
            "confidence": fields.confidence(record),
            **{name: fields.number_or_none(record, name) for name in _RISK},
        },
        "exit_plan": plan_of(record),
        "reported": {name: fields.number_or_none(record, name) for name in _REPORTED},
    }
    try:
        return PositionDetail.model_validate(parts)
    except ValidationError as error:
        raise refusal_of(error, _AT_SOURCE) from None


def _from_row(position: PositionRecord) -> dict[str, Json]:
    detail = position.detail
    entry, orders, risk, reported = detail.entry, detail.orders, detail.risk, detail.reported
    confidence = risk.confidence if risk else None
    order_ids = {name: getattr(orders, name) if orders else None for name in _ORDERS}
    return {
        "symbol": position.symbol,
        "quantity": entry.quantity if position.side.sign > 0 else entry.quantity.copy_negate(),
        "entry_price": entry.price,
        "entry_time": Decimal(entry.time_ms) / MS_PER_SECOND,
        "leverage": entry.leverage,
        "confidence": confidence if confidence is None else confidence / 100,
        "exit_plan": plan_back(detail.exit_plan),
        **{name: NO_ORDER if value is None else value for name, value in order_ids.items()},
        **{name: getattr(risk, name) if risk else None for name in _RISK},
        **{name: getattr(reported, name) if reported else None for name in _REPORTED},
    }
