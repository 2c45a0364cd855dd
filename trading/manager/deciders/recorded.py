"""A decider that answers what a journal holds: the answer of the recorded cycle with the same number.

Keys in llm.yaml: `provider: recorded` and `journal_of`, the trader whose decision journal is read; without it the
trader's own. It remembers nothing, so that a manager which starts again goes on where it was.
"""

from __future__ import annotations

from typing import Any

from traders.schema import jsonio
from trading.manager.protocols import Decider, DeciderAnswer, DeciderFailed, DecisionRequest
from trading.manager.providers import ProviderOptions
from trading.models import COUNTED, DecisionJournal
from trading.record.stored import rows
from trading.schema.decision import Action, Decision, DecisionDetail

NAME = "recorded"
_SIGNALS = {Action.OPEN_LONG: "buy_to_enter", Action.OPEN_SHORT: "sell_to_enter"}


class RecordedDecider:
    def __init__(self, journal_of: str = "") -> None:
        self._journal_of = journal_of

    def decide(self, request: DecisionRequest) -> DeciderAnswer:
        source = self._journal_of or request.trader_id
        found = DecisionJournal.objects.filter(COUNTED, trader=source, cycle_number=request.cycle_number)
        recorded = next(rows.decisions(found), None)
        if recorded is None:
            raise DeciderFailed(f"the journal of {source} has no cycle {request.cycle_number} that can be read")
        detail = recorded.entry.detail
        answer = detail.answer
        # Its tokens were used, and paid, when it was recorded.
        return DeciderAnswer(
            text=answer.text if answer and answer.text else jsonio.dumps(_as_answers(detail)),
            model=(answer.model if answer else None) or NAME,
            reasoning=answer.reasoning if answer else None,
        )


def decider(options: ProviderOptions) -> Decider:
    return RecordedDecider(options.text("journal_of", ""))


def _as_answers(detail: DecisionDetail) -> list[dict[str, Any]]:
    """Of an entry without the raw answer: its decisions, as the model would have said them."""
    return [_as_answer(decision) for decision in detail.decisions]


def _as_answer(decision: Decision) -> dict[str, Any]:
    signal = _SIGNALS.get(decision.action, "close" if decision.action.closes else "hold")
    numbers = ("leverage", "position_size_usd", "entry_price", "stop_loss", "take_profit", "risk_usd", "confidence")
    texts = ("invalidation_condition", "reasoning")
    return {
        "signal": signal,
        "symbol": decision.symbol,
        **{name: getattr(decision, name) or 0 for name in numbers},
        **{name: getattr(decision, name) or "" for name in texts},
    }
