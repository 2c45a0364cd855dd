"""The paper exchange. `manager_orders` is all that it keeps; how it fills is `trading.manager.rules.paper`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Self

from traders.controls.wanted import wanted_of
from traders.schema.settings.trader import Order as OrderSettings
from trading.manager import queries, writer
from trading.manager.protocols import OrderAsked, OrderFilled, OrderKind, OrderStanding, OrderState, SeenPrice
from trading.manager.rules import paper
from trading.manager.rules.liquidation import liquidation_price, margin_of
from trading.manager.rules.orders import exit_order
from trading.manager.rules.paper import ExitCause, PaperFill, PaperTerms, PriceGap
from trading.schema.position import PositionRecord

LIQUIDATION = "liquidation"


@dataclass(frozen=True, slots=True)
class PaperExchange:
    """`lot_of(symbol)`: the smallest step of its quantity."""

    terms: PaperTerms
    lot_of: Callable[[str], Decimal] = lambda symbol: paper.SMALLEST_LOT

    @classmethod
    def of(cls, order: OrderSettings, lot_of: Callable[[str], Decimal] = lambda symbol: paper.SMALLEST_LOT) -> Self:
        """The exchange as a trader's settings describe it."""
        rate = order.paper_maintenance_margin_pct / paper.PERCENT
        return cls(PaperTerms(order.paper_slippage_bps, order.paper_commission_bps, rate), lot_of)

    def place(self, order: OrderAsked, price: SeenPrice, now: datetime) -> OrderStanding:
        """As the protocol says. An entry is refused under a ban, in the transaction that would fill it."""
        with writer.together():
            if not writer.note_sent(order, now):
                return self._known(order)
            if order.kind.rests:
                writer.put_state(order.trader_id, order.client_order_id, OrderState.RESTING)
            elif order.kind is OrderKind.ENTRY and (reason := _ban(order.trader_id, now)):
                writer.put_state(order.trader_id, order.client_order_id, OrderState.REFUSED, reason=reason)
            else:
                self._fill(order, price, now)
            return self._known(order)

    def cancel(self, trader_id: str, client_order_id: str, now: datetime) -> OrderStanding | None:
        with writer.together():
            row = writer.lock_order(trader_id, client_order_id)
            if row is not None and row.state == OrderState.RESTING:
                writer.put_state(trader_id, client_order_id, OrderState.CANCELLED)
        return self.find(trader_id, client_order_id)

    def move(self, trader_id: str, client_order_id: str, trigger_price: Decimal) -> None:
        writer.move_trigger(trader_id, client_order_id, trigger_price)

    def find(self, trader_id: str, client_order_id: str) -> OrderStanding | None:
        return queries.order(trader_id, client_order_id)

    def settle(self, held: PositionRecord, gap: PriceGap, now: datetime) -> OrderStanding | None:
        """What the prices of the gap do to a position: its stop or target fills, or it is liquidated. None: nothing.

        Do not call it with a stale price. The order that filled is not yet recorded."""
        resting = queries.resting(held.trader_id, held.symbol)
        by_kind = {one.asked.kind: one.asked for one in resting}
        stop, target = by_kind.get(OrderKind.STOP), by_kind.get(OrderKind.TARGET)
        entry = held.detail.entry
        leverage = entry.leverage or Decimal(1)
        found = paper.triggered(
            held.side,
            gap,
            stop=stop.trigger_price if stop else None,
            target=target.trigger_price if target else None,
            liquidation=liquidation_price(held.side, entry.price, leverage, self.terms.maintenance_rate),
        )
        if found is None:
            return None
        with writer.together():
            if found.cause is ExitCause.LIQUIDATION:
                # One liquidation a position: its id is made of the moment of the entry.
                asked = exit_order(held, 0, f"{LIQUIDATION} {entry.time_ms}")
                writer.note_sent(asked, now)
                gross = held.side.sign * (found.price - entry.price) * entry.quantity
                fee = max(Decimal(0), margin_of(entry.price, entry.quantity, leverage) + gross)
            else:
                chosen = stop if found.cause is ExitCause.STOP else target
                assert chosen is not None
                asked = chosen
                fee = paper.commission_of(found.price, entry.quantity, self.terms.commission_bps)
            fill = OrderFilled(
                asked.client_order_id,
                found.price,
                entry.quantity,
                fee,
                now,
                liquidated=found.cause is ExitCause.LIQUIDATION,
            )
            writer.put_fill(held.trader_id, fill)
        return self._known(asked)

    def _fill(self, order: OrderAsked, price: SeenPrice, now: datetime) -> None:
        found = paper.filled(
            buys=order.buys,
            style=order.style,
            quantity=order.quantity,
            price=price.price,
            slippage_bps=order.slippage_bps,
            limit_price=order.limit_price,
            terms=self.terms,
            lot=self.lot_of(order.symbol),
        )
        if isinstance(found, PaperFill):
            fill = OrderFilled(order.client_order_id, found.price, found.quantity, found.commission, now)
            writer.put_fill(order.trader_id, fill)
        else:
            writer.put_state(order.trader_id, order.client_order_id, OrderState.REFUSED, reason=str(found.message))

    def _known(self, order: OrderAsked) -> OrderStanding:
        found = self.find(order.trader_id, order.client_order_id)
        assert found is not None  # it was just written
        return found


def _ban(trader_id: str, now: datetime) -> str:
    """Why the trader may open nothing; "" if it may."""
    state = wanted_of([trader_id], now).get(trader_id)
    if state is None or state.entries_allowed:
        return ""
    return "; ".join(str(cause.text) for cause in state.causes)
