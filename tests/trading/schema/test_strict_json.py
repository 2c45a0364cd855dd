"""What is read is what can be stored and reckoned with."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from traders.schema import strict_json
from trading.schema.leaf import LARGEST, Amount

AMOUNT: TypeAdapter[Decimal] = TypeAdapter(Amount)


def test_numbers_keep_their_digits_and_numerals_their_kind() -> None:
    assert str(strict_json.loads("[0.10, 1e3, 7]")) == str([Decimal("0.10"), Decimal("1E+3"), 7])


def _stored(number: Decimal) -> Decimal | None:
    """None where a ValidationError, which is a ValueError, would hide in the test."""
    try:
        return AMOUNT.validate_python(number)
    except ValidationError:
        return None


@given(st.from_regex(r"-?(0|[1-9][0-9]{0,110})(\.[0-9]{1,110})?([eE][+-]?[0-9]{1,4})?", fullmatch=True))
def test_every_number_that_is_read_and_not_too_large_can_be_stored(text: str) -> None:
    with suppress(ValueError):  # beyond all measure
        number = strict_json.loads(text)
        if abs(number) <= LARGEST:
            assert _stored(number) == number


@pytest.mark.parametrize("text", ['"\\ud83d\\ude00"', '"é 🚀 \\u00e9"', '{"a": "\\\\u0000"}'])
def test_characters_and_what_only_looks_like_an_escape_are_read(text: str) -> None:
    assert strict_json.loads(text)
