from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from trading.manager.rules.plans import plan_after_increase
from trading.schema.common import ExitPlan, Side
from trading.schema.decision import Action, Decision

HELD = ExitPlan(sl_price=Decimal(95), tp_price=Decimal(110), trailing_stop_pct=Decimal(2), invalidation_condition="a")


def decided(side: Side, **given: Any) -> Decision:
    return Decision(symbol="BTC", action=Action.OPEN_LONG if side is Side.LONG else Action.OPEN_SHORT, **given)


@pytest.mark.parametrize(("side", "asked", "stop"), [("long", 97, 97), ("long", 90, 95), ("short", 90, 90)])
def test_an_increase_tightens_the_stop_and_never_widens_it(side: str, asked: int, stop: int) -> None:
    plan = plan_after_increase(Side(side), HELD, decided(Side(side), stop_loss=Decimal(asked)))
    assert plan.sl_price == stop


def test_an_increase_takes_the_target_of_its_decision_and_keeps_what_the_decision_leaves_out() -> None:
    moved = plan_after_increase(Side.LONG, HELD, decided(Side.LONG, take_profit=Decimal(120)))
    assert (moved.tp_price, moved.sl_price, moved.trailing_stop_pct) == (Decimal(120), Decimal(95), Decimal(2))
    assert moved.invalidation_condition == "a"
    assert plan_after_increase(Side.LONG, HELD, decided(Side.LONG)) == HELD


def test_a_position_without_a_plan_has_that_of_its_increase() -> None:
    plan = plan_after_increase(Side.LONG, None, decided(Side.LONG, stop_loss=Decimal(95)))
    assert plan == ExitPlan(sl_price=Decimal(95))
