"""Checks of the symbol of an entry: offered to the model, liquid, not in its cooldown."""

from __future__ import annotations

from datetime import UTC, datetime

from traders.schema.durations import duration_text
from traders.schema.messages import MomentText, _
from traders.schema.settings.trader import TraderDetail
from traders.schema.symbols import folded
from trading.replay.rules.checks.moment import TOLERANCE, CheckRefusal, DecisionMoment, number, unknown
from trading.schema.decision import Decision

CANDIDATES = "detail.exec_guards.candidate_limit"
THRESHOLD = "detail.exec_guards.liquidity_threshold_usd"
COOLDOWN = "detail.exec_guards.cooldown_after_close_seconds"
ALLOWED = "detail.exec_guards.allowed_symbols"
_MOST_NAMED = 10


def symbols(decision: Decision, settings: TraderDetail, moment: DecisionMoment) -> CheckRefusal | None:
    """The symbol is one of those that the trader may open; an empty list allows all. Case alone makes no difference."""
    allowed = settings.exec_guards.allowed_symbols
    if not decision.action.opens or not allowed:
        return None
    if folded(decision.symbol) in {folded(symbol) for symbol in allowed}:
        return None
    message = _(
        "%(symbol)s is none of the %(count)s allowed symbols: %(allowed)s",
        symbol=decision.symbol,
        count=len(allowed),
        allowed=", ".join([*allowed[:_MOST_NAMED], "..."] if len(allowed) > _MOST_NAMED else allowed),
    )
    return CheckRefusal("symbols", message, ALLOWED, allowed, decision.symbol)


def candidate(decision: Decision, settings: TraderDetail, moment: DecisionMoment) -> CheckRefusal | None:
    """The symbol is one of the first `candidate_limit` candidates."""
    if not decision.action.opens:
        return None
    limit = settings.exec_guards.candidate_limit
    if moment.candidates is None:
        return unknown("candidate", _("the candidates are not known"), CANDIDATES, limit)
    offered = moment.candidates
    if decision.symbol in offered[:limit]:
        return None
    if decision.symbol not in offered:
        message = _("%(symbol)s is none of the %(count)s candidates", symbol=decision.symbol, count=len(offered))
        return CheckRefusal("candidate", message, CANDIDATES, limit)
    place = offered.index(decision.symbol) + 1
    message = _(
        "%(symbol)s is candidate %(place)s, and %(limit)s are offered", symbol=decision.symbol, place=place, limit=limit
    )
    return CheckRefusal("candidate", message, CANDIDATES, limit, place)


def liquidity(decision: Decision, settings: TraderDetail, moment: DecisionMoment) -> CheckRefusal | None:
    """Open interest times price is at least the threshold. 0 is no threshold."""
    limit = settings.exec_guards.liquidity_threshold_usd
    if not decision.action.opens or not settings.exec_guards.enable_liquidity_guard or not limit:
        return None
    quote = moment.quote(decision.symbol)
    if quote is None or quote.open_interest is None or not quote.price:
        missing = (
            _("the price of %(symbol)s is not known", symbol=decision.symbol)
            if quote is not None and quote.open_interest is not None
            else _("the open interest of %(symbol)s is not known", symbol=decision.symbol)
        )
        return unknown("liquidity", missing, THRESHOLD, limit)
    value = quote.open_interest * quote.price
    if value + TOLERANCE >= limit:
        return None
    message = _(
        "%(value)s USD of open interest in %(symbol)s (%(quantity)s x %(price)s) is less than %(limit)s USD",
        value=number(value),
        symbol=decision.symbol,
        quantity=number(quote.open_interest),
        price=number(quote.price),
        limit=number(limit),
    )
    return CheckRefusal("liquidity", message, THRESHOLD, limit, value)


def cooldown(decision: Decision, settings: TraderDetail, moment: DecisionMoment) -> CheckRefusal | None:
    """No entry in a symbol during the cooldown after a close. 0 seconds is no cooldown."""
    limit = settings.exec_guards.cooldown_after_close_seconds
    if not decision.action.opens or not settings.exec_guards.enable_cooldown_guard or not limit:
        return None
    if moment.cooldowns is None:
        return unknown("cooldown", _("the cooldowns of that moment are not known"), COOLDOWN, limit)
    until_ms = max((c.until_ms for c in moment.cooldowns if c.symbol == decision.symbol), default=0)
    until = datetime.fromtimestamp(until_ms / 1000, UTC)
    if until <= moment.decided_at:
        return None
    seconds = (until - moment.decided_at).total_seconds()
    message = _(
        "the cooldown of %(symbol)s ends at %(until)s, in %(time)s",
        symbol=decision.symbol,
        until=MomentText(until),
        time=duration_text(seconds),
    )
    return CheckRefusal("cooldown", message, COOLDOWN, limit, until.isoformat())
