"""What is new in the prompt of a decision since the one before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models.fields.json import KT

from traders.pages.changes import TextLine, line_diff
from trading.models import DecisionJournal
from trading.record.tickets.leaves import value_at
from trading.schema.ids import decision_name

# Comparing takes time by the square of the lines that differ.
MOST_LINES = 2_000
MOST_CHARACTERS = 400_000


@dataclass(frozen=True, slots=True)
class PromptChanges:
    """Since the decision of this `name` and cycle; `is_too_long`: the texts were not compared."""

    name: str
    cycle_number: int
    lines: Sequence[TextLine] = ()
    is_same: bool = False
    is_too_long: bool = False

    @property
    def added(self) -> int:
        return sum(line.sign == "+" for line in self.lines)

    @property
    def removed(self) -> int:
        return sum(line.sign == "-" for line in self.lines)


def prompt_changes(decision: DecisionJournal, detail: Mapping[str, Any]) -> PromptChanges | None:
    """None without a text, or without a decision of the trader before that kept one."""
    new = value_at(detail, "prompt.user_text")
    earlier = DecisionJournal.objects.filter(trader=decision.trader_id, cycle_number__lt=decision.cycle_number)
    before = (
        earlier.order_by("-cycle_number")
        .annotate(text=KT("detail__prompt__user_text"))
        .values_list("pk", "cycle_number", "text")
        .first()
    )
    if not isinstance(new, str) or before is None or before[2] is None:
        return None
    name, number, old = decision_name(decision.trader_id, before[0]), before[1], before[2]
    if old == new:
        return PromptChanges(name, number, is_same=True)
    if any(len(text) > MOST_CHARACTERS or text.count("\n") > MOST_LINES for text in (old, new)):
        return PromptChanges(name, number, is_too_long=True)
    return PromptChanges(name, number, tuple(line_diff(old, new)))
