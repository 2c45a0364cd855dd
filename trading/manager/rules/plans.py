"""The exit plan of a position that a decision increases."""

from __future__ import annotations

from trading.schema.common import ExitPlan, Side
from trading.schema.decision import Decision


def plan_after_increase(side: Side, plan: ExitPlan | None, decision: Decision) -> ExitPlan:
    """The decision's plan for all that is held from now on, but never with a wider stop than the position had: the
    part that was held before must not lose more because of the increase.

    A target limits no loss, so that the decision's own one replaces it. What the decision leaves out stays.
    """
    was = plan or ExitPlan()
    stops = [price for price in (was.sl_price, decision.stop_loss) if price]
    return was.model_copy(
        update={
            "sl_price": max(stops, key=lambda price: side.sign * price, default=None),
            "tp_price": decision.take_profit or was.tp_price,
            "invalidation_condition": decision.invalidation_condition or was.invalidation_condition,
        }
    )
