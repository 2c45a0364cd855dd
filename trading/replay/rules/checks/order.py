"""Whether the order makes sense at all. No setting turns these off."""

from __future__ import annotations

from traders.schema.settings.trader import TraderDetail
from trading.replay.rules.checks.moment import CheckRefusal, Moment, unknown
from trading.schema.decision import Decision

NOT_RECORDED = "the open positions are not known"


def order_values(decision: Decision, settings: TraderDetail, moment: Moment) -> CheckRefusal | None:
    """An entry names a positive size, price and leverage."""
    if not decision.action.opens:
        return None
    for name in ("position_size_usd", "entry_price", "leverage"):
        value = getattr(decision, name)
        if value is None:
            return unknown("order_values", f"the decision names no {name}")
        if value <= 0:
            return CheckRefusal("order_values", f"{name} must be above 0, was {value}", value=value, limit=0)
    return None


def already_held(decision: Decision, settings: TraderDetail, moment: Moment) -> CheckRefusal | None:
    """One position per symbol: neither added to nor hedged."""
    if not decision.action.opens:
        return None
    if any(opened.symbol == decision.symbol for opened in moment.opened):
        return CheckRefusal(
            "already_held", f"{decision.symbol} was opened in this cycle already", value=decision.symbol
        )
    if moment.positions is None:
        return unknown("already_held", NOT_RECORDED)
    for held in moment.positions:
        if held.symbol == decision.symbol:
            return CheckRefusal(
                "already_held", f"{decision.symbol} is held already, {held.side}", value=decision.symbol
            )
    return None


def nothing_to_close(decision: Decision, settings: TraderDetail, moment: Moment) -> CheckRefusal | None:
    """A close meets a position of its symbol and side."""
    if not decision.action.closes:
        return None
    if moment.positions is None:
        return unknown("nothing_to_close", NOT_RECORDED)
    if any((held.symbol, held.side) == (decision.symbol, decision.action.side) for held in moment.positions):
        return None
    return CheckRefusal(
        "nothing_to_close", f"no {decision.action.side} position in {decision.symbol} is held", value=decision.symbol
    )
