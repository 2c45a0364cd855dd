"""Every rule that stands between a decision and an order, in order. Pure: a replay and a live engine ask the same.

Fail closed: a rule whose data is missing refuses and says what is missing. docs/risk-checks.md explains each.
"""

from __future__ import annotations

from collections.abc import Sequence

from traders.schema.settings.trader import TraderDetail
from trading.replay.rules.checks.capital import max_leverage, max_margin_usage_pct, max_position_size_usd, value_band
from trading.replay.rules.checks.exits import min_risk_reward_ratio, stop_loss, take_profit
from trading.replay.rules.checks.market import candidate, cooldown, liquidity, symbols
from trading.replay.rules.checks.moment import Check, CheckRefusal, DecisionMoment
from trading.replay.rules.checks.order import already_held, nothing_to_close, order_values
from trading.replay.rules.checks.pace import max_new_positions_per_cycle, max_positions, min_confidence, sharpe_pause
from trading.schema.decision import Decision

CHECKS: tuple[Check, ...] = (
    order_values,
    nothing_to_close,
    already_held,
    sharpe_pause,
    symbols,
    candidate,
    cooldown,
    min_confidence,
    max_leverage,
    max_position_size_usd,
    value_band,
    max_margin_usage_pct,
    max_positions,
    max_new_positions_per_cycle,
    stop_loss,
    take_profit,
    min_risk_reward_ratio,
    liquidity,
)


def refusals(decision: Decision, settings: TraderDetail, moment: DecisionMoment) -> tuple[CheckRefusal, ...]:
    """What every rule has against the decision, in the order of the rules; empty: it may be carried out."""
    found = (check(decision, settings, moment) for check in CHECKS)
    return tuple(refusal for refusal in found if refusal is not None)


def judge(
    decisions: Sequence[Decision], settings: TraderDetail, moment: DecisionMoment
) -> list[tuple[CheckRefusal, ...]]:
    """The refusals of each decision of a cycle, closes first, as engines carry them out; in the order given.

    What is let through counts for those after it: its symbol, its margin, its place among the positions.
    """
    judged: dict[int, tuple[CheckRefusal, ...]] = {}
    for index in sorted(range(len(decisions)), key=lambda index: not decisions[index].action.closes):
        judged[index] = refusals(decisions[index], settings, moment)
        if not judged[index]:
            moment = moment.after(decisions[index])
    return [judged[index] for index in range(len(decisions))]
