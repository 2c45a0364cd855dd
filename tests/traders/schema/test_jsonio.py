"""JSON, digit for digit."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given

from tests.strategies import json_values
from traders.schema import jsonio
from traders.schema.paths import same


@given(json_values())
def test_what_is_written_reads_back_with_every_digit(value: Any) -> None:
    again = jsonio.loads(jsonio.dumps(value))

    assert same(again, value)
    assert jsonio.dumps(again) == jsonio.dumps(value)


@given(json_values())
def test_the_fast_way_writes_the_same_text(value: Any) -> None:
    assert jsonio.dumps_finite(value) == jsonio.dumps(value)


@pytest.mark.parametrize(
    "number", ["100000.123456789012345", "1.10", "0.1", "-0.000001", "12345678901234567890", "123456789.00"]
)
def test_digits_survive(number: str) -> None:
    assert jsonio.dumps(jsonio.loads(number)) == number
    assert jsonio.dumps({"a": [Decimal(number)]}) == f'{{"a":[{number}]}}'


def test_numbers_stay_numbers() -> None:
    assert jsonio.dumps({"usd": Decimal("1.10"), "n": 3, "on": True, "none": None}) == (
        '{"usd":1.10,"n":3,"on":true,"none":null}'
    )
    assert isinstance(jsonio.loads("1.10"), Decimal)
    assert isinstance(jsonio.loads("3"), int)


def test_texts_stay_readable() -> None:
    assert jsonio.dumps("激进 – é") == '"激进 – é"'


@pytest.mark.parametrize("number", [float("nan"), float("inf"), Decimal("NaN"), Decimal("-Infinity")])
def test_numbers_that_json_does_not_know_are_refused(number: Any) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        jsonio.dumps([number])


def test_what_json_cannot_hold_is_refused() -> None:
    with pytest.raises(TypeError):
        jsonio.dumps({"a": {1, 2}})


@pytest.mark.parametrize("text", ["", "{", "{'a': 1}", "[1,]"])
def test_what_is_not_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        jsonio.loads(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": 3, "b": 1}, {"b": Decimal("1.00"), "a": Decimal("3.0")}),
        ([Decimal("1E+2")], [100]),
        ([Decimal("0.50")], [Decimal("0.5")]),
    ],
)
def test_equal_values_have_one_canonical_text(one: Any, other: Any) -> None:
    assert jsonio.canonical(one) == jsonio.canonical(other)


def test_a_canonical_text_tells_true_from_1() -> None:
    assert jsonio.canonical([True]) == "[true]"
    assert jsonio.canonical([1]) == "[1]"


def test_the_encoder_and_decoder_of_columns_keep_digits() -> None:
    text = json.dumps({"usd": Decimal("100000.123456789012345")}, cls=jsonio.ExactEncoder)

    assert text == '{"usd":100000.123456789012345}'
    assert json.loads(text, cls=jsonio.ExactDecoder) == {"usd": Decimal("100000.123456789012345")}
