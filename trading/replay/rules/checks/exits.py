"""Where an entry says that it ends: stop-loss, take-profit and what one stands against the other."""

from __future__ import annotations

from decimal import Decimal

from traders.schema.settings.trader import TraderDetail
from trading.replay.rules.checks.moment import TOLERANCE, CheckRefusal, Moment, number, ratio, unknown
from trading.schema.decision import Decision

STOP_LOSS, TAKE_PROFIT = "detail.risk.stop_loss_enabled", "detail.risk.take_profit_enabled"
RATIO = "detail.risk.min_risk_reward_ratio"


def stop_loss(decision: Decision, settings: TraderDetail, moment: Moment) -> CheckRefusal | None:
    """There, where entries must carry one; and on the losing side of the entry wherever it is given."""
    return _exit("stop_loss", decision, decision.stop_loss, settings.risk.stop_loss_enabled, STOP_LOSS, -1)


def take_profit(decision: Decision, settings: TraderDetail, moment: Moment) -> CheckRefusal | None:
    """There, where entries must carry one; and on the winning side of the entry wherever it is given."""
    return _exit("take_profit", decision, decision.take_profit, settings.risk.take_profit_enabled, TAKE_PROFIT, 1)


def min_risk_reward_ratio(decision: Decision, settings: TraderDetail, moment: Moment) -> CheckRefusal | None:
    """Distance to the take-profit over distance to the stop-loss."""
    if not decision.action.opens:
        return None
    limit, sign = settings.risk.min_risk_reward_ratio, _sign(decision)
    entry, stop, target = decision.entry_price, decision.stop_loss, decision.take_profit
    if not entry or not stop or not target:
        lacking = "entry_price" if not entry else "take_profit" if stop else "stop_loss"
        return unknown("min_risk_reward_ratio", f"the decision names no {lacking}", RATIO, limit)
    risk, reward = (entry - stop) * sign, (target - entry) * sign
    if risk <= 0:
        return CheckRefusal(
            "min_risk_reward_ratio", "there is no distance to the stop-loss to compare with", RATIO, limit, risk
        )
    if reward + risk * TOLERANCE >= risk * limit:
        return None
    shown = f"{number(reward)} to win against {number(risk)} to lose is less than {number(limit)} to 1"
    return CheckRefusal("min_risk_reward_ratio", shown, RATIO, limit, ratio(reward, risk))


def _exit(
    rule: str, decision: Decision, price: Decimal | None, required: bool, setting: str, side: int
) -> CheckRefusal | None:
    if not decision.action.opens:
        return None
    if not price:
        return unknown(rule, f"the decision names no {rule}", setting, required) if required else None
    entry = decision.entry_price
    if not entry:
        return unknown(rule, "the decision names no entry_price", setting, required)
    above = side * _sign(decision) > 0
    if price > entry if above else price < entry:
        return None
    where = "above" if above else "below"
    message = f"{number(price)} must lie {where} the entry at {number(entry)}"
    return CheckRefusal(rule, message, setting, entry, price)


def _sign(decision: Decision) -> int:
    assert decision.action.side is not None  # it opens
    return decision.action.side.sign
