"""Checks whether the trader may open now: confidence, number of positions, Sharpe ratio."""

from __future__ import annotations

from traders.schema.messages import _
from traders.schema.settings.trader import TraderDetail
from trading.replay.rules.checks.moment import CheckRefusal, DecisionMoment, number, unknown
from trading.schema.decision import Decision

CONFIDENCE, POSITIONS = "detail.risk.min_confidence", "detail.risk.max_positions"
PER_CYCLE = "detail.exec_guards.max_new_positions_per_cycle"
SHARPE = "detail.exec_guards.sharpe_pause_threshold"


def sharpe_pause(decision: Decision, settings: TraderDetail, moment: DecisionMoment) -> CheckRefusal | None:
    """No entry while the Sharpe ratio is below the threshold. 0 is no threshold."""
    limit = settings.exec_guards.sharpe_pause_threshold
    if not decision.action.opens or not limit:
        return None
    ratio = moment.account.sharpe_ratio if moment.account else None
    if ratio is None:
        return unknown("sharpe_pause", _("the Sharpe ratio of that moment is not known"), SHARPE, limit)
    if ratio >= limit:
        return None
    message = _("the Sharpe ratio %(ratio)s is below %(limit)s", ratio=number(ratio), limit=number(limit))
    return CheckRefusal("sharpe_pause", message, SHARPE, limit, ratio)


def min_confidence(decision: Decision, settings: TraderDetail, moment: DecisionMoment) -> CheckRefusal | None:
    limit = settings.risk.min_confidence
    if not decision.action.opens or not limit:
        return None
    if decision.confidence is None:
        return unknown("min_confidence", _("the decision names no confidence"), CONFIDENCE, limit)
    if decision.confidence >= limit:
        return None
    message = _("the confidence %(confidence)s is below %(limit)s", confidence=number(decision.confidence), limit=limit)
    return CheckRefusal("min_confidence", message, CONFIDENCE, limit, decision.confidence)


def max_positions(decision: Decision, settings: TraderDetail, moment: DecisionMoment) -> CheckRefusal | None:
    """The positions held and those opened in this cycle are fewer than the limit. An increase makes none."""
    if not decision.action.opens or moment.increased(decision, settings) is not None:
        return None
    limit = settings.risk.max_positions
    held = len(moment.positions) if moment.positions is not None else _counted(moment)
    if held is None:
        return unknown("max_positions", _("the open positions are not known"), POSITIONS, limit)
    total = held + len(moment.opened)
    if total < limit:
        return None
    message = _("%(count)s positions are open, and %(limit)s are allowed", count=total, limit=limit)
    return CheckRefusal("max_positions", message, POSITIONS, limit, total)


def max_new_positions_per_cycle(
    decision: Decision, settings: TraderDetail, moment: DecisionMoment
) -> CheckRefusal | None:
    """The number of entries in one cycle. 0 is no limit."""
    limit, opened = settings.exec_guards.max_new_positions_per_cycle, len(moment.opened)
    if not decision.action.opens or not limit or opened < limit:
        return None
    message = _("%(count)s positions were opened in this cycle, and %(limit)s are allowed", count=opened, limit=limit)
    return CheckRefusal("max_new_positions_per_cycle", message, PER_CYCLE, limit, opened)


def _counted(moment: DecisionMoment) -> int | None:
    return moment.account.positions if moment.account else None
