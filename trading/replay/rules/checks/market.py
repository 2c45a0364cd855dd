"""Whether the market allows an entry: offered to the model, liquid, and not cooling down."""

from __future__ import annotations

from datetime import UTC, datetime

from traders.schema.settings.trader import TraderDetail
from trading.replay.rules.checks.moment import TOLERANCE, CheckRefusal, Moment, number, unknown
from trading.schema.decision import Decision

CANDIDATES = "detail.exec_guards.candidate_limit"
THRESHOLD = "detail.exec_guards.liquidity_threshold_usd"
COOLDOWN = "detail.exec_guards.cooldown_after_close_seconds"


def candidate(decision: Decision, settings: TraderDetail, moment: Moment) -> CheckRefusal | None:
    """The symbol is one of those offered, of which the limit takes the first."""
    if not decision.action.opens:
        return None
    limit = settings.exec_guards.candidate_limit
    if moment.candidates is None:
        return unknown("candidate", "the candidates are not known", CANDIDATES, limit)
    offered = moment.candidates
    if decision.symbol in offered[:limit]:
        return None
    if decision.symbol not in offered:
        message = f"{decision.symbol} is none of the {len(offered)} candidates"
        return CheckRefusal("candidate", message, CANDIDATES, limit)
    place = offered.index(decision.symbol) + 1
    message = f"{decision.symbol} is candidate {place}, and {limit} are offered"
    return CheckRefusal("candidate", message, CANDIDATES, limit, place)


def liquidity(decision: Decision, settings: TraderDetail, moment: Moment) -> CheckRefusal | None:
    """Open interest times price reaches the threshold; 0 sets none."""
    limit = settings.exec_guards.liquidity_threshold_usd
    if not decision.action.opens or not settings.exec_guards.enable_liquidity_guard or not limit:
        return None
    quote = moment.quote(decision.symbol)
    if quote is None or quote.open_interest is None or not quote.price:
        what = "price" if quote is not None and quote.open_interest is not None else "open interest"
        return unknown("liquidity", f"the {what} of {decision.symbol} is not known", THRESHOLD, limit)
    value = quote.open_interest * quote.price
    if value + TOLERANCE >= limit:
        return None
    message = (
        f"{number(value)} USD of open interest in {decision.symbol} "
        f"({number(quote.open_interest)} x {number(quote.price)}) is less than {number(limit)} USD"
    )
    return CheckRefusal("liquidity", message, THRESHOLD, limit, value)


def cooldown(decision: Decision, settings: TraderDetail, moment: Moment) -> CheckRefusal | None:
    """No entry in a symbol while it cools down after a close; 0 seconds set no cooldown."""
    limit = settings.exec_guards.cooldown_after_close_seconds
    if not decision.action.opens or not settings.exec_guards.enable_cooldown_guard or not limit:
        return None
    if moment.cooldowns is None:
        return unknown("cooldown", "the cooldowns of that moment are not known", COOLDOWN, limit)
    until_ms = max((c.until_ms for c in moment.cooldowns if c.symbol == decision.symbol), default=0)
    until = datetime.fromtimestamp(until_ms / 1000, UTC)
    if until <= moment.decided_at:
        return None
    seconds = (until - moment.decided_at).total_seconds()
    message = f"{decision.symbol} cools down until {until:%Y-%m-%d %H:%M:%S} UTC, {seconds:,.0f} s more"
    return CheckRefusal("cooldown", message, COOLDOWN, limit, until.isoformat())
