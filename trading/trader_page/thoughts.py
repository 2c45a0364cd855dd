"""Decisions of a trader that asked for an order, or had one refused, with their reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from trading.record.browse.listings import DECISION_LIST
from trading.schema.decision import Action, Decision
from trading.schema.tolerant import UnreadableLeaf
from trading.trader_page import queries

SHOWN = 10


@dataclass(frozen=True, slots=True)
class ThoughtOrder:
    """One order that was asked for. `refused_by` names the rules that held it back."""

    asked: Decision
    refused_by: Sequence[str]


@dataclass(frozen=True, slots=True)
class DecisionThought:
    """`problem` says where the row cannot be read."""

    row: Any
    orders: Sequence[ThoughtOrder] = ()
    error: str = ""
    problem: str = ""

    @property
    def is_refused(self) -> bool:
        return any(order.refused_by for order in self.orders)


def thoughts_of(trader_id: str) -> list[DecisionThought]:
    """Newest first. Two statements."""
    rows = list(DECISION_LIST.rows(queries.acted(trader_id))[:SHOWN])
    DECISION_LIST.complete(rows)
    return [_thought(row) for row in rows]


def _thought(row: Any) -> DecisionThought:
    try:
        detail = DECISION_LIST.read(row).detail
    except UnreadableLeaf as refused:
        return DecisionThought(row, problem=refused.path)
    held_back = {(one.symbol, str(one.action)): one.refused_by or () for one in detail.actions}
    orders = [
        ThoughtOrder(one, held_back.get((one.symbol, str(one.action)), ()))
        for one in detail.decisions
        if one.action not in (Action.HOLD, Action.WAIT)
    ]
    return DecisionThought(row, orders, error=detail.error or "")
