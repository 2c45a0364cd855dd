"""The tickets of a trade and of a position: what stands on them beside the leaves of their detail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from traders.words.messages import translated
from trading.models import Position, Trade
from trading.record.browse.links import BehindTrade, behind, decisions_naming
from trading.record.exclusions.admin import mark_of
from trading.record.rules.contradictions import contradictions
from trading.record.stored import rows
from trading.record.tickets.leaves import Layout, LeafTable, items_at, table, value_at
from trading.record.tickets.price_scale import price_scale
from trading.schema.common import Side
from trading.schema.exclusion import RecordKey, RecordKind
from trading.schema.ids import aside_position_id
from trading.schema.position import PositionDetail
from trading.schema.trade import FillType, TradeDetail

TRADE: Layout = (
    (
        "entry",
        gettext_lazy("Entry"),
        (
            *("time.open_ts_ms", "prices.avg_entry", "quantity.total", "risk.leverage", "risk.confidence"),
            "versions.entry",
        ),
    ),
    ("exit", gettext_lazy("Exit"), ("time.close_ts_ms", "prices.avg_exit", "time.duration_seconds", "versions.exit")),
    (
        "result",
        gettext_lazy("Result"),
        ("pnl.gross", "pnl.commission", "pnl.funding", "pnl.net", "pnl.is_funding_unknown"),
    ),
    ("plan", gettext_lazy("Plan"), ("exit_plan.*",)),
    ("exchange", gettext_lazy("Exchange"), ("exchange.*",)),
    ("source", gettext_lazy("Source"), ("origin.*", "extra", "corrects", "against_control.*")),
)
POSITION: Layout = (
    ("entry", gettext_lazy("Entry"), ("entry.*", "risk.*", "versions.entry")),
    ("exit", gettext_lazy("Exit"), ("close.*", "versions.exit")),
    ("parts", gettext_lazy("Closed parts"), ("realized.*",)),
    ("plan", gettext_lazy("Plan"), ("exit_plan.*",)),
    ("orders", gettext_lazy("Orders"), ("orders.*",)),
    ("report", gettext_lazy("Last report"), ("reported.*",)),
    ("exchange", gettext_lazy("Exchange"), ("exchange.*",)),
    ("source", gettext_lazy("Source"), ("origin.*", "extra", "corrects", "against_control.*")),
)
HUNDRED = Decimal(100)


def trade_context(request: HttpRequest, trade: Any) -> dict[str, Any]:
    """`trade` is a models.Trade with its `reading` and `shown_detail`."""
    detail = trade.shown_detail
    entry, exit_price = (value_at(detail, f"prices.{name}") for name in ("avg_entry", "avg_exit"))
    return {
        "title": _("%(symbol)s trade of %(trader)s") % {"symbol": trade.symbol, "trader": trade.trader_id},
        "trade": trade,
        "mark": mark_of(request, RecordKey(RecordKind.TRADE, trade.id, trade.trader_id)),
        "held_ms": trade.close_ts_ms - detail["time"]["open_ts_ms"],
        "net": trade.net_pnl,
        "against": detail.get("against_control"),
        "notional": entry * trade.quantity,
        "return_pct": HUNDRED * trade.net_pnl / (entry * trade.quantity),
        "funding_unknown": value_at(detail, "pnl.is_funding_unknown"),
        "straddles": value_at(detail, "versions.entry") != value_at(detail, "versions.exit"),
        "scale": price_scale(entry=entry, exit=exit_price, net=trade.net_pnl, plan=detail.get("exit_plan") or {}),
        "contradictions": [translated(text) for text in contradictions(Side(trade.side), trade.reading.detail)],
        "fills": table(TradeDetail, detail, "fills", trader_id=trade.trader_id),
        "events": _events_of(trade, detail["time"]["open_ts_ms"]),
        "behind": _behind_trade(trade, detail["time"]["open_ts_ms"]),
        "positions": Position.objects.filter(
            opened_ms=detail["time"]["open_ts_ms"], trader=trade.trader_id, symbol=trade.symbol
        ).values_list("pk", "status"),
    }


def position_context(request: HttpRequest, position: Any) -> dict[str, Any]:
    """`position` is a models.Position with its `reading` and `shown_detail`."""
    detail = position.shown_detail
    close = detail.get("close") or {}
    same = Trade.objects.filter(trader=position.trader_id, symbol=position.symbol)
    trades = list(same.filter(close_ts_ms=close["time_ms"]).only("id", "net_pnl", "detail")) if close else []
    return {
        "title": _("%(symbol)s position of %(trader)s") % {"symbol": position.symbol, "trader": position.trader_id},
        "position": position,
        "mark": mark_of(request, RecordKey(RecordKind.POSITION, position.id, position.trader_id), _id_aside(position)),
        "close": close,
        "against": detail.get("against_control"),
        "held_ms": close.get("time_ms", _now_ms()) - position.opened_ms,
        "notional": position.entry_price * position.quantity,
        "scale": price_scale(
            entry=position.entry_price,
            exit=close.get("price"),
            net=close.get("pnl"),
            plan=detail.get("exit_plan") or {},
        ),
        "events": table(PositionDetail, detail, "events", trader_id=position.trader_id),
        "behind": _behind_position(position, detail, trades, close.get("time_ms", position.opened_ms)),
        "trades": [(one.pk, one.net_pnl) for one in trades],
    }


def trade_detail_shown(trade: Any) -> Mapping[str, Any]:
    return _with_versions(trade.reading.known, closed=True)


def position_detail_shown(position: Any) -> Mapping[str, Any]:
    return _with_versions(position.reading.known, closed=position.status == "closed")


def _behind_trade(trade: Any, opened_ms: int) -> BehindTrade:
    fills = trade.reading.detail.fills
    entry, left = ([fill.order_id for fill in fills if fill.type is kind] for kind in (FillType.ENTRY, FillType.EXIT))
    return behind(
        decisions_naming(trade.trader_id, [*entry, *left], between=(opened_ms, trade.close_ts_ms)), entry, left
    )


def _behind_position(position: Any, detail: Mapping[str, Any], trades: Sequence[Trade], left_ms: int) -> BehindTrade:
    """An exit is named by the fills of its trade."""
    entry = [value_at(detail, "orders.entry_oid")]
    fills = [fill for one in trades for fill in items_at(one.detail, "fills") if fill.get("type") == FillType.EXIT]
    left = [fill.get("order_id") for fill in fills]
    found = decisions_naming(position.trader_id, [*entry, *left], between=(position.opened_ms, left_ms))
    return behind(found, entry, left)


def _events_of(trade: Trade, opened_ms: int) -> LeafTable:
    """Those of the position that the trade closed."""
    same = rows.POSITIONS.filter(trader=trade.trader_id, symbol=trade.symbol, opened_ms=opened_ms, side=trade.side)
    found = next((one for one in rows.positions(same) if one.detail.events), None)
    detail = found.detail.stored() if found else {}
    return table(PositionDetail, detail, "events", trader_id=trade.trader_id)


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
