"""A recorded decision agrees with itself, and every way in which it does not is told."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.trading.replay.rules.moments import DECIDED_AT, decision, held, moment, settings
from tests.trading.replay.rules.test_risk_checks_hold import DECISIONS, MOMENTS, loosened
from trading.replay.rules.checks.moment import DecisionMoment
from trading.replay.rules.replaying import ReplayOutcome, decide_again
from trading.replay.rules.risk_checks import judge
from trading.schema.decision import Action, ActionTaken, Decision, DecisionDetail, JournalEntry, ModelAnswer


def taken(made: Decision, **changed: Any) -> ActionTaken:
    return ActionTaken(**{"symbol": made.symbol, "action": made.action, "ok": True, **changed})


def entry(*decisions: Decision, at: DecisionMoment | None = None, **parts: Any) -> JournalEntry:
    at = at or moment()
    detail = DecisionDetail(
        **{
            "decisions": decisions,
            "actions": tuple(map(taken, decisions)),
            "account": at.account,
            "positions": at.positions,
            "market": at.market,
            "candidates": at.candidates,
            "cooldowns": at.cooldowns,
            **parts,
        }
    )
    return JournalEntry("steady_long", 1, DECIDED_AT, True, detail)


def said(made: Decision, **changed: Any) -> ModelAnswer:
    values = {
        "signal": "buy_to_enter", "symbol": made.symbol, "leverage": made.leverage, "risk_usd": Decimal(0),
        "position_size_usd": made.position_size_usd, "entry_price": made.entry_price, "stop_loss": made.stop_loss,
        "take_profit": made.take_profit, "confidence": made.confidence, "invalidation_condition": "", "reasoning": "",
    }  # fmt: skip
    values = {**values, **changed}
    return ModelAnswer(text=json.dumps({k: float(v) if isinstance(v, Decimal) else v for k, v in values.items()}))


def messages(outcome: ReplayOutcome) -> list[str]:
    return [f"{difference.place}: {difference.message}" for difference in outcome.differences]


def test_what_was_let_through_and_passes_agrees() -> None:
    made = decision()
    outcome = decide_again(entry(made, answer=said(made)), settings())
    assert (outcome.differences, outcome.unchecked) == ((), ())


def test_a_field_that_the_answer_has_otherwise_is_a_difference() -> None:
    made = decision()
    outcome = decide_again(entry(made, answer=said(made, stop_loss=98.5, reasoning="new")), settings())
    assert messages(outcome) == [
        "decisions[0].stop_loss: was recorded as 98, and the answer says 98.5",
        "decisions[0].reasoning: was recorded as nothing, and the answer says new",
    ]


def test_another_number_of_decisions_is_a_difference() -> None:
    outcome = decide_again(entry(decision(), decision(symbol="ETH"), answer=said(decision())), settings())
    assert "decisions: 2 decisions were recorded, and the answer holds 1" in messages(outcome)


def test_an_answer_that_cannot_be_read_any_more_is_a_difference_unless_nothing_came_of_it() -> None:
    text = ModelAnswer(text="I rather wait.")
    (message,) = messages(decide_again(entry(decision(), answer=text), settings()))
    assert message.startswith("answer.text: decisions were recorded, and the answer cannot be read: holds no")
    failed = decide_again(entry(answer=text, error="no JSON"), settings())
    assert (failed.differences, failed.unchecked) == ((), ())


def test_what_was_done_and_is_refused_is_a_difference_with_the_numbers() -> None:
    outcome = decide_again(entry(decision(leverage=Decimal(12))), settings())
    assert messages(outcome) == [
        "actions: open_long SOL passed, and is refused by max_leverage (12x in SOL is more than 10x)"
    ]


def test_what_failed_though_every_rule_passes_is_a_difference() -> None:
    made = decision()
    outcome = decide_again(entry(made, actions=(taken(made, ok=False, error="timeout"),)), settings())
    assert messages(outcome) == ["actions: open_long SOL was not done (timeout), and passes every rule"]


def test_a_recorded_refusal_agrees_when_its_rules_still_refuse() -> None:
    made = decision(leverage=Decimal(12), confidence=Decimal(1))
    for rules, agrees in [(["max_leverage"], True), (["max_leverage", "min_confidence"], True), (["cooldown"], False)]:
        action = taken(made, ok=False, refused_by=tuple(rules))
        outcome = decide_again(entry(made, actions=(action,)), settings())
        assert (not outcome.differences) is agrees


def test_an_action_that_no_decision_asks_for_is_a_difference() -> None:
    made = decision()
    actions = (taken(made), taken(decision(symbol="BTC")))
    assert messages(decide_again(entry(made, actions=actions), settings())) == [
        "actions[1]: open_long BTC was recorded as done, and no decision asks for it"
    ]


def test_what_cannot_be_judged_for_want_of_data_neither_agrees_nor_differs() -> None:
    cool = settings(exec_guards__cooldown_after_close_seconds=60)
    outcome = decide_again(entry(decision(), at=moment(cooldowns=None)), cool)
    assert outcome.differences == ()
    assert outcome.unchecked == (
        "open_long SOL: cannot be checked (cooldown: the cooldowns of that moment are not known)",
    )


def test_a_decision_whose_fate_was_not_recorded_is_unchecked() -> None:
    assert decide_again(entry(decision(), actions=()), settings()).unchecked == (
        "open_long SOL: its action was not recorded",
    )


def test_a_close_in_the_answer_closes_what_was_held_then() -> None:
    close = Decision(symbol="BTC", action=Action.CLOSE_LONG, confidence=Decimal(80))
    answer = said(close, signal="close", leverage=0, position_size_usd=0, entry_price=0, stop_loss=0, take_profit=0)
    outcome = decide_again(entry(close, answer=answer, at=moment(positions=(held("BTC"),))), settings())
    assert (outcome.differences, outcome.unchecked) == ((), ())


def test_other_settings_show_rule_by_rule_what_changes() -> None:
    made = decision(leverage=Decimal(12), confidence=Decimal(80))
    other = settings(risk__altcoin_leverage=12, risk__min_confidence=90)
    (one,) = decide_again(entry(made), settings(), other).judged
    leverage, confidence = one.changes
    assert (leverage.rule, leverage.after) == ("max_leverage", None)
    assert confidence.before is None
    assert confidence.after is not None
    assert confidence.after.message == "the confidence 80 is below 90"


def test_without_settings_of_then_nothing_is_compared_but_others_may_judge() -> None:
    (one,) = decide_again(entry(decision()), None, settings()).judged
    assert (one.refusals, one.other, one.changes) == (None, (), [])


@given(st.lists(DECISIONS, max_size=4), MOMENTS, loosened())
def test_a_decision_replayed_under_its_own_settings_agrees_with_itself(
    made: list[Decision], at: DecisionMoment, pair: tuple[Any, Any]
) -> None:
    at = DecisionMoment(DECIDED_AT, at.account, at.positions, at.market, at.candidates, at.cooldowns)
    rules = [tuple(refusal.rule for refusal in found) for found in judge(made, pair[0], at)]
    actions = tuple(
        taken(one, ok=not refused, refused_by=refused or None) for one, refused in zip(made, rules, strict=True)
    )
    outcome = decide_again(entry(*made, at=at, actions=actions), pair[0], pair[1])
    assert (outcome.differences, outcome.unchecked) == ((), ())
