"""Looks after the positions of a trader between its decisions: fills, stops, trailing stops, funding, closes.

The caller holds the trader's lock of this process, so that a cycle and this watch never meet.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from traders.controls import queries as controls
from traders.controls import services as control_services
from traders.schema.controls.rows import AckResult, Control
from traders.schema.messages import _
from trading.alarms import services as alarms
from trading.alarms.rules.catalogue import AlarmName
from trading.manager import queries, recording
from trading.manager.exchanges.paper import PaperExchange
from trading.manager.protocols import (
    ExchangeFailed,
    MarketFailed,
    MarketSource,
    OrderKind,
    OrderStanding,
    OrderState,
    SeenPrice,
)
from trading.manager.queries import TraderNow, Watched
from trading.manager.rules import paper
from trading.manager.rules.orders import exit_order, missing_plan_order, order_again
from trading.manager.rules.paper import PriceGap
from trading.manager.rules.watching import is_due, trailed
from trading.manager.sight import fresh
from trading.record.writing.positions import open_whole
from trading.schema.position import PositionRecord

log = logging.getLogger(__name__)
ACTOR = "system"
# A position whose plan has a stop must have a live stop order this soon, or it is closed.
STOP_WITHIN = timedelta(seconds=10)
# A close that the exchange refused is sent again this much later.
CLOSE_AGAIN_AFTER = timedelta(seconds=5)


@dataclass(frozen=True)
class Attending:
    trader: TraderNow
    exchange: PaperExchange
    market: MarketSource
    now: datetime
    funding_interval: timedelta = paper.FUNDING_INTERVAL
    # Of a cycle that is to be finished first: its orders in these symbols are looked up and recorded by it.
    left_alone: frozenset[str] = frozenset()


def attend(one: Attending) -> int:
    """Everything that is due for the trader's positions. Returns how many positions are open afterwards."""
    record_fills(one.trader.spec.id, one.left_alone)
    held = open_whole(one.trader.spec.id)
    if not held:
        _acknowledge_closes(one, [])
        return 0
    prices = _prices(one, [position.symbol for position in held])
    left = [
        position
        for position in held
        if position.symbol in one.left_alone or _look_after(one, position, prices.get(position.symbol))
    ]
    _acknowledge_closes(one, left)
    return len(left)


def anything_due(one: Attending, seen: Watched) -> bool:
    """Whether `attend` would do something, as far as one look at all traders tells."""
    if seen.is_unclear:
        return True
    if not seen.held:
        return False
    prices = _prices(one, [held.symbol for held in seen.held])
    return any(
        is_due(held, prices[held.symbol].price, one.exchange.terms, one.now, one.funding_interval)
        for held in seen.held
        if held.symbol in prices and held.symbol not in one.left_alone
    )


def _prices(one: Attending, symbols: Sequence[str]) -> dict[str, SeenPrice]:
    """Fresh ones only: a stale price triggers nothing. None where the market fails, which the alarm for stale prices
    reports."""
    try:
        return fresh(one.market.prices(symbols, one.now), one.now)
    except MarketFailed as error:
        log.warning("The stops of %s cannot be watched: %s", one.trader.spec.id, error)
        return {}


def record_fills(trader_id: str, left_alone: frozenset[str] = frozenset(), *, cycle: int = 0) -> None:
    """What filled at the exchange and is not yet in the record: of stops, targets, liquidations and closes. An entry
    belongs to its cycle, which records it, and so does an exit of the cycle that goes on (`cycle`, its number)."""
    filled = [
        one
        for one in queries.filled_and_not_recorded(trader_id)
        if one.asked.kind is not OrderKind.ENTRY
        and one.asked.symbol not in left_alone
        and not (cycle and one.asked.kind is OrderKind.EXIT and one.asked.cycle_number == cycle)
    ]
    if not filled:
        return
    held = {position.symbol: position for position in open_whole(trader_id)}
    for standing in filled:
        _record_exit(held.get(standing.asked.symbol), standing)


def _look_after(one: Attending, held: PositionRecord, price: SeenPrice | None) -> bool:
    """Whether the position is still open afterwards."""
    if price is None:
        return True
    if _close_asked(one, held) is not None and _close(one, held, price, f"close {held.detail.entry.time_ms}"):
        return False
    if (settled := one.exchange.settle(held, PriceGap(price.price), one.now)) is not None:
        _record_exit(held, settled)
        return False
    _pay_funding(one, held, price)
    if not _protect(one, held, price):
        return False
    _trail(one, held, price)
    return True


def _record_exit(held: PositionRecord | None, filled: OrderStanding) -> None:
    if held is None or _is_of_an_earlier_one(held, filled):
        recording.forget_fill(filled)
        return
    recording.exit_filled(held, filled)
    if filled.fill is not None and filled.fill.liquidated:
        alarms.raise_alarm(
            AlarmName.LIQUIDATION,
            _("%(symbol)s of %(trader_id)s was liquidated", symbol=held.symbol, trader_id=held.trader_id),
            subject=held.id,
            traders=[held.trader_id],
        )


def _is_of_an_earlier_one(held: PositionRecord, filled: OrderStanding) -> bool:
    """The position that it ended was closed in the record by another way, and this one was opened since."""
    return filled.fill is not None and int(filled.fill.at.timestamp() * 1000) < held.detail.entry.time_ms


def _protect(one: Attending, held: PositionRecord, price: SeenPrice) -> bool:
    """The stop and the target of the plan rest at the exchange, at the plan's prices. False: no stop could be placed in
    time, and the position was closed."""
    plan = held.detail.exit_plan
    resting = {standing.asked.kind: standing.asked for standing in queries.resting(held.trader_id, held.symbol)}
    wanted = {OrderKind.STOP: plan.sl_price if plan else None, OrderKind.TARGET: plan.tp_price if plan else None}
    for kind, trigger in wanted.items():
        order = resting.get(kind)
        if order is not None and trigger is None:
            one.exchange.cancel(held.trader_id, order.client_order_id, one.now)
        elif order is not None and trigger is not None and order.trigger_price != trigger:
            one.exchange.move(held.trader_id, order.client_order_id, trigger)
        elif order is None and trigger is not None:
            try:
                _place_missing(one, held, kind, trigger, price)
            except ExchangeFailed:
                if kind is OrderKind.STOP and _age(held, one.now) > STOP_WITHIN:
                    return not _close_unprotected(one, held, price)
    return True


def _place_missing(one: Attending, held: PositionRecord, kind: OrderKind, trigger: Decimal, price: SeenPrice) -> None:
    """One that was cancelled, because the plan had none for a while, has a successor with an id of its own."""
    action = missing_plan_order(held, kind, trigger).action
    times, _last = queries.ended(held.trader_id, held.symbol, action, OrderState.CANCELLED)
    one.exchange.place(missing_plan_order(held, kind, trigger, times), price, one.now)


def _close_unprotected(one: Attending, held: PositionRecord, price: SeenPrice) -> bool:
    alarms.raise_alarm(
        AlarmName.NO_LIVE_STOP,
        _(
            "%(symbol)s of %(trader_id)s had no stop order after 10 s and was closed",
            symbol=held.symbol,
            trader_id=held.trader_id,
        ),
        subject=held.id,
        traders=[held.trader_id],
    )
    return _close(one, held, price, f"unprotected {held.detail.entry.time_ms}")


def _trail(one: Attending, held: PositionRecord, price: SeenPrice) -> None:
    """Moves the stop of a plan with a trailing stop, in steps, and records the plan that is valid from then on."""
    plan = held.detail.exit_plan
    if plan is None or plan.trailing_stop_pct is None:
        return
    moved = trailed(held.side, plan.sl_price, PriceGap(price.price), plan.trailing_stop_pct)
    if moved is None:
        return
    recording.plan_moved(held, now=one.now, stop=moved)
    for standing in queries.resting(held.trader_id, held.symbol):
        if standing.asked.kind is OrderKind.STOP:
            one.exchange.move(held.trader_id, standing.asked.client_order_id, moved)


def _pay_funding(one: Attending, held: PositionRecord, price: SeenPrice) -> None:
    """What became due since the last payment, at the mark and the rate of now, as one event. It is marked where the
    market names no rate."""
    events = held.detail.events
    last_ms = max((e.at_ms for e in events if e.funding is not None), default=held.detail.entry.time_ms)
    last = datetime.fromtimestamp(last_ms / 1000, UTC)
    moments = list(paper.funding_moments(last, one.now, one.funding_interval))
    if not moments:
        return
    context = one.market.context([held.symbol], one.now).get(held.symbol)
    rate = context.funding_rate if context else None
    payments = [
        paper.funding_payment(held.side, held.detail.entry.quantity, price.price, rate, moment) for moment in moments
    ]
    recording.plan_moved(
        held,
        now=one.now,
        funding=sum((paid.usd for paid in payments), Decimal(0)),
        is_funding_known=all(paid.is_known for paid in payments),
    )


def _close_asked(one: Attending, held: PositionRecord) -> Control | None:
    """The control that asks for the close of this very position: of this entry, not of a later one."""
    for control in one.trader.state.closes:
        for named in control.detail.get("positions", ()):
            if (named.get("symbol"), named.get("entry_time_ms")) == (held.symbol, held.detail.entry.time_ms):
                return control
    return None


def _close(one: Attending, held: PositionRecord, price: SeenPrice, action: str) -> bool:
    """Whether the position is closed. Its stop and target stay until it is. An exit that was refused is sent again,
    with an id of its own; one of which nothing is known keeps its id, so that it is never filled twice."""
    times, last = queries.ended(held.trader_id, held.symbol, action, OrderState.REFUSED)
    if last is not None and one.now - last < CLOSE_AGAIN_AFTER:
        return False
    try:
        standing = one.exchange.place(exit_order(held, 0, order_again(action, times)), price, one.now)
    except ExchangeFailed as error:
        log.error("%s of %s could not be closed: %s", held.symbol, held.trader_id, error)
        return False
    if standing.fill is None:
        log.error("%s of %s could not be closed: %s", held.symbol, held.trader_id, standing.reason)
        return False
    _record_exit(held, standing)
    return True


def _acknowledge_closes(one: Attending, left: Sequence[PositionRecord]) -> None:
    """A close is done once none of the positions that it names is open."""
    state = one.trader.state
    if not state.closes:
        return
    trader_id = one.trader.spec.id
    open_now = {(position.symbol, position.detail.entry.time_ms) for position in left}
    known = controls.newest_acks([control.id for control in state.closes])
    for control in state.closes:
        named = {(row.get("symbol"), row.get("entry_time_ms")) for row in control.detail.get("positions", ())}
        if (control.id, trader_id) not in known and not named & open_now:
            control_services.acknowledge(
                trader_id=trader_id, control_id=control.id, result=AckResult.DONE, note="", at=one.now, actor=ACTOR
            )


def _age(held: PositionRecord, now: datetime) -> timedelta:
    return now - datetime.fromtimestamp(held.detail.entry.time_ms / 1000, UTC)
