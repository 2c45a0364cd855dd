"""Numbers and durations as people type them, in forms only."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django import forms

from traders.schema.durations import parse_duration
from traders.schema.settings.catalogue import TRADER_SETTINGS
from traders.versions.edit.forms.texts import from_text, number_from
from traders.words.typed import typed_duration, typed_number
from traders.words.typed_fields import TypedDecimalField, TypedIntegerField, TypedMinutesField

MOST_POSITIONS, ALLOCATION = "detail.risk.max_positions", "allocation_pct"
INTERVAL = "detail.llm.decision_interval_seconds"


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("2,500", "2500"),
        ("12,345,678.90", "12345678.90"),
        ("2 500", "2500"),
        ("2'500.5", "2500.5"),
        ("２，５００", "2500"),
        ("１２．５", "12.5"),
        ("−2,500", "-2500"),
        (" 7 ", "7"),
    ],
)
def test_thousands_may_be_parted_and_digits_may_be_wide(typed: str, read: str) -> None:
    assert typed_number(typed) == read
    assert from_text(TRADER_SETTINGS[ALLOCATION], typed) == Decimal(read)


@pytest.mark.parametrize(
    "typed", ["2,5", "25,00", "1,2345", "2,500,0", "1.234,5", "1,234 567", "20x", "1e3", "٣", "٣,٣٣٣"]
)
def test_a_comma_that_may_be_meant_for_decimals_stays_a_text_and_is_refused(typed: str) -> None:
    assert from_text(TRADER_SETTINGS[ALLOCATION], typed) == typed
    assert from_text(TRADER_SETTINGS[MOST_POSITIONS], typed) == typed


@pytest.mark.parametrize(
    ("typed", "seconds"),
    [
        ("5 min", 300),
        ("5min", 300),
        ("５ min", 300),
        ("1 h 30 min", 5400),
        ("1h, 30m", 5400),
        ("90 seconds", 90),
        ("2 Days", 172_800),
        ("1.5 d", 129_600),
        ("5分钟", 300),
        ("2小时30分", 9000),
        ("3m", 180),
        ("1,800", 1800),
        ("180", 180),
    ],
)
def test_a_duration_is_read_as_pages_write_it_and_as_people_say_it(typed: str, seconds: int) -> None:
    assert from_text(TRADER_SETTINGS[INTERVAL], typed) == seconds


@pytest.mark.parametrize("typed", ["5 parsecs", "min", "5 min and more", "1 h -30 min", "5 min5", ""])
def test_what_is_no_duration_stays_a_text(typed: str) -> None:
    assert from_text(TRADER_SETTINGS[INTERVAL], typed) == typed


def test_files_and_the_api_take_one_way_of_writing_a_duration() -> None:
    assert typed_duration("5 min") == "5m"
    with pytest.raises(ValueError, match="45s, 3m or 1h30m"):
        parse_duration("5 min")


def test_a_bulk_factor_may_be_wide() -> None:
    assert number_from("－２０％") == Decimal(-20)
    assert number_from("1,000 %") == Decimal(1000)
    assert number_from("1,0") is None


class Typed(forms.Form):
    count = TypedIntegerField(required=False, max_value=5000)
    amount = TypedDecimalField(required=False)
    minutes = TypedMinutesField(required=False, max_value=10_000)


@pytest.mark.parametrize(
    ("name", "typed", "read"),
    [
        ("count", "2,500", 2500),
        ("amount", "１,０００.５０", Decimal("1000.50")),
        ("minutes", "90", 90),
        ("minutes", "1 h 30 min", 90),
        ("minutes", "2 d", 2880),
        ("minutes", "", None),
    ],
)
def test_fields_of_other_forms_read_the_same(name: str, typed: str, read: object) -> None:
    form = Typed({name: typed})
    assert form.is_valid(), form.errors
    assert form.cleaned_data[name] == read


@pytest.mark.parametrize(
    ("name", "typed"), [("count", "2,5"), ("count", "9,000"), ("minutes", "90 s"), ("minutes", "soon")]
)
def test_fields_of_other_forms_refuse_the_rest(name: str, typed: str) -> None:
    assert list(Typed({name: typed}).errors) == [name]
