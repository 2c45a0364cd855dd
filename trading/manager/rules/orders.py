"""The orders that decisions and positions ask for."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from traders.schema.settings.trader import OrderStyle, TraderDetail
from trading.manager.protocols import OrderAsked, OrderKind
from trading.manager.rules.order_ids import client_order_id
from trading.schema.decision import Decision
from trading.schema.position import PositionRecord

# An exit must not fail for the price of now, so it is asked for at any price.
EXIT_SLIPPAGE_BPS = Decimal(10_000)
AGAIN = " again "
"""Between an order's action and how often it was sent before: each repetition has an id of its own."""


def entry_order(
    trader_id: str, cycle_number: int, decision: Decision, settings: TraderDetail, quantity: Decimal
) -> OrderAsked:
    assert decision.action.side is not None  # it opens
    return OrderAsked(
        client_order_id=client_order_id(trader_id, cycle_number, decision.symbol, decision.action),
        trader_id=trader_id,
        cycle_number=cycle_number,
        action=decision.action.value,
        symbol=decision.symbol,
        kind=OrderKind.ENTRY,
        side=decision.action.side,
        quantity=quantity,
        style=OrderStyle(settings.order.style),
        slippage_bps=settings.order.slippage_bps,
        leverage=decision.leverage or Decimal(1),
        limit_price=decision.entry_price,
    )


def exit_order(held: PositionRecord, cycle_number: int, action: str) -> OrderAsked:
    """Closes what is held of the position. A market order: an exit must not stay because of a limit."""
    return _of_position(held, cycle_number, action, OrderKind.EXIT, None)


def order_again(action: str, times: int) -> str:
    """The action of an order that was refused or cancelled so many times. The same for whoever repeats it, so that it
    is sent once."""
    return f"{action}{AGAIN}{times}" if times else action


def plan_order(entry: OrderAsked, kind: OrderKind, trigger_price: Decimal, quantity: Decimal) -> OrderAsked:
    """The stop or the target of an entry that was filled, in its cycle."""
    own_id = client_order_id(entry.trader_id, entry.cycle_number, entry.symbol, kind)
    return replace(
        entry,
        client_order_id=own_id,
        action=kind.value,
        kind=kind,
        quantity=quantity,
        style=OrderStyle.MARKET_IOC,
        slippage_bps=EXIT_SLIPPAGE_BPS,
        limit_price=None,
        trigger_price=trigger_price,
    )


def missing_plan_order(held: PositionRecord, kind: OrderKind, trigger_price: Decimal, times: int = 0) -> OrderAsked:
    """As `plan_order`, of a position whose stop or target rests nowhere. Its id is made of entry and trigger, so that
    it is sent once, and again where the plan has moved since, or where it was cancelled so many `times`."""
    action = order_again(f"{kind} {held.detail.entry.time_ms} {trigger_price.normalize():f}", times)
    return _of_position(held, 0, action, kind, trigger_price)


def _of_position(
    held: PositionRecord, cycle_number: int, action: str, kind: OrderKind, trigger_price: Decimal | None
) -> OrderAsked:
    entry = held.detail.entry
    return OrderAsked(
        client_order_id=client_order_id(held.trader_id, cycle_number, held.symbol, action),
        trader_id=held.trader_id,
        cycle_number=cycle_number,
        action=action,
        symbol=held.symbol,
        kind=kind,
        side=held.side,
        quantity=entry.quantity,
        style=OrderStyle.MARKET_IOC,
        slippage_bps=EXIT_SLIPPAGE_BPS,
        leverage=entry.leverage or Decimal(1),
        trigger_price=trigger_price,
    )
