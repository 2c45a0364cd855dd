"""Raw answers of models and lists of engines become decisions, or say which key is wrong."""

from __future__ import annotations

import json
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trading.replay.rules.moments import held
from trading.record.rules.errors import InvalidRecord
from trading.replay.rules.parsing import parse_answer
from trading.schema.common import Side
from trading.schema.decision import Action
from trading.schema.spelling import Spellings

ANSWER = {
    "signal": "buy_to_enter",
    "symbol": "BTC",
    "leverage": 10,
    "position_size_usd": 450.50,
    "entry_price": 45000.5,
    "stop_loss": 44500,
    "take_profit": 46500,
    "risk_usd": 5,
    "confidence": 85,
    "invalidation_condition": "4h close below 44 000",
    "reasoning": "a [1] breakout {of sorts}",
}
LIST = (
    '[{"Symbol":"BTC","Action":"open_long","Leverage":10,"PositionSizeUSD":450.50,"EntryPrice":45000.5,'
    '"StopLoss":44500,"TakeProfit":46500,"Confidence":85,"RiskUSD":5,"Reasoning":"r","InvalidationCondition":"i"}]'
)


def answer(**changed: Any) -> str:
    return json.dumps({**ANSWER, **changed})


def test_an_answer_becomes_a_decision_digit_for_digit() -> None:
    (decision,) = parse_answer(answer().replace("450.5,", "450.50,"), ())
    assert (decision.symbol, decision.action) == ("BTC", Action.OPEN_LONG)
    assert str(decision.position_size_usd) == "450.50"
    assert (decision.risk_usd, decision.confidence) == (Decimal(5), Decimal(85))
    assert decision.reasoning == ANSWER["reasoning"]


@pytest.mark.parametrize(
    "text",
    [
        f"[{answer()}]",
        f"```json\n{answer()}\n```",
        f"```\n[{answer()}]\n```\nDone.",
        f"I looked at [1] and {{this}}; so:\n{answer()}\nGood luck [to us].",
        f"<think>maybe {{'signal': 'close'}}?</think>\n{answer()}",
        f"First thought: {answer(symbol='ETH')}\n```json\n{answer()}\n```",
    ],
)
def test_an_answer_is_found_in_a_fence_an_array_or_prose(text: str) -> None:
    assert parse_answer(text, ()) == parse_answer(answer(), ())


@pytest.mark.parametrize(
    "text",
    [
        f"<think>{answer(symbol='ETH')}</think>\n{answer()}",
        f"<THINK>\n```json\n{answer(symbol='ETH')}\n```\n</THINK>{answer()}",
        f"First {answer(symbol='ETH')}</think>{answer()}",
        f"<reasoning>up</reasoning><decision>```json\n[{answer()}]\n```</decision>",
        f"<think>a</think>{answer()}<think>{answer(symbol='ETH')}",
        f"<think >{answer(symbol='ETH')}</ think>\n{answer()}",
        f'<Think reason="trend">{answer(symbol="ETH")}</think\n>{answer()}',
        f"<seed:think>{answer(symbol='ETH')}</seed:think>{answer()}",
        f"[THINK]{answer(symbol='ETH')}[/THINK]{answer()}",
        f"◁think▷{answer(symbol='ETH')}◁/think▷{answer()}",
        f"＜think＞{answer(symbol='ETH')}＜/think＞{answer()}",
        f"<scratchpad>{answer(symbol='ETH')}</scratchpad>[Analysis] {answer()}",
    ],
)
def test_what_the_model_thinks_is_no_decision(text: str) -> None:
    assert parse_answer(text, ()) == parse_answer(answer(), ())


@pytest.mark.parametrize(
    "text",
    [
        *(f"<think>{answer()}", f"<thinking>so {answer()}", "<think>{}</think>"),
        *(f"< think>{answer()}", f"<think\n>{answer()}", f"[THINK]{answer()}", "<think>[]"),
    ],
)
def test_thoughts_alone_are_no_answer(text: str) -> None:
    with pytest.raises(InvalidRecord, match="no JSON object"):
        parse_answer(text, ())


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "[ ]\n",
        "\ufeff[]",
        "```json\n[]\n```",
        "<think>[1] {}</think>\n[]",
        "Nothing to do.\n```\n[\n]\n```\nDone.",
    ],
)
def test_an_empty_list_decides_nothing(text: str) -> None:
    assert parse_answer(text, ()) == ()


@pytest.mark.parametrize(
    "text",
    ["<" + " " * 900_000, "<think a=" + " " * 900_000, "< " * 450_000, "</think>" * 120_000, "[THINK]" * 120_000],
)
def test_a_text_that_is_made_to_keep_the_reader_busy_is_refused(text: str) -> None:
    with pytest.raises(InvalidRecord):
        parse_answer(text, ())


def test_a_mark_of_thought_inside_the_answer_is_its_text() -> None:
    (decision,) = parse_answer(answer(reasoning="<think> again"), ())
    assert decision.reasoning == "<think> again"


@pytest.mark.parametrize("confidence", [0.85, 0.5, 1e-9])
def test_a_confidence_as_a_fraction_is_refused(confidence: float) -> None:
    with pytest.raises(InvalidRecord, match="confidence must be from 0 to 100"):
        parse_answer(answer(confidence=confidence), ())


@pytest.mark.parametrize("confidence", [0, 1, 82, 100])
def test_a_confidence_from_0_to_100_is_taken(confidence: int) -> None:
    assert parse_answer(answer(confidence=confidence), ())[0].confidence == confidence


@pytest.mark.parametrize("name", ["kPEPE", "BTC/USDT:USDT", "1000PEPE", "币安人生USDT", "xyz:SP500"])
def test_a_symbol_stays_as_the_model_wrote_it(name: str) -> None:
    (decision,) = parse_answer(answer(symbol=name), ())
    assert decision.symbol == name


@pytest.mark.parametrize("written", ["kpepe", "KPEPE", " kPEPE "])
def test_a_name_in_another_case_is_that_of_the_exchange(written: str) -> None:
    (decision,) = parse_answer(
        answer(symbol=written, signal="close"), (held("kPEPE", Side.LONG),), Spellings(["kPEPE"])
    )
    assert (decision.symbol, decision.action) == ("kPEPE", Action.CLOSE_LONG)


@pytest.mark.parametrize(("side", "action"), [(Side.LONG, Action.CLOSE_LONG), (Side.SHORT, Action.CLOSE_SHORT)])
def test_a_close_closes_what_is_held(side: Side, action: Action) -> None:
    (decision,) = parse_answer(answer(signal="close"), (held("BTC", side),))
    assert decision.action is action


def test_an_engines_list_is_read_in_either_spelling_of_keys() -> None:
    (decision,) = parse_answer(LIST, None)
    snake = LIST.replace("PositionSizeUSD", "position_size_usd").replace("EntryPrice", "entry_price")
    assert parse_answer(snake, None) == (decision,)
    assert str(decision.position_size_usd) == "450.50"
    assert decision.action is Action.OPEN_LONG
    assert parse_answer('[{"Symbol":"BTC","Action":"hold"}]', None)[0].leverage is None
    assert parse_answer("[]", None) == ()


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"signal": "buy"}, "signal must be one of buy_to_enter, sell_to_enter, hold, close, was 'buy'"),
        ({"signal": "close"}, "signal is close, and nothing is held in BTC"),
        ({"symbol": "B T C"}, "symbol must be 1 to 64 characters"),
        ({"symbol": "A|B"}, "symbol must be 1 to 64 characters"),
        ({"leverage": "10"}, "leverage must be a number, was '10'"),
        ({"leverage": True}, "leverage must be a number, was True"),
        ({"leverage": 2.5}, "leverage must be a whole number, was 2.5"),
        ({"confidence": 0.85}, "confidence must be from 0 to 100, was 0.85"),
        ({"confidence": 101}, "confidence must be at most 100, was 101"),
        ({"stop_loss": -1}, "stop_loss must be 0 or more, was -1"),
        ({"entry_price": 1e30}, "entry_price must not be beyond 1,000,000,000,000,000"),
        ({"reasoning": None}, "reasoning must be a text, was None"),
        ({"size": 1}, "size is no key of a decision"),
        ({"Symbol": "ETH"}, "Symbol is given twice"),
        ({"action": "hold"}, "signal and action are both given"),
    ],
)
def test_a_wrong_value_is_refused_with_its_key(changed: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidRecord) as caught:
        parse_answer(answer(**changed), ())
    assert str(caught.value).startswith(problem)


@pytest.mark.parametrize("key", sorted(ANSWER))
def test_every_key_of_the_contract_is_required(key: str) -> None:
    text = json.dumps({name: value for name, value in ANSWER.items() if name != key})
    with pytest.raises(InvalidRecord, match=f"{key} is missing" if key != "signal" else "action is missing"):
        parse_answer(text, ())


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "holds no JSON object"),
        ("I would rather wait.", "holds no JSON object"),
        (answer()[:-20], "is no JSON that can be read"),
        (answer().replace("44500", "NaN"), "NaN, which is no number in JSON"),
        (answer().replace("44500", "-Infinity"), "-Infinity, which is no number in JSON"),
        (answer().replace("44500", "1e999999999"), "beyond all measure"),
        (answer().replace("44500", "4" * 5000), "beyond all measure"),
        (answer() + answer(), "holds 2 answers"),
        (answer().replace('"symbol"', '"signal"'), "the key 'signal' twice"),
        (answer(reasoning="\0"), r"U\+0000"),
        (answer(reasoning="\ud800"), "half of a surrogate pair"),
        ("[" * 100_000, "is no JSON that can be read"),
        ("x" * 1_000_001, "is longer than"),
        ("[1, 2]", "holds no JSON object"),
        (f"[{answer()}, 2]", r"\[1\] must be an object, was 2"),
    ],
)
def test_what_is_no_answer_is_refused(text: str, problem: str) -> None:
    with pytest.raises(InvalidRecord, match=problem):
        parse_answer(text, ())


def test_a_close_without_knowing_what_is_held_is_refused() -> None:
    with pytest.raises(InvalidRecord, match="not known what was held in BTC"):
        parse_answer(answer(signal="close"), None)


def test_an_unknown_action_of_an_engine_is_refused_with_its_place() -> None:
    with pytest.raises(InvalidRecord, match=r"\[0\]\.action must be one of open_long, .*, was 'buy'"):
        parse_answer('[{"Symbol":"BTC","Action":"buy"}]', None)


@given(st.text() | st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.sampled_from([*ANSWER, "hold", "BTC"]),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from([*ANSWER, "Action", "x"]), inner),
).map(json.dumps))  # fmt: skip
def test_any_text_is_a_list_of_decisions_or_refused(text: str) -> None:
    with suppress(InvalidRecord):
        assert isinstance(parse_answer(text, None), tuple)
