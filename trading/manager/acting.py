"""Carries out one decision of a cycle: its order, with the stop and the target that belong to it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from trading.guards import fleet
from trading.manager import queries, recording, writer
from trading.manager import sight as sights
from trading.manager.protocols import (
    ExchangeClient,
    ExchangeFailed,
    MarketFailed,
    MarketSource,
    OrderAsked,
    OrderFilled,
    OrderKind,
    OrderStanding,
    OrderState,
    SeenPrice,
)
from trading.manager.queries import TraderNow
from trading.manager.recording import CycleRecord, EntryDone, ExitDone
from trading.manager.rules.orders import entry_order, exit_order, plan_order
from trading.manager.rules.paper import quantity_for
from trading.manager.rules.plans import plan_after_increase
from trading.manager.rules.schedule import oldest_for_entry
from trading.manager.sight import Sight
from trading.replay.rules.checks.moment import CheckRefusal
from trading.schema.decision import ActionTaken, Decision, Withheld
from trading.schema.position import PositionRecord

NO_PRICE = "no fresh price of {symbol}"


@dataclass(frozen=True)
class Acting:
    """`again(trader)` reads controls, version and locks once more: why no entry may be sent now, "" if one may.
    `may_enter` False: the cycle was interrupted, and entries are looked up but not sent."""

    trader: TraderNow
    market: MarketSource
    exchange: ExchangeClient
    again: Callable[[TraderNow], str]
    clock: Callable[[], datetime]
    lot_of: Callable[[str], Decimal]
    sight: Sight
    record: CycleRecord
    may_enter: bool = True

    def price(self, symbol: str) -> SeenPrice | None:
        """Of this moment: the model may have taken a minute."""
        now = self.clock()
        try:
            return sights.fresh(self.market.prices([symbol], now), now).get(symbol)
        except MarketFailed:
            return None


def act(acting: Acting, decision: Decision, refusals: tuple[CheckRefusal, ...]) -> ActionTaken | None:
    """What was done; None where nothing was asked for. What was filled is in `acting.record`."""
    if not (decision.action.opens or decision.action.closes):
        return None
    if refusals:
        said = "; ".join(f"{refusal.rule}: {refusal.message}" for refusal in refusals)
        return _held_back(decision, tuple(refusal.rule for refusal in refusals), said)
    try:
        return _close(acting, decision) if decision.action.closes else _open(acting, decision)
    except ExchangeFailed as error:
        return _held_back(decision, (Withheld.NO_ANSWER,), f"the exchange did not answer: {error}")


def _close(acting: Acting, decision: Decision) -> ActionTaken:
    """An exit goes out whatever is wanted of the trader by now."""
    held = next((one for one in acting.sight.held if one.symbol == decision.symbol), None)
    if held is None:
        return _held_back(decision, (Withheld.SUPERSEDED,), "the position was closed meanwhile")
    if _is_another(acting.sight, held):
        said = "the position was closed meanwhile, and another one was opened"
        return _held_back(decision, (Withheld.SUPERSEDED,), said)
    price = acting.price(decision.symbol)
    if price is None:
        return _held_back(decision, (Withheld.STALE_PRICES,), NO_PRICE.format(symbol=decision.symbol))
    asked = exit_order(held, acting.record.number, decision.action.value)
    standing = acting.exchange.place(asked, price, acting.clock())
    if standing.state is not OrderState.FILLED:
        return _held_back(decision, (Withheld.EXCHANGE,), standing.reason or standing.state.value, asked)
    acting.record.exits.append(ExitDone(held, standing))
    return _taken(decision, ok=True, order=asked)


def _is_another(sight: Sight, held: PositionRecord) -> bool:
    """An interrupted cycle may be finished days later: what was opened since is not what the model saw."""
    seen = next((one for one in sight.seen.positions or () if one.symbol == held.symbol), None)
    entry = held.detail.entry
    if seen is None or entry.time_ms <= int(sight.decided_at.timestamp() * 1000):
        return seen is None
    return (held.side, entry.price) != (seen.side, seen.entry_price)


def _open(acting: Acting, decision: Decision) -> ActionTaken:
    trader = acting.trader
    price = acting.price(decision.symbol)
    if price is None:
        return _held_back(decision, (Withheld.STALE_PRICES,), NO_PRICE.format(symbol=decision.symbol))
    assert decision.position_size_usd is not None  # the checks saw it
    quantity = quantity_for(decision.position_size_usd, price.price, acting.lot_of(decision.symbol))
    asked = entry_order(trader.spec.id, acting.record.number, decision, trader.spec.detail, quantity)
    standing = None if acting.may_enter else acting.exchange.find(trader.spec.id, asked.client_order_id)
    if standing is None:
        if not acting.may_enter:
            return _held_back(decision, (Withheld.INTERRUPTED,), "the manager ended before the order was sent")
        placed = _placed(acting, decision, asked, price)
        if not isinstance(placed, OrderStanding):
            return placed
        standing = placed
    if standing.state is not OrderState.FILLED or standing.fill is None:
        return _held_back(decision, (Withheld.EXCHANGE,), standing.reason or standing.state.value, asked)
    closed = {done.held.symbol for done in acting.record.exits}
    increased = next((one for one in acting.sight.held if one.symbol == decision.symbol), None)
    if increased is not None and not acting.may_enter and _is_another(acting.sight, increased):
        recording.forget_fill(standing)
        return _held_back(decision, (Withheld.INTERRUPTED,), "the symbol was opened meanwhile", asked)
    if increased is None or decision.symbol in closed:
        stop = _behind(acting, standing, OrderKind.STOP, decision.stop_loss, price)
        target = _behind(acting, standing, OrderKind.TARGET, decision.take_profit, price)
        acting.record.entries.append(EntryDone(decision, standing, stop, target))
    else:
        # Its stop and target are for all that is held. They follow the plan: the watch moves them within a second.
        plan = plan_after_increase(increased.side, increased.detail.exit_plan, decision)
        has_new = plan != increased.detail.exit_plan
        acting.record.entries.append(EntryDone(decision, standing, is_increase=True, plan=plan if has_new else None))
    return _taken(decision, ok=True, order=asked)


def _placed(acting: Acting, decision: Decision, asked: OrderAsked, price: SeenPrice) -> OrderStanding | ActionTaken:
    """How the entry stands, or why it was held back. A trader with capital of its own is no part of the fleet's
    exposure."""
    spec = acting.trader.spec
    is_limited = not spec.detail.paper_capital_usd and fleet.limits_exposure()
    # While it waits for another entry of the fleet, a ban may be given: so everything is looked at behind the wait.
    with writer.one_entry_of_the_fleet() if is_limited else nullcontext():
        if kept := _kept_back(acting, decision):
            return kept
        now = acting.clock()
        if is_limited:
            entry = fleet.FilledOrder(spec.id, asked.symbol, asked.side, asked.quantity, price.price)
            filled = [_filled(one.asked, one.fill) for one in queries.in_no_position_yet() if one.fill]
            if (over := fleet.over_with(entry, filled, now)) is not None:
                return _held_back(decision, (Withheld.FLEET_EXPOSURE,), str(over))
        return acting.exchange.place(asked, price, now)


def _kept_back(acting: Acting, decision: Decision) -> ActionTaken | None:
    """Why the entry may not be sent now, by what has changed since the model was asked."""
    trader, sight = acting.trader, acting.sight
    if reason := acting.again(trader):
        return _held_back(decision, (Withheld.SUPERSEDED,), reason)
    if any(one.symbol == decision.symbol for one in sight.held) and not _was_held(acting, decision):
        return _held_back(decision, (Withheld.SUPERSEDED,), "the symbol was opened meanwhile")
    if acting.clock() - sight.prices_at > oldest_for_entry(trader.interval_seconds):
        said = f"the prices that the decision saw are of {sight.prices_at:%H:%M:%S} UTC"
        return _held_back(decision, (Withheld.STALE_PRICES,), said)
    return None


def _filled(asked: OrderAsked, fill: OrderFilled) -> fleet.FilledOrder:
    is_exit = asked.kind is not OrderKind.ENTRY
    return fleet.FilledOrder(asked.trader_id, asked.symbol, asked.side, fill.quantity, fill.price, is_exit)


def _was_held(acting: Acting, decision: Decision) -> bool:
    """As the model saw it, or as this cycle leaves it: then the checks knew of it."""
    if any(done.held.symbol == decision.symbol for done in acting.record.exits):
        return True
    return any(held.symbol == decision.symbol for held in acting.sight.seen.positions or ())


def _behind(
    acting: Acting, entry: OrderStanding, kind: OrderKind, trigger: Decimal | None, price: SeenPrice
) -> OrderStanding | None:
    """The stop or target of what was filled. Where the exchange does not answer, the watch of stops sends it again, and
    closes the position if it cannot."""
    if not trigger or entry.fill is None:
        return None
    try:
        return acting.exchange.place(plan_order(entry.asked, kind, trigger, entry.fill.quantity), price, acting.clock())
    except ExchangeFailed:
        return None


def _held_back(decision: Decision, rules: tuple[str, ...], said: str, order: OrderAsked | None = None) -> ActionTaken:
    return _taken(decision, ok=False, error=said, rules=rules, order=order)


def _taken(
    decision: Decision, *, ok: bool, error: str = "", rules: tuple[str, ...] = (), order: OrderAsked | None = None
) -> ActionTaken:
    return ActionTaken(
        symbol=decision.symbol,
        action=decision.action,
        leverage=decision.leverage,
        position_size_usd=decision.position_size_usd,
        entry_price=decision.entry_price,
        stop_loss=decision.stop_loss,
        take_profit=decision.take_profit,
        confidence=decision.confidence,
        order_id=order.client_order_id if order else None,
        ok=ok,
        refused_by=rules or None,
        error=error or None,
    )
