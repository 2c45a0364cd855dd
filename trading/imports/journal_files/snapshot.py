"""What the engine saw, field by field: account, positions, market, and what it did."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from traders.schema.messages import _
from trading.imports.journal_files.fields import Fields, symbol
from trading.record.rules.errors import InvalidRecord
from trading.schema.common import Side
from trading.schema.decision import Account, Action, ActionTaken, HeldPosition, Quote

ACCOUNT = ("equity", "available", "used_margin", "used_pct", "positions")
POSITION = ("symbol", "side", "qty", "lev", "entry", "mark", "upnl", "liq")
MARKET = ("price", "chg1h", "chg4h", "oi_latest", "funding")
ACTION = (
    *("symbol", "action", "leverage", "position_size_usd", "entry_price", "stop_loss", "take_profit"),
    *("confidence", "order_id", "result", "error"),
)
RESULTS = ("ok", "error")
Aside = dict[str, Any]


def account(value: Any, aside: Aside) -> Account:
    fields = Fields("account_snapshot", value, ACCOUNT, aside)
    return Account(
        equity_usd=fields.number("equity"),
        available_usd=fields.number("available"),
        used_margin_usd=fields.number("used_margin"),
        used_margin_pct=fields.number("used_pct"),
        positions=fields.whole("positions"),
    )


def position(index: int, value: Any, aside: Aside) -> HeldPosition:
    fields = Fields(f"positions_snapshot[{index}]", value, POSITION, aside)
    side = Side(fields.choice("side", tuple(Side)))
    return HeldPosition(
        symbol=fields.symbol(),
        side=side,
        quantity=_quantity(fields, side),
        leverage=fields.number("lev", least=0),
        entry_price=fields.number("entry", least=0),
        mark_price=fields.number("mark", least=0),
        unrealized_pnl=fields.number("upnl"),
        liquidation_price=fields.number("liq", least=0),
    )


def _quantity(fields: Fields, side: Side) -> Decimal:
    """Stored positive: some engines sign that of a short, none that of a long."""
    quantity = fields.required_number("qty")
    if quantity < 0 and side is Side.LONG:
        raise InvalidRecord(
            fields.at("qty"), _("must not be negative for a long position, was %(quantity)s", quantity=quantity)
        )
    return abs(quantity)


def quote(name: str, value: Any, aside: Aside) -> Quote:
    """`value` null: the engine had no market data of the symbol."""
    fields = Fields(f"market_snap_digest.{name}", {} if value is None else value, MARKET, aside)
    return Quote(
        symbol=symbol("market_snap_digest", name),
        price=fields.number("price", least=0),
        change_1h=fields.number("chg1h"),
        change_4h=fields.number("chg4h"),
        open_interest=fields.number("oi_latest", least=0),
        funding=fields.number("funding"),
    )


def action(index: int, value: Any, aside: Aside) -> ActionTaken:
    """A result other than ok and error, such as `skipped`, is the error of an action that was not done."""
    fields = Fields(f"actions[{index}]", value, ACTION, aside)
    result = fields.word("result").lower()
    return ActionTaken(
        symbol=fields.symbol(),
        action=Action.named(fields.word("action")),
        leverage=fields.number("leverage", least=0),
        position_size_usd=fields.number("position_size_usd", least=0),
        entry_price=fields.number("entry_price", least=0),
        stop_loss=fields.number("stop_loss", least=0),
        take_profit=fields.number("take_profit", least=0),
        confidence=fields.confidence(),
        order_id=fields.identifier("order_id"),
        ok=result == "ok",
        error=fields.text("error") or (None if result in RESULTS else result),
    )
