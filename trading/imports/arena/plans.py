"""The exit plan that positions and trades carry: {profit_target, stop_loss, invalidation_condition}."""

from __future__ import annotations

from typing import Any

from traders.schema.jsonio import Json
from trading.imports.arena.fields import Record, number_or_kept, require_object
from trading.record.rules.errors import InvalidRecord
from trading.schema.common import ExitPlan


def plan_of(record: Record) -> dict[str, Any] | None:
    """The parts of an ExitPlan. What is no object (the arena's benchmark says "N/A") is no plan."""
    plan = record.get("exit_plan")
    if not isinstance(plan, dict) or not plan:
        return None
    try:
        require_object(plan)
        prices = {"tp_price": _price(plan, "profit_target"), "sl_price": _price(plan, "stop_loss")}
    except InvalidRecord as error:
        raise InvalidRecord(f"exit_plan.{error.field}", error.reason) from None
    words = plan.get("invalidation_condition")
    return prices | {"invalidation_condition": words if isinstance(words, str) else None}


def plan_back(plan: ExitPlan | None) -> Json:
    if plan is None:
        return {}
    back = {
        "profit_target": plan.tp_price,
        "stop_loss": plan.sl_price,
        "invalidation_condition": plan.invalidation_condition,
    }
    return {name: value for name, value in back.items() if value is not None}


def _price(plan: Record, field: str) -> Any:
    """0 and less stand for none."""
    price = number_or_kept(plan, field)
    return price if price is not None and price > 0 else None
