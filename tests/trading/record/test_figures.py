"""Figures as every page of the record writes them."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from django.test.utils import override_script_prefix

from trading.record.tickets.price_scale import price_scale
from trading.templatetags import record


def words(markup: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", "", str(markup)).split())


@pytest.mark.parametrize(
    ("amount", "said"),
    [
        (Decimal("1234.565"), "▲ +1,234.56 gain"),
        (Decimal("-0.001"), "▼ −0.00 loss"),
        (-7, "▼ −7.00 loss"),
        (Decimal("0E+3"), "0.00"),
        (None, "–"),
    ],
)
def test_a_gain_has_a_sign_an_arrow_and_a_word(amount: Any, said: str) -> None:
    assert words(record.gain(amount)) == said


@pytest.mark.parametrize(
    ("amount", "said"),
    [
        ("113456.512345", "113,457"),
        ("1.23456789", "1.23457"),
        ("0.000012345678", "0.0000123457"),
        ("45000.50", "45,000.5"),
        ("1E+7", "10,000,000"),
        ("12345678.9", "12,345,679"),
    ],
)
def test_a_price_has_six_digits_that_count_and_all_on_hover(amount: str, said: str) -> None:
    written = str(record.price(Decimal(amount)))
    assert words(written) == said
    assert ("title=" in written) == (Decimal(said.replace(",", "")) != Decimal(amount))


@pytest.mark.parametrize(
    ("milliseconds", "said"), [(0, "0 ms"), (999, "999 ms"), (61_000, "1 min 1 s"), (93_784_000, "1 d 2 h")]
)
def test_a_time_held_is_told_by_its_two_largest_units(milliseconds: int, said: str) -> None:
    assert record.span(milliseconds) == said


def test_prices_lie_between_the_lowest_and_the_highest() -> None:
    plan = {"sl_price": Decimal(90), "tp_price": 130}
    scale = price_scale(entry=Decimal(100), exit=Decimal(120), net=Decimal(5), plan=plan)
    assert scale is not None
    assert {mark.kind: str(mark.at) for mark in scale.marks} == {
        "stop": "0.00",
        "entry": "25.00",
        "exit": "75.00",
        "target": "100.00",
    }
    assert (scale.kind, str(scale.left), str(scale.width)) == ("gain", "25.00", "50.00")


def test_a_scale_needs_two_prices_and_knows_equal_ones() -> None:
    assert price_scale(entry=Decimal(100), exit=None, net=None, plan={}) is None
    flat = price_scale(entry=Decimal(100), exit=Decimal(100), net=Decimal(-1), plan={})
    assert flat is not None
    assert (flat.kind, str(flat.width)) == ("loss", "0.00")


def test_known_addresses_follow_the_prefix_of_the_site() -> None:
    first = record.trader_link("steady_long")
    with override_script_prefix("/desk/"):
        assert record.trader_link("steady_long") == first.replace("/admin/", "/desk/admin/")
    assert record.trader_link("steady_long") == first
