"""Whether the trader may open at all now: sure enough, not too many at once, and not while it does badly."""

from __future__ import annotations

from traders.schema.settings.trader import TraderDetail
from trading.replay.rules.checks.moment import CheckRefusal, Moment, number, unknown
from trading.schema.decision import Decision

CONFIDENCE, POSITIONS = "detail.risk.min_confidence", "detail.risk.max_positions"
PER_CYCLE = "detail.exec_guards.max_new_positions_per_cycle"
SHARPE = "detail.exec_guards.sharpe_pause_threshold"


def sharpe_pause(decision: Decision, settings: TraderDetail, moment: Moment) -> CheckRefusal | None:
    """No entry while the Sharpe ratio is below the threshold; 0 switches it off."""
    limit = settings.exec_guards.sharpe_pause_threshold
    if not decision.action.opens or not limit:
        return None
    ratio = moment.account.sharpe_ratio if moment.account else None
    if ratio is None:
        return unknown("sharpe_pause", "the Sharpe ratio of that moment is not known", SHARPE, limit)
    if ratio >= limit:
        return None
    message = f"the Sharpe ratio {number(ratio)} is below {number(limit)}"
    return CheckRefusal("sharpe_pause", message, SHARPE, limit, ratio)


def min_confidence(decision: Decision, settings: TraderDetail, moment: Moment) -> CheckRefusal | None:
    limit = settings.risk.min_confidence
    if not decision.action.opens or not limit:
        return None
    if decision.confidence is None:
        return unknown("min_confidence", "the decision names no confidence", CONFIDENCE, limit)
    if decision.confidence >= limit:
        return None
    message = f"a confidence of {number(decision.confidence)} is below {limit}"
    return CheckRefusal("min_confidence", message, CONFIDENCE, limit, decision.confidence)


def max_positions(decision: Decision, settings: TraderDetail, moment: Moment) -> CheckRefusal | None:
    """Positions held, and opened in this cycle, leave room for one more."""
    if not decision.action.opens:
        return None
    limit = settings.risk.max_positions
    held = len(moment.positions) if moment.positions is not None else _counted(moment)
    if held is None:
        return unknown("max_positions", "the open positions are not known", POSITIONS, limit)
    total = held + len(moment.opened)
    if total < limit:
        return None
    return CheckRefusal(
        "max_positions", f"{total} positions are open, and {limit} are allowed", POSITIONS, limit, total
    )


def max_new_positions_per_cycle(decision: Decision, settings: TraderDetail, moment: Moment) -> CheckRefusal | None:
    """Entries in one cycle; 0 sets no limit."""
    limit, opened = settings.exec_guards.max_new_positions_per_cycle, len(moment.opened)
    if not decision.action.opens or not limit or opened < limit:
        return None
    message = f"{opened} positions were opened in this cycle, and {limit} are allowed"
    return CheckRefusal("max_new_positions_per_cycle", message, PER_CYCLE, limit, opened)


def _counted(moment: Moment) -> int | None:
    return moment.account.positions if moment.account else None
