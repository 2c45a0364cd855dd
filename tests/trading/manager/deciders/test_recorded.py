"""Answers of a journal, given again."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from tests.factories import make_trader, sync_traders
from traders.schema import jsonio
from trading.manager.protocols import DeciderFailed, DecisionRequest
from trading.manager.providers import ProviderOptions, make_decider
from trading.record.writing.decisions import record_decision
from trading.replay.rules.checks.moment import DecisionMoment
from trading.replay.rules.parsing import parse_answer
from trading.schema.decision import Action, Decision, DecisionDetail, JournalEntry, ModelAnswer

pytestmark = pytest.mark.django_db(transaction=True)
NOON = datetime(2026, 1, 8, 12, tzinfo=UTC)
TOLD = '{"signal": "hold", "symbol": "BTC"}'


@pytest.fixture(autouse=True)
def journal() -> None:
    sync_traders(make_trader("first"), make_trader("second"))
    details = [
        DecisionDetail(answer=ModelAnswer(model="gpt-5", text=TOLD, reasoning="Quiet.")),
        DecisionDetail(
            decisions=(Decision(symbol="ETH", action=Action.OPEN_SHORT, leverage=Decimal(3), reasoning="It falls."),)
        ),
    ]
    for detail in details:
        record_decision(JournalEntry("first", None, NOON, success=True, detail=detail))


def asked(cycle_number: int) -> DecisionRequest:
    return DecisionRequest(
        trader_id="second",
        cycle_number=cycle_number,
        model="again",
        system_text="",
        user_text="",
        timeout_seconds=1.0,
        moment=DecisionMoment(NOON),
        settings=make_trader("second").detail,
    )


def test_a_cycle_is_answered_as_the_recorded_one_was(tmp_path: Path) -> None:
    made = make_decider(ProviderOptions("again", {"provider": "recorded", "journal_of": "first"}, tmp_path))

    first, second = made.decide(asked(1)), made.decide(asked(2))

    assert (first.text, first.model, first.reasoning) == (TOLD, "gpt-5", "Quiet.")
    assert first.cost_usd is None
    [decision] = parse_answer(second.text, ())
    assert (decision.symbol, decision.action) == ("ETH", Action.OPEN_SHORT)
    assert jsonio.loads(second.text)[0]["reasoning"] == "It falls."


def test_a_cycle_that_the_journal_does_not_have_fails(tmp_path: Path) -> None:
    own = make_decider(ProviderOptions("again", {"provider": "recorded"}, tmp_path))

    with pytest.raises(DeciderFailed, match="the journal of second has no cycle 1"):
        own.decide(asked(1))
