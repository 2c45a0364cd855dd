"""positions.json: what each model held when the file was served, 13 to 21 fields a position."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

from traders.schema import moments
from traders.schema.jsonio import Json
from traders.schema.messages import _
from trading.imports.arena import fields
from trading.imports.arena.fields import NO_ORDER, Record
from trading.imports.arena.plans import plan_back, plan_of
from trading.imports.arena.remains import origin_of, restored
from trading.imports.arena.unreadable_file import as_far_as_it_fits, shown
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
# How our own export marks a price, which holds for that moment.
_MARKS = ("price_is_stale", "price_timestamp", "price_provider")
_AT_SOURCE = {
    "entry.price": "entry_price",
    "entry.quantity": "quantity",
    "entry.time_ms": "entry_time",
    "entry.leverage": "leverage",
    "exit_plan.tp_price": "exit_plan.profit_target",
    "exit_plan.sl_price": "exit_plan.stop_loss",
    "risk.risk_usd": "risk_usd",
    **{f"reported.{name}": name for name in _REPORTED},
    "reported.at_ms": "price_timestamp",
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
        raise InvalidRecord("symbol", _("is %(symbol)s, but its key is %(value)s", symbol=symbol, value=shown(key)))
    symbol = spell(symbol)
    quantity = fields.number(record, "quantity")
    side = fields.side_of(record, quantity)
    bare = PositionRecord(
        open_position_id(trader_id, symbol), trader_id, symbol, side, PositionStatus.OPEN, _detail(record, quantity)
    )
    rest = {name: value for name, value in record.items() if name not in _MARKS}
    origin = origin_of(rest, _from_row(bare))
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
            "leverage": fields.number_or_kept(record, "leverage"),
        },
        "orders": {name: fields.identifier(record, name) for name in _ORDERS},
        "risk": {
            "confidence": fields.confidence(record),
            **{name: fields.number_or_kept(record, name) for name in _RISK},
        },
        "exit_plan": plan_of(record),
        "reported": {name: fields.number_or_kept(record, name) for name in _REPORTED} | {"at_ms": _priced_ms(record)},
    }
    return as_far_as_it_fits(PositionDetail, parts, _AT_SOURCE)


def _priced_ms(record: Record) -> Json:
    """Of the price, where our own export says it. Raises InvalidRecord for one ahead of this server's clock."""
    at = record.get("price_timestamp") if record.get("price_is_stale") is True else None
    if type(at) is int and (found := moments.ahead("price_timestamp", at, at)) is not None:
        raise InvalidRecord("price_timestamp", found.message)
    return at


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
