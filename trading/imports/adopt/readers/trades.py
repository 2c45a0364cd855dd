"""A row of `trades`, in the columns of the first generation, as a trade."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from traders.schema.messages import _
from trading.imports.adopt.readers import values
from trading.imports.adopt.readers.kept import exchange_of, kept, origin
from trading.imports.adopt.readers.values import Ids, Row
from trading.imports.arena.fields import identifier
from trading.imports.arena.plans import plan_back, plan_of
from trading.imports.arena.trades import human_time
from trading.imports.arena.unreadable_file import as_far_as_it_fits
from trading.record.rules.errors import InvalidRecord
from trading.schema.common import NANOSECONDS_PER_MS, Side
from trading.schema.ids import short_digest, trade_id
from trading.schema.spelling import Spell
from trading.schema.trade import MS_PER_SECOND, Fill, FillType, TradeDetail, TradeRecord

# What the engine writes as the type of every trade.
ENGINE_TYPE = "close"
# These stand in the trade itself, in another form where they were normalised.
_TAKEN = frozenset(
    {
        *("id", "model_id", "exchange_provider", "symbol", "side", "quantity", "entry_price", "exit_price"),
        *("entry_ts_ms", "exit_ts_ms", "entry_sz", "exit_sz", "entry_commission_dollars", "exit_commission_dollars"),
        *("entry_closed_pnl", "exit_closed_pnl", "realized_gross_pnl", "realized_net_pnl", "total_commission_dollars"),
        *("created_at", "updated_at", "extra"),
    }
)
_AT_SOURCE = {
    "time": "exit_ts_ms",
    "prices.avg_entry": "entry_price",
    "prices.avg_exit": "exit_price",
    "quantity.total": "quantity",
    "pnl.gross": "realized_gross_pnl",
    "pnl.net": "realized_net_pnl",
    "pnl.commission": "total_commission_dollars",
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


def read_trade(row: Row, ids: Ids, spell: Spell) -> TradeRecord:
    """Raises InvalidRecord. `versions` is filled in by the caller, who knows the trader's history."""
    trader_id, symbol = values.trader_id(row, ids), spell(values.symbol(row))
    quantity = values.number(row, "quantity" if row.get("quantity") is not None else "entry_sz")
    side = values.side(row, quantity)
    detail = _detail(row, quantity)
    name = _id(row, trader_id, symbol, detail.time.close_ts_ms)
    trade = TradeRecord(name, trader_id, symbol, side, detail, created_at=values.moment(row, "created_at"))
    made = origin(str(values.given(row, "id")), kept(row, _TAKEN, _given_back(trade, row)))
    return TradeRecord(
        name, trader_id, symbol, side, detail.model_copy(update={"origin": made}), created_at=trade.created_at
    )


def is_of_engine(row: Row) -> bool:
    """Written by the engine when it closed a position, and not by the program that loaded published files."""
    return row.get("trade_type") in (ENGINE_TYPE, None)


def _id(row: Row, trader_id: str, symbol: str, close_ms: int) -> str:
    """The engine's own id is the one that its trades have here; it says the close to the nanosecond."""
    last = str(values.given(row, "id")).rpartition("|")[2]
    if last.isascii() and last.isdigit() and int(last) // NANOSECONDS_PER_MS == close_ms:
        return trade_id(trader_id, symbol, int(last))
    return f"{trade_id(trader_id, symbol, close_ms * NANOSECONDS_PER_MS)}|{short_digest([row['id']])}"


def _detail(row: Row, quantity: Decimal) -> TradeDetail:
    opened, closed = values.moment_ms(row, "entry_ts_ms"), values.moment_ms(row, "exit_ts_ms")
    if closed < opened:
        raise InvalidRecord("exit_ts_ms", _("the exit is before the entry"))
    parts: dict[str, Any] = {
        "time": {
            "open_ts_ms": opened,
            "close_ts_ms": closed,
            "duration_seconds": Decimal(closed - opened) / MS_PER_SECOND,
        },
        "prices": {"avg_entry": values.number(row, "entry_price"), "avg_exit": values.number(row, "exit_price")},
        "quantity": {"total": quantity.copy_abs()},
        "pnl": _pnl(row),
        "risk": {
            "leverage": values.number_or_none(row, "leverage"),
            "confidence": values.confidence(row, is_of_engine=is_of_engine(row)),
        },
        "exchange": {"provider": exchange_of(row)},
        "fills": (
            _fill(row, FillType.ENTRY, quantity, opened),
            _fill(row, FillType.EXIT, quantity, closed),
        ),
        "exit_plan": plan_of(row),
        "extra": row.get("extra") or None,
    }
    return as_far_as_it_fits(TradeDetail, parts, _AT_SOURCE)


def _pnl(row: Row) -> dict[str, Decimal]:
    """An engine that reports the net alone knows of no commission: gross is the same."""
    net, gross = values.number(row, "realized_net_pnl"), values.number_or_none(row, "realized_gross_pnl")
    commission = values.number_or_none(row, "total_commission_dollars") or Decimal(0)
    if gross is None and commission:
        raise InvalidRecord("realized_gross_pnl", _("is required where there is a commission"))
    return {"gross": net if gross is None else gross, "commission": commission, "net": net}


def _fill(row: Row, end: FillType, quantity: Decimal, ts_ms: int) -> dict[str, Any]:
    size, liquidation = values.number_or_none(row, f"{end}_sz"), row.get(f"{end}_liquidation")
    crossed = row.get(f"{end}_crossed")
    return {
        "type": end,
        "order_id": identifier(row, f"{end}_oid"),
        "fill_id": identifier(row, f"{end}_tid"),
        "price": values.number(row, f"{end}_price"),
        "quantity": (quantity if size is None else size).copy_abs(),
        "commission": values.number_or_none(row, f"{end}_commission_dollars"),
        # The engine writes false and does not know.
        "is_crossed": None if is_of_engine(row) and crossed is False else crossed,
        "closed_pnl": values.number_or_none(row, f"{end}_closed_pnl"),
        "liquidation": liquidation if isinstance(liquidation, str) else None,
        "ts_ms": ts_ms,
    }


def _given_back(trade: TradeRecord, row: Row) -> dict[str, Any]:
    detail, risk = trade.detail, trade.detail.risk
    scale = 1 if is_of_engine(row) else 100
    said = risk.confidence / scale if risk and risk.confidence is not None else None
    found: dict[str, Any] = {
        "trade_type": ENGINE_TYPE if is_of_engine(row) else str(trade.side),
        "leverage": risk.leverage if risk else None,
        "confidence": said,
        "exit_plan": plan_back(detail.exit_plan),
    }
    for fill in detail.fills:
        found |= _fill_back(fill, row)
    return found


def _fill_back(fill: Fill, row: Row) -> dict[str, Any]:
    written = f"{fill.type}_human_time"
    return {
        # Only the published files have it.
        written: human_time(fill.ts_ms) if row.get(written) else None,
        f"{fill.type}_oid": fill.order_id,
        f"{fill.type}_tid": fill.fill_id,
        f"{fill.type}_crossed": False if is_of_engine(row) and fill.is_crossed is None else fill.is_crossed,
        f"{fill.type}_liquidation": fill.liquidation,
    }


def side_and_open(trade: TradeRecord) -> tuple[str, str, Side, int]:
    """By what a position finds its trade: trader, symbol, side and the moment of the entry."""
    return trade.trader_id, trade.symbol, trade.side, trade.detail.time.open_ts_ms
