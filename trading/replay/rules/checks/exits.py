"""Checks of the exit plan of an entry: stop-loss, take-profit and the risk-reward ratio."""

from __future__ import annotations

from decimal import Decimal

from traders.schema.messages import TranslatableText, _
from traders.schema.settings.trader import TraderDetail
from trading.replay.rules.checks.moment import TOLERANCE, CheckRefusal, DecisionMoment, number, ratio, unknown
from trading.schema.decision import Decision

STOP_LOSS, TAKE_PROFIT = "detail.risk.stop_loss_enabled", "detail.risk.take_profit_enabled"
RATIO = "detail.risk.min_risk_reward_ratio"


def stop_loss(decision: Decision, settings: TraderDetail, moment: DecisionMoment) -> CheckRefusal | None:
    """Given if entries must have one. A given one lies on the losing side of the entry price."""
    return _exit("stop_loss", decision, decision.stop_loss, settings.risk.stop_loss_enabled, STOP_LOSS, -1)


def take_profit(decision: Decision, settings: TraderDetail, moment: DecisionMoment) -> CheckRefusal | None:
    """Given if entries must have one. A given one lies on the winning side of the entry price."""
    return _exit("take_profit", decision, decision.take_profit, settings.risk.take_profit_enabled, TAKE_PROFIT, 1)


def min_risk_reward_ratio(decision: Decision, settings: TraderDetail, moment: DecisionMoment) -> CheckRefusal | None:
    """Distance to the take-profit over distance to the stop-loss."""
    if not decision.action.opens:
        return None
    limit, sign = settings.risk.min_risk_reward_ratio, _sign(decision)
    entry, stop, target = decision.entry_price, decision.stop_loss, decision.take_profit
    if not entry or not stop or not target:
        lacking = "entry_price" if not entry else "take_profit" if stop else "stop_loss"
        return unknown("min_risk_reward_ratio", _names_no(lacking), RATIO, limit)
    risk, reward = (entry - stop) * sign, (target - entry) * sign
    if risk <= 0:
        return CheckRefusal(
            "min_risk_reward_ratio", _("there is no distance to the stop-loss to compare with"), RATIO, limit, risk
        )
    if reward + risk * TOLERANCE >= risk * limit:
        return None
    message = _(
        "%(reward)s to win against %(risk)s to lose is less than %(limit)s to 1",
        reward=number(reward),
        risk=number(risk),
        limit=number(limit),
    )
    return CheckRefusal("min_risk_reward_ratio", message, RATIO, limit, ratio(reward, risk))


def _exit(
    rule: str, decision: Decision, price: Decimal | None, required: bool, setting: str, side: int
) -> CheckRefusal | None:
    if not decision.action.opens:
        return None
    if not price:
        return unknown(rule, _names_no(rule), setting, required) if required else None
    entry = decision.entry_price
    if not entry:
        return unknown(rule, _names_no("entry_price"), setting, required)
    above = side * _sign(decision) > 0
    if price > entry if above else price < entry:
        return None
    message = (
        _("%(price)s must be above the entry price %(entry)s", price=number(price), entry=number(entry))
        if above
        else _("%(price)s must be below the entry price %(entry)s", price=number(price), entry=number(entry))
    )
    return CheckRefusal(rule, message, setting, entry, price)


def _names_no(field: str) -> TranslatableText:
    return _("the decision names no %(field)s", field=field)


def _sign(decision: Decision) -> int:
    assert decision.action.side is not None  # it opens
    return decision.action.side.sign
