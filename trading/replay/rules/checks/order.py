"""Checks that the order is possible. No setting turns them off."""

from __future__ import annotations

from traders.schema.messages import _
from traders.schema.settings.trader import TraderDetail
from trading.replay.rules.checks.moment import CheckRefusal, DecisionMoment, unknown
from trading.schema.decision import Decision

NOT_RECORDED = _("the open positions are not known")


def order_values(decision: Decision, settings: TraderDetail, moment: DecisionMoment) -> CheckRefusal | None:
    """An entry names a positive size, price and leverage."""
    if not decision.action.opens:
        return None
    for name in ("position_size_usd", "entry_price", "leverage"):
        value = getattr(decision, name)
        if value is None:
            return unknown("order_values", _("the decision names no %(field)s", field=name))
        if value <= 0:
            message = _("%(field)s must be above 0, was %(value)s", field=name, value=value)
            return CheckRefusal("order_values", message, value=value, limit=0)
    return None


def already_held(decision: Decision, settings: TraderDetail, moment: DecisionMoment) -> CheckRefusal | None:
    """One position per symbol: an entry hedges none, and increases one only where the settings allow it."""
    if not decision.action.opens:
        return None
    if any(opened.symbol == decision.symbol for opened in moment.opened):
        message = _("%(symbol)s was already opened in this cycle", symbol=decision.symbol)
        return CheckRefusal("already_held", message, value=decision.symbol)
    if moment.positions is None:
        return unknown("already_held", NOT_RECORDED)
    if moment.increased(decision, settings) is not None:
        return None
    for held in moment.positions:
        if held.symbol == decision.symbol:
            message = _("a %(side)s position in %(symbol)s is already open", side=held.side.words, symbol=held.symbol)
            return CheckRefusal("already_held", message, value=decision.symbol)
    return None


def nothing_to_close(decision: Decision, settings: TraderDetail, moment: DecisionMoment) -> CheckRefusal | None:
    """A close needs an open position of its symbol and side."""
    if not decision.action.closes:
        return None
    if moment.positions is None:
        return unknown("nothing_to_close", NOT_RECORDED)
    if any((held.symbol, held.side) == (decision.symbol, decision.action.side) for held in moment.positions):
        return None
    assert decision.action.side is not None  # it closes
    message = _("no %(side)s position in %(symbol)s is open", side=decision.action.side.words, symbol=decision.symbol)
    return CheckRefusal("nothing_to_close", message, value=decision.symbol)
