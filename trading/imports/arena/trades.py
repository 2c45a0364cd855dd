"""trades.json: 33 fields a trade. `to_source` gives back from a stored trade what was read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from traders.schema.jsonio import Json
from trading.imports.arena import fields
from trading.imports.arena.fields import Record
from trading.imports.arena.plans import plan_back, plan_of
from trading.imports.arena.remains import origin_of, remains, restored
from trading.imports.arena.unreadable_file import as_far_as_it_fits
from trading.schema.contract import FUNDING_UNKNOWN, TRADER
from trading.schema.ids import imported_trade_id
from trading.schema.published import without_own_label
from trading.schema.spelling import Spell, as_it_came
from trading.schema.trade import MS_PER_SECOND, Fill, FillType, TradeDetail, TradeRecord

KEY = "trades"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_AT_SOURCE = {
    "time": "exit_time",
    "time.open_ts_ms": "entry_time",
    "time.close_ts_ms": "exit_time",
    "prices.avg_entry": "entry_price",
    "prices.avg_exit": "exit_price",
    "quantity.total": "quantity",
    "pnl.gross": "realized_gross_pnl",
    "pnl.net": "realized_net_pnl",
    "pnl.commission": "total_commission_dollars",
    "risk.leverage": "leverage",
    "exit_plan.invalidation_condition": "exit_plan.invalidation_condition",
    "exit_plan.tp_price": "exit_plan.profit_target",
    "exit_plan.sl_price": "exit_plan.stop_loss",
    "origin.id": "id",
    **{
        f"fills.{place}.{leaf}": f"{end}_{name}"
        for place, end in enumerate(("entry", "exit"))
        for leaf, name in (
            *(("price", "price"), ("quantity", "sz"), ("commission", "commission_dollars")),
            *(("is_crossed", "crossed"), ("closed_pnl", "closed_pnl"), ("liquidation", "liquidation")),
        )
    },
}


def read_trade(record: Json, spell: Spell = as_it_came) -> TradeRecord:
    """Raises InvalidRecord. `versions` is filled in by the caller, who knows the trader's history."""
    record = without_own_label(fields.require_object(record))
    trader_id, symbol = fields.trader_id(record), spell(fields.symbol(record))
    quantity = fields.number(record, "quantity")
    fields.text(record, "side")
    side = fields.side_of(record, quantity)
    detail = _detail(record, quantity)
    fill_id = detail.fills[0].fill_id
    trade_id = imported_trade_id(trader_id, symbol, detail.time.close_ts_ms, fill_id, _digestible(record, fill_id))
    bare = TradeRecord(trade_id, trader_id, symbol, side, detail)
    rest = {name: value for name, value in record.items() if name != "id"}
    origin = origin_of(rest, _from_row(bare), source_id=fields.text(record, "id"))
    return TradeRecord(trade_id, trader_id, symbol, side, detail.model_copy(update={"origin": origin}))


def to_source(trade: TradeRecord) -> dict[str, Json]:
    """The record that the trade was read from, digit for digit."""
    origin = trade.detail.origin
    return restored(_from_row(trade), origin.fields if origin else None) | {"id": origin.id if origin else None}


def human_time(ts_ms: int) -> str:
    moment = _EPOCH + timedelta(milliseconds=ts_ms)
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f")


def _detail(record: Record, quantity: Decimal) -> TradeDetail:
    opened, closed = fields.moment_ms(record, "entry_time"), fields.moment_ms(record, "exit_time")
    parts = {
        "time": {
            "open_ts_ms": opened,
            "close_ts_ms": closed,
            "duration_seconds": Decimal(closed - opened) / MS_PER_SECOND if closed >= opened else Decimal(0),
        },
        "prices": {"avg_entry": fields.number(record, "entry_price"), "avg_exit": fields.number(record, "exit_price")},
        "quantity": {"total": quantity.copy_abs()},
        "pnl": {
            "gross": fields.number(record, "realized_gross_pnl"),
            "commission": fields.number(record, "total_commission_dollars"),
            "net": fields.number(record, "realized_net_pnl"),
            # Of our own export: an arena's files name no funding, and their net P&L is taken as it came.
            "is_funding_unknown": True if record.get(FUNDING_UNKNOWN) is True else None,
        },
        "risk": {"leverage": fields.number_or_kept(record, "leverage"), "confidence": fields.confidence(record)},
        "fills": (
            _fill(record, FillType.ENTRY, quantity, opened),
            _fill(record, FillType.EXIT, quantity, closed),
        ),
        "exit_plan": plan_of(record),
    }
    return as_far_as_it_fits(TradeDetail, parts, _AT_SOURCE)


def _fill(record: Record, end: FillType, quantity: Decimal, ts_ms: int) -> dict[str, Any]:
    size = fields.number_or_kept(record, f"{end}_sz")
    liquidation = record.get(f"{end}_liquidation")
    return {
        "type": end,
        "order_id": fields.identifier(record, f"{end}_oid"),
        "fill_id": fields.identifier(record, f"{end}_tid"),
        "price": fields.number(record, f"{end}_price"),
        "quantity": quantity.copy_abs() if size is None else size,
        "commission": fields.number_or_kept(record, f"{end}_commission_dollars"),
        "is_crossed": record.get(f"{end}_crossed"),
        "closed_pnl": fields.number_or_kept(record, f"{end}_closed_pnl"),
        "liquidation": liquidation if isinstance(liquidation, str) else None,
        "ts_ms": ts_ms,
    }


def _digestible(record: Record, fill_id: int | str | None) -> Json:
    """The record, whose digest names a trade without a fill. One that JSON cannot write again is refused here."""
    if fill_id is not None:
        return None
    return remains(record, {})


def _from_row(trade: TradeRecord) -> dict[str, Json]:
    detail, side = trade.detail, trade.side
    time, risk = detail.time, detail.risk
    opened, closed = Decimal(time.open_ts_ms) / MS_PER_SECOND, Decimal(time.close_ts_ms) / MS_PER_SECOND
    total = detail.quantity.total
    confidence = risk.confidence if risk else None
    return {
        TRADER: trade.trader_id,
        "symbol": trade.symbol,
        "side": str(side),
        "trade_type": str(side),
        "trade_id": f"{float(opened)}_{trade.symbol}_{float(closed)}_{trade.trader_id}",
        "quantity": total if side.sign > 0 else total.copy_negate(),
        "leverage": risk.leverage if risk else None,
        "confidence": confidence if confidence is None else confidence / 100,
        "entry_time": opened,
        "exit_time": closed,
        "entry_human_time": human_time(time.open_ts_ms),
        "exit_human_time": human_time(time.close_ts_ms),
        "exit_plan": plan_back(detail.exit_plan),
        "realized_gross_pnl": detail.pnl.gross,
        "realized_net_pnl": detail.pnl.net,
        "total_commission_dollars": detail.pnl.commission,
        **({FUNDING_UNKNOWN: True} if detail.pnl.is_funding_unknown else {}),
        **_fill_back(detail.fills[0]),
        **_fill_back(detail.fills[1]),
    }


def _fill_back(fill: Fill) -> dict[str, Json]:
    back = {
        "price": fill.price,
        "sz": fill.quantity,
        "tid": fill.fill_id,
        "oid": fill.order_id,
        "crossed": fill.is_crossed,
        "liquidation": fill.liquidation,
        "commission_dollars": fill.commission,
        "closed_pnl": fill.closed_pnl,
    }
    return {f"{fill.type}_{name}": value for name, value in back.items()}
