"""A trade and a position, each laid out as a ticket."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from trading.models import Position, Trade
from trading.record.browse.links import decisions_naming
from trading.record.check.admin import unknown_leaves, unreadable_view
from trading.record.exclusions.admin import mark_of
from trading.record.pages import Room
from trading.record.stored import rows
from trading.record.tickets.leaves import Layout, sections, table, value_at
from trading.record.tickets.price_scale import price_scale
from trading.schema.exclusion import RecordKind
from trading.schema.ids import aside_position_id
from trading.schema.position import PositionDetail
from trading.schema.tolerant import NotReadable
from trading.schema.trade import TradeDetail
from trading.schema.unreadable import Unreadable

TRADE: Layout = (
    (
        gettext_lazy("Entry"),
        (
            *("time.open_ts_ms", "prices.avg_entry", "quantity.total", "risk.leverage", "risk.confidence"),
            "versions.entry",
        ),
    ),
    (gettext_lazy("Exit"), ("time.close_ts_ms", "prices.avg_exit", "time.duration_seconds", "versions.exit")),
    (gettext_lazy("Result"), ("pnl.gross", "pnl.commission", "pnl.net")),
    (gettext_lazy("Plan"), ("exit_plan.*",)),
    (gettext_lazy("Exchange"), ("exchange.*",)),
    (gettext_lazy("Source"), ("origin.*",)),
)
POSITION: Layout = (
    (gettext_lazy("Entry"), ("entry.*", "risk.*", "versions.entry")),
    (gettext_lazy("Exit"), ("close.*", "versions.exit")),
    (gettext_lazy("Plan"), ("exit_plan.*",)),
    (gettext_lazy("Orders"), ("orders.*",)),
    (gettext_lazy("Last report"), ("reported.*",)),
    (gettext_lazy("Exchange"), ("exchange.*",)),
    (gettext_lazy("Source"), ("origin.*",)),
)
HUNDRED = Decimal(100)


def trade_view(room: Room, trade_id: str) -> HttpResponse:
    trade = Trade.objects.filter(pk=trade_id).first()
    if trade is None:
        return room.gone(trade_id)
    try:
        found = rows.trade_detail(trade)
    except NotReadable as refused:
        return unreadable_view(room, Unreadable("trades", trade.id, refused.path, refused.reason), trade.trader_id)
    detail = _with_versions(found.known, closed=True)
    entry, exit_price = (value_at(detail, f"prices.{name}") for name in ("avg_entry", "avg_exit"))
    return room.render(
        "trade.html",
        _("%(symbol)s trade of %(trader)s") % {"symbol": trade.symbol, "trader": trade.trader_id},
        trade=trade,
        mark=mark_of(room, RecordKind.TRADE, trade.id),
        held_ms=trade.close_ts_ms - detail["time"]["open_ts_ms"],
        net=trade.net_pnl,
        notional=entry * trade.quantity,
        return_pct=HUNDRED * trade.net_pnl / (entry * trade.quantity),
        straddles=value_at(detail, "versions.entry") != value_at(detail, "versions.exit"),
        scale=price_scale(entry=entry, exit=exit_price, net=trade.net_pnl, plan=detail.get("exit_plan") or {}),
        sections=sections(TradeDetail, detail, TRADE, trader_id=trade.trader_id),
        unknown=unknown_leaves(found),
        fills=table(TradeDetail, detail, "fills", trader_id=trade.trader_id),
        decisions=decisions_naming(
            trade.trader_id,
            [fill.order_id for fill in found.detail.fills],
            between=(detail["time"]["open_ts_ms"], trade.close_ts_ms),
        ),
        positions=Position.objects.filter(
            opened_ms=detail["time"]["open_ts_ms"], trader=trade.trader_id, symbol=trade.symbol
        ).values_list("pk", "status"),
    )


def position_view(room: Room, position_id: str) -> HttpResponse:
    position = Position.objects.filter(pk=position_id).first()
    if position is None:
        return room.gone(position_id)
    try:
        found = rows.position_detail(position)
    except NotReadable as refused:
        row = Unreadable("positions", position.id, refused.path, refused.reason)
        return unreadable_view(room, row, position.trader_id)
    detail = _with_versions(found.known, closed=position.status == "closed")
    close = detail.get("close") or {}
    return room.render(
        "position.html",
        _("%(symbol)s position of %(trader)s") % {"symbol": position.symbol, "trader": position.trader_id},
        position=position,
        mark=mark_of(room, RecordKind.POSITION, position.id, _id_aside(position)),
        close=close,
        held_ms=close.get("time_ms", _now_ms()) - position.opened_ms,
        notional=position.entry_price * position.quantity,
        scale=price_scale(
            entry=position.entry_price,
            exit=close.get("price"),
            net=close.get("pnl"),
            plan=detail.get("exit_plan") or {},
        ),
        sections=sections(PositionDetail, detail, POSITION, trader_id=position.trader_id),
        unknown=unknown_leaves(found),
        decisions=decisions_naming(
            position.trader_id,
            [value_at(detail, "orders.entry_oid")],
            between=(position.opened_ms, close.get("time_ms", position.opened_ms)),
        ),
        trades=Trade.objects.filter(
            trader=position.trader_id, close_ts_ms=close["time_ms"], symbol=position.symbol
        ).values_list("pk", "net_pnl")
        if close
        else (),
    )


def _id_aside(position: Position) -> str:
    """The id that it had while it was open and set aside."""
    return aside_position_id(position.trader_id, position.symbol, position.opened_ms, position.side)


def _now_ms() -> int:
    return int(timezone.now().timestamp() * 1000)


def _with_versions(detail: Mapping[str, Any], *, closed: bool) -> dict[str, Any]:
    """A version that is not known is the time before the first one; an open position has no exit."""
    versions = detail.get("versions") or {}
    entry, exit_version = versions.get("entry") or 0, (versions.get("exit") or 0) if closed else None
    return {**detail, "versions": {"entry": entry, "exit": exit_version}}
